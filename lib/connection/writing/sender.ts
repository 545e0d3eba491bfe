/**
 * The ways of sending, all with one order and one backpressure. There are two queues: the stream's own, which holds what
 * was written with `write()` and waits, and the outbox behind it. What is sent while the first is empty goes past it.
 *
 * @see RFC 6455 §5.4, §6.1
 */
import { Duplex } from 'node:stream';
import { assertClosePayload } from '../../protocol/close-payload.ts';
import { type BytesLike, createFrame, WsFrame } from '../../protocol/frame.ts';
import { isFragment } from '../../protocol/message-assembler.ts';
import { WS_OPCODE_CONTINUATION, WS_OPCODE_TEXT } from '../../protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../../protocol/sizes.ts';
import { abortable } from '../abortable.ts';
import { type Outbox, type OutboxJob, type Settle, wireLength } from './outbox.ts';

/** About what a message takes while it waits, beside its payload (measured on Node 20: 220 to 730 bytes). */
const WAIT_OVERHEAD = 768;

/** What a stream is told of a write. */
export type WriteCallback = (error?: Error | null) => void;

export class Sender {
  readonly #stream: Duplex;
  readonly #outbox: Outbox;
  readonly #isClient: boolean;
  #queuedBytes = 0;
  /** What sends that are not settled hold: their payload and themselves. */
  #unsettledBytes = 0;
  /** What waits in the queues of streams that stand before ours, overhead counted. */
  #heldBytes = 0;
  /** Messages that are written bit by bit and stand in the stream's own queue. */
  #queuedMessages: OutboxJob[] | undefined;
  /** Whether a message that is open when its turn comes is waited for. */
  #waitsForMessages = true;
  /** Frames in the stream's own queue that were taken back. */
  #revoked: WeakSet<WsFrame> | undefined;
  /** What frames of that queue of which somebody asks it came to on the wire, where extensions may have changed their size. */
  #stagedSizes: WeakMap<WsFrame, number> | undefined;
  /** Whether the caller's last data frame was no final one. */
  #isInsideMessage = false;

  constructor(stream: Duplex, outbox: Outbox, isClient: boolean) {
    this.#stream = stream;
    this.#outbox = outbox;
    this.#isClient = isClient;
  }

  /** Bytes of payload that wait in either queue. */
  get bufferedBytes(): number {
    return (this.#stream.destroyed ? 0 : this.#queuedBytes + this.#queuedMessageBytes) + this.#outbox.bytes;
  }

  get #queuedMessageBytes(): number {
    return this.#queuedMessages?.reduce((sum, message) => sum + message.bytes, 0) ?? 0;
  }

  /** What all that waits to be sent takes, overhead counted; counted, not added up, so it may be asked at each send. */
  get load(): number {
    return this.#unsettledBytes + this.#queuedBytes + this.#heldBytes + this.#stream.writableLength * WAIT_OVERHEAD;
  }

  /** So many bytes more wait in a stream that stands before ours, or fewer. */
  hold(bytes: number): void {
    this.#heldBytes += bytes;
  }

  /**
   * Sends a frame that {@link accept} has taken, or a control frame, which goes past what waits.
   *
   * @returns the bytes put on the wire, once there is room for more; 0 when the connection ended before
   */
  send(frame: WsFrame, signal: AbortSignal | undefined): number | Promise<number> {
    const { length } = frame.payload;
    const bytes = wireLength(length, this.#isClient);
    const isNext = this.#outbox.isIdle && length <= WS_MAX_FRAME_SIZE && this.#stream.writableLength === 0;
    if (!isNext && !frame.isControl()) return abortable(signal, (resolve) => this.#sendInTurn(frame, bytes, resolve));
    if (this.#outbox.sendNow(frame)) return this.#sizeOf(frame) ?? bytes;
    return abortable(signal, (resolve) => {
      const settle: Settle = (isWritten) => resolve(isWritten ? (this.#sizeOf(frame) ?? bytes) : 0);
      this.#outbox.whenRoom(this.#whenSettled(length, settle));
      return undefined;
    });
  }

  /** Sends a frame at once where nothing waits, else by the stream's own queue. @returns whether there is room for more */
  write(frame: WsFrame, callback: WriteCallback | undefined): boolean {
    const { writableLength, writableCorked } = this.#stream;
    const isNext = writableLength === 0 && writableCorked === 0 && frame.payload.length <= WS_MAX_FRAME_SIZE;
    if (!isNext || !this.#outbox.trySend(frame)) return this.queue(frame, callback);
    if (callback !== undefined) process.nextTick(callback, null);
    return true;
  }

  /** What the frame that has just been sent came to on the wire, where extensions may have changed its size. */
  #sizeOf(frame: WsFrame): number | undefined {
    const bytes = this.#outbox.stagedBytes;
    return bytes === undefined || frame.isControl() ? undefined : bytes;
  }

  /** Puts a frame into the stream's own queue. @returns whether there is room for more */
  queue(frame: WsFrame, callback: WriteCallback | undefined): boolean {
    this.#queuedBytes += frame.payload.length;
    return Duplex.prototype.write.call(this.#stream, frame, 'utf8', callback as WriteCallback);
  }

  /**
   * Takes a message that is written bit by bit, in its turn: behind what waits in either queue.
   *
   * @throws TypeError inside a message of raw fragments
   */
  addMessage(message: OutboxJob): void {
    if (this.#isInsideMessage) throw new TypeError('The last message is not finished (RFC 6455 §5.4)');
    if (this.#stream.writableLength === 0) this.#outbox.add(message);
    else this.#queueMessage(message);
  }

  /** There is more to send of a message that is written bit by bit. */
  advance(): void {
    this.#outbox.advance();
  }

  /** Takes back a message of which nothing has been sent. */
  cancel(message: OutboxJob): void {
    this.#outbox.cancel(message);
  }

  /** Takes a frame, or a message, out of the stream's own queue and sends it in its turn. */
  unqueue(frame: WsFrame | OutboxJob, settle: Settle): void {
    if (!(frame instanceof WsFrame)) {
      this.#unqueueMessage(frame);
      settle(true);
      return;
    }
    this.#queuedBytes -= frame.payload.length;
    if (this.#revoked?.has(frame)) {
      settle(true);
      return;
    }
    this.#outbox.send(frame, (isWritten, staged) => {
      if (staged !== undefined && this.#stagedSizes?.has(frame)) this.#stagedSizes.set(frame, staged);
      settle(isWritten);
    });
  }

  /**
   * Sends a close frame behind what waits in either queue.
   *
   * @param waitsForMessages whether also behind messages that are still being written, which may never end
   */
  sendLast(frame: WsFrame, settle: Settle, waitsForMessages: boolean = true): void {
    this.#waitsForMessages = waitsForMessages;
    if (this.#stream.writableLength === 0 || this.#stream.writableEnded) this.#outbox.send(frame, settle);
    else this.queue(frame, (error) => settle(!error));
  }

  /**
   * Judges what the caller wants to send, and keeps count of its fragments (§5.4).
   *
   * @throws TypeError for an illegal sequence or reserved bits, RangeError for the body of a close frame made by hand
   */
  accept(frame: WsFrame): void {
    if (frame.rsv !== 0) throw new TypeError('No extension has claimed the reserved bits (RFC 6455 §5.2)');
    if (frame.isClose()) assertSendableClose(frame.payload);
    if (frame.isControl()) return;
    const isContinuation = frame.opcode === WS_OPCODE_CONTINUATION;
    if (isContinuation && !this.#isInsideMessage)
      throw new TypeError('There is no message to continue (RFC 6455 §5.4)');
    if (!isContinuation && this.#isInsideMessage)
      throw new TypeError('The last message is not finished (RFC 6455 §5.4)');
    this.#isInsideMessage = !frame.isFinal;
  }

  /** @returns what takes a whole message back, as long as nothing of it has been sent */
  #sendInTurn(frame: WsFrame, bytes: number, resolve: (bytes: number) => void): (() => void) | undefined {
    const settle: Settle = (isWritten, staged = bytes) => resolve(isWritten ? staged : 0);
    const takeBack =
      this.#stream.writableLength > 0 ? this.#queueRevocably(frame, settle) : this.#enqueue(frame, settle);
    // What has been accepted behind a fragment counts on it.
    return isFragment(frame) ? undefined : takeBack;
  }

  /** Counts what waits, until it is known what became of it. */
  #whenSettled(length: number, settle: Settle): Settle {
    this.#unsettledBytes += length + WAIT_OVERHEAD;
    return (isWritten, stagedBytes) => {
      this.#unsettledBytes -= length + WAIT_OVERHEAD;
      settle(isWritten, stagedBytes);
    };
  }

  #queueMessage(message: OutboxJob): void {
    const queued: WriteCallback = (error) => {
      if (error) message.roadClosed();
    };
    this.#queuedMessages ??= [];
    this.#queuedMessages.push(message);
    Duplex.prototype.write.call(this.#stream, message, 'utf8', queued);
  }

  #unqueueMessage(message: OutboxJob): void {
    // They leave the queue in the order in which they came.
    this.#queuedMessages?.shift();
    // It may have been taken back while it waited.
    if (message.isDone) return;
    if (message.isOpen && !this.#waitsForMessages) message.roadClosed();
    else this.#outbox.add(message);
  }

  #enqueue(frame: WsFrame, settle: Settle): () => void {
    const counted = this.#whenSettled(frame.payload.length, settle);
    const job = this.#outbox.send(frame, counted);
    // Who has gone is told nothing; what he has taken back takes no room any more.
    return () => void (this.#outbox.cancel(job) && counted(false));
  }

  #queueRevocably({ opcode, payload, isFinal, isMasked, rsv, compress }: WsFrame, settle: Settle): () => void {
    // A frame of its own: the caller's may be sent twice.
    const frame = createFrame(opcode, payload, isFinal, isMasked, rsv, 0, compress);
    if (this.#outbox.stagedBytes !== undefined) (this.#stagedSizes ??= new WeakMap()).set(frame, 0);
    this.queue(frame, (error) => settle(!error, this.#stagedSizes?.get(frame)));
    return () => {
      this.#revoked ??= new WeakSet();
      this.#revoked.add(frame);
    };
  }
}

/** What a peer may not send us, we do not send either; only it is the caller's mistake then. */
function assertSendableClose(payload: Uint8Array): void {
  try {
    assertClosePayload(payload);
  } catch (cause) {
    throw new RangeError('The body of the close frame may not be sent (RFC 6455 §5.5.1, §7.4)', { cause });
  }
}

/** Makes a text message. @throws TypeError for what is no string */
export function textFrame(text: string): WsFrame {
  if (typeof text !== 'string') throw new TypeError('A text message must be a string');
  return new WsFrame(WS_OPCODE_TEXT, Buffer.from(text));
}

/** Takes what is written: a frame, a string, or bytes. @throws TypeError for anything else */
export function toFrame(chunk: unknown): WsFrame {
  if (chunk instanceof WsFrame) return chunk;
  return typeof chunk === 'string' ? textFrame(chunk) : WsFrame.binary(chunk as BytesLike);
}

/** Gives the frame as it is, or one with the other wish for compression. @throws TypeError for what is no boolean */
export function withCompress(frame: WsFrame, compress: boolean | undefined): WsFrame {
  assertCompress(compress);
  if (compress === undefined || compress === frame.compress) return frame;
  return createFrame(frame.opcode, frame.payload, frame.isFinal, frame.isMasked, frame.rsv, 0, compress);
}

/** @throws TypeError */
export function assertCompress(compress: boolean | undefined): void {
  if (compress !== undefined && typeof compress !== 'boolean') throw new TypeError('compress must be true or false');
}
