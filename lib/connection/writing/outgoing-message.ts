/**
 * A message that is written before it is known: a Writable whose bytes leave as fragments, as they come. Control frames
 * slip between; other messages wait their turn behind it.
 *
 * There is no way to take back a message that has begun (RFC 6455 knows none): destroying it half way fails the
 * connection with 1011.
 *
 * @see RFC 6455 §5.4
 */
import { isUtf8 } from 'node:buffer';
import { Writable } from 'node:stream';
import { WsError } from '../../errors.ts';
import { createFrame, type WsFrame } from '../../protocol/frame.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_CONTINUATION, WS_OPCODE_TEXT } from '../../protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../../protocol/sizes.ts';
import { Utf8Validator } from '../../protocol/utf8.ts';
import type { WsMessageType } from '../reading/ws-message.ts';
import type { OutboxJob, Settle } from './outbox.ts';
import { QueueAccount, type QueueHolder } from './queue-account.ts';
import type { WriteCallback } from './sender.ts';

/** What a message is written to. */
export interface MessageTarget extends QueueHolder {
  /** There is more to send of the job. */
  advance(): void;
  /** The message was destroyed half way. `hasBegun` says whether anything of it has left. */
  abandon(job: OutboxJob, hasBegun: boolean, error: Error | null): void;
  /** Fails the connection for which so much waits that no more may. @returns whether that was so */
  overflows(): boolean;
  /** Why nothing can be sent any more. */
  endError(): Error;
}

const NO_BYTES = new Uint8Array(0);

/** A message that is written bit by bit: a Writable of bytes, or of text, whose end is the end of the message. */
export class OutgoingMessage extends Writable implements OutboxJob {
  readonly #target: MessageTarget;
  readonly #validator: Utf8Validator | undefined;
  readonly #account: QueueAccount;
  #opcode: number;
  #compress: boolean | undefined;
  #chunk: Uint8Array | undefined;
  /** Bytes that have been cut off the write in hand. */
  #offset = 0;
  #isEnding = false;
  #callback: WriteCallback | undefined;
  #hasBegun = false;
  #isDone = false;

  /** @param compress what is asked of a compressing sender */
  constructor(type: WsMessageType, target: MessageTarget, compress?: boolean | undefined) {
    super();
    this.#compress = compress;
    this.#target = target;
    this.#account = new QueueAccount(this, target);
    this.#opcode = type === 'text' ? WS_OPCODE_TEXT : WS_OPCODE_BINARY;
    this.#validator = type === 'text' ? new Utf8Validator(isUtf8) : undefined;
    // A connection that is cut must not end the process for want of a listener; `pipeline` and `finished` see it.
    this.on('error', ignore);
  }

  /** @internal bytes of payload that wait to be cut: what was written, without what has been cut off the write in hand. */
  get bytes(): number {
    return this.#isDone ? 0 : this.writableLength - this.#offset;
  }

  /** @internal */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** @internal */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** @internal */
  get isOpen(): boolean {
    return !this.#isEnding && !this.#isDone;
  }

  /** @internal cuts off the next fragment; `undefined` when more has to be written first. */
  next(): WsFrame | undefined {
    const chunk = this.#chunk;
    if (chunk === undefined) return this.#isEnding ? this.#fragment(NO_BYTES, true) : undefined;
    const end = Math.min(this.#offset + WS_MAX_FRAME_SIZE, chunk.length);
    const fragment = this.#fragment(chunk.subarray(this.#offset, end), false);
    this.#offset = end;
    if (end === chunk.length) this.#chunk = undefined;
    return fragment;
  }

  /** @internal */
  takeSettle(): Settle | undefined {
    const callback = this.#callback;
    if (this.#chunk !== undefined || callback === undefined) return undefined;
    this.#callback = undefined;
    return (isWritten) => {
      this.#isDone ||= !isWritten;
      this.#offset = 0;
      callback(isWritten ? null : this.#target.endError());
      this.#account.update();
    };
  }

  /** @internal */
  roadClosed(): void {
    this.#isDone = true;
    const callback = this.#callback;
    this.#callback = undefined;
    if (callback !== undefined) callback(this.#target.endError());
    else this.destroy(this.#target.endError());
  }

  /** Writes as `Writable.write` does. A caller who never waits fails the connection at `maxQueuedBytes`, as with all sends. */
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    if (this.writableLength > 0) this.#target.overflows();
    this.#account.add();
    const hasRoom = super.write(chunk, encoding as BufferEncoding, callback);
    this.#account.update();
    return hasRoom;
  }

  /** @internal */
  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#account.take();
    if (this.#isDone) {
      callback(this.#target.endError());
      return;
    }
    if (this.#validator !== undefined && this.#validator.push(chunk) !== -1) {
      callback(new TypeError('A text message must be UTF-8 (RFC 6455 §8.1)'));
      return;
    }
    if (chunk.length === 0) {
      callback();
      return;
    }
    this.#chunk = chunk;
    this.#callback = callback;
    this.#target.advance();
  }

  /** @internal */
  override _final(callback: WriteCallback): void {
    if (this.#isDone) {
      callback(this.#target.endError());
      return;
    }
    if (this.#validator?.isComplete === false) {
      callback(new TypeError('A text message must be UTF-8: it ends inside a character (RFC 6455 §8.1)'));
      return;
    }
    this.#isEnding = true;
    this.#callback = callback;
    this.#target.advance();
  }

  /** @internal */
  override _destroy(error: Error | null, callback: WriteCallback): void {
    if (!this.#isDone) {
      this.#isDone = true;
      this.#chunk = undefined;
      this.#isEnding = false;
      this.#target.abandon(this, this.#hasBegun, error);
    }
    this.#account.update();
    callback(error);
    this.#failWrite(error);
  }

  /** A stream that is destroyed inside a write does not tell so by itself to who waits for that. */
  #failWrite(error: Error | null): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.(error ?? new WsError('WS_ERR_ABANDONED', 'the message was abandoned'));
  }

  #fragment(payload: Uint8Array, isFinal: boolean): WsFrame {
    const fragment = createFrame(this.#opcode, payload, isFinal, false, 0, 0, this.#compress);
    this.#opcode = WS_OPCODE_CONTINUATION;
    this.#compress = undefined;
    this.#hasBegun = true;
    this.#isDone = isFinal;
    return fragment;
  }
}

function ignore(): void {}
