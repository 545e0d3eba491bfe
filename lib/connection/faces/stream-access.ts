/**
 * The further ways to read and write a connection: messages as streams, plain bytes, WHATWG streams. Each stands on the
 * same few things that the core gives; here they are handed to it.
 */
import type { Duplex } from 'node:stream';
import { type ProtocolError, WsError } from '../../errors.ts';
import { byteLimit } from '../../options.ts';
import { WS_CLOSE_NORMAL, WS_CLOSE_POLICY, WS_CLOSE_UNEXPECTED } from '../../protocol/close-code.ts';
import { WsFrame } from '../../protocol/frame.ts';
import type { Bend } from '../bend.ts';
import type { CloseInfo } from '../closer.ts';
import { FragmentSource } from '../reading/fragment-source.ts';
import { FrameIterator } from '../reading/frame-iterator.ts';
import { MessageIterator, type MessageIteratorSource, type MessagesOptions } from '../reading/message-iterator.ts';
import type { Reception } from '../reading/reception.ts';
import type { WsMessageType } from '../reading/ws-message.ts';
import type { OutboxJob } from '../writing/outbox.ts';
import { type MessageTarget, OutgoingMessage } from '../writing/outgoing-message.ts';
import { overflows } from '../writing/overflow.ts';
import { assertCompress, type WriteCallback } from '../writing/sender.ts';
import { ByteStream, type ByteStreamSource } from './byte-stream.ts';
import { createWebStreams, type WebFaceSource, type WebStreams } from './web-face.ts';

/** What `fragments()` takes. */
export interface FragmentsOptions {
  /** The largest message in bytes, inclusive; a larger one fails the connection with 1009. Default `Infinity`. */
  readonly maxMessageBytes?: number | undefined;
}

export class StreamAccess implements MessageIteratorSource, ByteStreamSource, MessageTarget, WebFaceSource {
  readonly #bend: Bend;
  readonly #connection: { forceClose(): void };

  constructor(bend: Bend, connection: { forceClose(): void }) {
    this.#bend = bend;
    this.#connection = connection;
  }

  /** @throws WsError (`WS_ERR_LOCKED`), TypeError, RangeError */
  messages({ maxMessageBytes, onAbandoned = 'discard' }: MessagesOptions = {}): MessageIterator {
    const limit = byteLimit('maxMessageBytes', maxMessageBytes, Number.POSITIVE_INFINITY);
    if (onAbandoned !== 'discard' && onAbandoned !== 'close') {
      throw new TypeError("onAbandoned must be 'discard' or 'close'");
    }
    this.#bend.lock(true);
    return new MessageIterator(this, { maxMessageBytes: limit, onAbandoned });
  }

  /** @throws WsError (`WS_ERR_LOCKED`), TypeError, RangeError */
  fragments({ maxMessageBytes }: FragmentsOptions = {}): FrameIterator {
    const limit = byteLimit('maxMessageBytes', maxMessageBytes, Number.POSITIVE_INFINITY);
    this.#bend.lock(true);
    return new FrameIterator(new FragmentSource(this, limit));
  }

  /** @throws TypeError for another type, or inside a message of raw fragments */
  createMessage(type: WsMessageType, compress?: boolean | undefined): OutgoingMessage {
    if (type !== 'text' && type !== 'binary') throw new TypeError("The type of a message must be 'text' or 'binary'");
    assertCompress(compress);
    const message = new OutgoingMessage(type, this, compress);
    if (this.#bend.closer.isOpen) this.#bend.sender.addMessage(message);
    else message.destroy(this.endError());
    return message;
  }

  /** @throws WsError (`WS_ERR_LOCKED`) */
  byteStream(): Duplex {
    this.#bend.lock(true);
    return new ByteStream(this);
  }

  /** @throws WsError (`WS_ERR_LOCKED`) */
  toWeb(): WebStreams {
    this.#bend.lock(false);
    return createWebStreams(this);
  }

  // What they stand on ----------------------------------------------------------------------------------------------

  get reception(): Reception {
    return this.#bend.reception;
  }

  get closeInfo(): Promise<CloseInfo> {
    return this.#bend.closer.outcome;
  }

  get hasEndedWell(): boolean {
    return this.#bend.hasEndedWell;
  }

  takePiece(): WsFrame | null | undefined {
    return this.#bend.takeLocked();
  }

  nextMessage(): Promise<WsFrame | null> {
    const frame = this.#bend.takeLocked();
    if (frame !== undefined) return Promise.resolve(frame);
    return new Promise((resolve) => void this.#bend.reception.wait(resolve));
  }

  violated(error: ProtocolError): void {
    // What came behind it is not read.
    this.#bend.reception.clear();
    this.#bend.violated(error);
  }

  endError(): Error {
    return this.#bend.endError();
  }

  unlock(): void {
    this.#bend.unlock();
  }

  skipMessage(): void {
    this.#bend.reception.skipMessage();
  }

  closeAbandoned(): void {
    this.#bend.beginClose(WsFrame.close(WS_CLOSE_POLICY, 'a message was not read to its end'));
  }

  async sendMessage(frame: WsFrame): Promise<number> {
    if (!this.#bend.closer.isOpen) return 0;
    this.#bend.sender.accept(frame);
    return this.#bend.sender.send(frame, undefined);
  }

  writeBytes(frame: WsFrame, callback: WriteCallback): void {
    this.sendMessage(frame).then((bytes) => callback(bytes > 0 ? null : this.endError()), callback);
  }

  closeNormally(callback: WriteCallback): void {
    void this.close().then((info) => callback(info.error));
  }

  close(): Promise<CloseInfo> {
    this.#bend.beginClose(WsFrame.close(WS_CLOSE_NORMAL));
    return this.#bend.closer.outcome;
  }

  forceClose(): void {
    this.#connection.forceClose();
  }

  hold(bytes: number): void {
    this.#bend.sender.hold(bytes);
  }

  overflows(): boolean {
    return this.#bend.closer.isOpen && overflows(this.#bend);
  }

  advance(): void {
    this.#bend.sender.advance();
  }

  abandon(job: OutboxJob, hasBegun: boolean, cause: Error | null): void {
    if (!hasBegun) {
      this.#bend.sender.cancel(job);
      return;
    }
    const error = new WsError(
      'WS_ERR_ABANDONED',
      'a message was abandoned half way',
      cause === null ? undefined : { cause },
    );
    this.#bend.giveUp(error, WsFrame.close(WS_CLOSE_UNEXPECTED, error.message));
  }
}
