/**
 * Frames in, bytes out: the Transform over a `FrameSerializer`.
 *
 * What one tick writes leaves as one chunk, so a socket behind it gets one write for many frames; where many encoders
 * are written to in one tick, what several ticks write may. A payload is copied into the batch: once a write is accepted,
 * the caller may reuse its buffer. A frame larger than the batch passes through in pieces, with backpressure between
 * them. A frame that carries its bytes lends them, where the sink is one to which they can be lent. Where the socket says
 * that a batch has left, its memory is used again: that halves what the collector has to do when large messages pass.
 *
 * @see RFC 6455 §5.2, §6.1
 */
import { Transform, type TransformCallback } from 'node:stream';
import { ClosedError } from '../errors.ts';
import { WsFrame } from '../protocol/frame.ts';
import { FrameSerializer, type FrameSerializerOptions } from '../protocol/frame-serializer.ts';
import { MAX_HEADER_LENGTH } from '../protocol/header.ts';
import { WS_SEND_BUFFER } from '../protocol/sizes.ts';
import { returnBatchBuffer, takeBatchBuffer } from './batch-buffer.ts';
import { wireOf } from './encoded-frame.ts';
import { flushAtEndOfTick } from './end-of-tick.ts';
import { pushBytes } from './push-bytes.ts';

/** How a {@link FrameEncoder} writes. */
export interface FrameEncoderOptions extends FrameSerializerOptions {
  /** Frames that may wait to be encoded. Default 16. */
  readonly writableHighWaterMark?: number | undefined;
  /** Encoded bytes that may wait to be read. Default `WS_SEND_BUFFER`, 65,550. */
  readonly readableHighWaterMark?: number | undefined;
  /**
   * Tells whether all bytes that were given on have left the process, so that their memory may be written over; called
   * on the encoder right after each batch. For a net or TLS socket behind it: `() => socket.writableLength === 0`.
   * Default: never.
   */
  readonly isFlushed?: ((this: FrameEncoder) => boolean) | undefined;
  /**
   * Whether a server's encoder gives the bytes of a prepared frame on as they are, without a copy. Only for a sink that
   * neither changes nor keeps what it is given, such as a net or TLS socket: others are sent the same memory. Default
   * `false`.
   */
  readonly lendsBytes?: boolean | undefined;
}

/** How much larger a batch gets that is full before the tick has ended. */
const GROWTH = 4;

/**
 * A Transform of {@link WsFrame}s into bytes: `new FrameEncoder({ role: 'client' }).pipe(socket)`.
 *
 * Each frame leaves as it is given, masked for a client with a fresh key and never in the caller's buffer. Anything but
 * a `WsFrame` destroys it with a `TypeError`.
 */
export class FrameEncoder extends Transform {
  readonly #serializer: FrameSerializer;
  readonly #isFlushed: FrameEncoderOptions['isFlushed'];
  #batch: Buffer | undefined;
  #filled = 0;
  readonly #lendsBytes: boolean;
  /** Bytes that a frame has lent: in place of a batch, as long as nothing else is written in this tick. */
  #lent: Buffer | undefined;
  /** Frames that have come since the last flush was planned; none where none is. */
  #plannedFrames = 0;
  #isFull = false;
  #isWriting = false;
  #bytesWritten = 0;
  /** The frame that waits to be begun. */
  #frame: WsFrame | undefined;
  /** The callback of the frame that is not written whole. */
  #callback: TransformCallback | undefined;

  constructor(options: FrameEncoderOptions) {
    super({
      writableObjectMode: true,
      writableHighWaterMark: options.writableHighWaterMark ?? 16,
      readableHighWaterMark: options.readableHighWaterMark ?? WS_SEND_BUFFER,
    });
    this.#serializer = new FrameSerializer(options);
    this.#isFlushed = options.isFlushed;
    this.#lendsBytes = options.lendsBytes === true && options.role === 'server';
  }

  /** Bytes given out so far. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Bytes encoded and not yet given on: those of this tick, and those that the next stage has not taken. */
  get encodedLength(): number {
    return this.#gathered + this.readableLength;
  }

  /** Bytes of this tick. */
  get #gathered(): number {
    return this.#lent === undefined ? this.#filled : this.#lent.length;
  }

  /** Whether it holds nothing. */
  get isAtRest(): boolean {
    return this.writableLength === 0 && this.encodedLength === 0 && !this.#isFull;
  }

  /**
   * Encodes a frame at once, as `write` does where nothing waits, without what a Writable does around it: that is more
   * than half of the work for a small frame.
   *
   * @returns whether it did; if not (something waits, or the frame is larger than a batch), nothing has happened: `write` it
   */
  encodeNow(frame: WsFrame): boolean {
    const isFree = this.#callback === undefined && !this.#isFull && !this.#isWriting && this.writableLength === 0;
    const size = frame.payload.length + MAX_HEADER_LENGTH;
    if (!isFree || !this.writable || size > WS_SEND_BUFFER) return false;
    if (size > WS_SEND_BUFFER - this.#gathered && !this.#pushBatch()) return false;
    if (!this.#lend(frame)) {
      this.#serializer.start(frame);
      this.#fillBatches();
    }
    this.#planFlush();
    return true;
  }

  /** Holds back by itself what there is no room for: a Transform would wait to be read, and what flows is not read. */
  override _write(frame: unknown, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (!(frame instanceof WsFrame)) {
      callback(new TypeError('A FrameEncoder takes WsFrames'));
      return;
    }
    this.#frame = frame;
    this.#callback = callback;
    if (!this.#isFull) this.#write();
  }

  override _read(): void {
    this.#isFull = false;
    if (this.#callback !== undefined) this.#write();
  }

  override read(size?: number): Buffer | null {
    // Node goes on emitting what is queued when a listener has destroyed the stream.
    return this.destroyed ? null : super.read(size);
  }

  override _flush(callback: TransformCallback): void {
    this.#pushBatch();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const pending = this.#callback;
    this.#callback = undefined;
    this.#frame = undefined;
    this.#lent = undefined;
    this.#batch = undefined;
    this.#filled = 0;
    callback(error);
    pending?.(error ?? new ClosedError('The encoder was destroyed before the frame was written whole'));
  }

  /** Writes on until the frame is whole or the reading side is full. */
  #write(): void {
    // Whoever listens may read again while a batch is being given on.
    if (this.#isWriting) return;
    this.#isWriting = true;
    let isWhole = false;
    try {
      isWhole = this.#begin() && this.#fillBatches();
    } catch (error) {
      this.destroy(error as Error);
    }
    this.#isWriting = false;
    if (!isWhole || this.#callback === undefined) return;
    this.#planFlush();
    const callback = this.#callback;
    this.#callback = undefined;
    callback();
  }

  /** Begins the frame that waits, if one does, or lends it whole. @returns whether there was room for that */
  #begin(): boolean {
    const frame = this.#frame;
    if (frame === undefined) return true;
    const size = (this.#lendsBytes ? wireOf(frame)?.length : undefined) ?? 0;
    if (size > WS_SEND_BUFFER - this.#gathered && !this.#pushBatch()) return false;
    this.#frame = undefined;
    if (!this.#lend(frame)) this.#serializer.start(frame);
    return true;
  }

  /** Takes the frame's own bytes instead of a batch, where nothing else is in it. @returns whether it did */
  #lend(frame: WsFrame): boolean {
    if (!this.#lendsBytes || this.#filled > 0) return false;
    const lent = wireOf(frame, this.#lent);
    if (lent === undefined) return false;
    this.#lent = lent;
    return true;
  }

  /** Something comes behind what was lent: both go into a batch. */
  #copyLent(lent: Buffer): void {
    this.#lent = undefined;
    this.#batch ??= takeBatchBuffer(lent.length + MAX_HEADER_LENGTH);
    if (this.#batch.length < lent.length) this.#batch = takeBatchBuffer(WS_SEND_BUFFER);
    this.#filled = lent.copy(this.#batch);
  }

  /** @returns whether the frame is whole; if not, the reading side is full */
  #fillBatches(): boolean {
    const serializer = this.#serializer;
    if (serializer.isDone) return true;
    if (this.#lent !== undefined) this.#copyLent(this.#lent);
    for (;;) {
      this.#batch ??= takeBatchBuffer(Math.min(serializer.pendingLength + MAX_HEADER_LENGTH, WS_SEND_BUFFER));
      this.#filled = serializer.fill(this.#batch, this.#filled, this.#batch.length);
      if (serializer.isDone) return true;
      if (this.#batch.length < WS_SEND_BUFFER) this.#growBatch(this.#batch);
      else if (!this.#pushBatch()) return false;
    }
  }

  /** Moves into a larger buffer, so that what one tick writes stays together. */
  #growBatch(small: Buffer): void {
    this.#batch = takeBatchBuffer(Math.min(GROWTH * small.length, WS_SEND_BUFFER));
    small.copy(this.#batch, 0, 0, this.#filled);
    returnBatchBuffer(small);
  }

  #planFlush(): void {
    this.#plannedFrames += 1;
    if (this.#plannedFrames === 1) flushAtEndOfTick(this);
  }

  /** Gives on what there is. @returns whether there is room for more */
  #pushBatch(): boolean {
    if (this.#lent !== undefined) return this.#pushLent(this.#lent);
    const batch = this.#batch;
    const size = this.#filled;
    if (batch === undefined) return true;
    this.#batch = undefined;
    this.#filled = 0;
    this.#give(batch.subarray(0, size));
    const hasLeft = this.readableLength === 0 && this.#isFlushed?.call(this) === true;
    returnBatchBuffer(hasLeft ? batch : batch.subarray(size));
    return !this.#isFull;
  }

  #pushLent(lent: Buffer): boolean {
    this.#lent = undefined;
    this.#give(lent);
    return !this.#isFull;
  }

  #give(bytes: Buffer): void {
    this.#bytesWritten += bytes.length;
    // A listener is given the bytes at once: it may ask for more, which makes room. A destroyed stream has none.
    this.#isFull = true;
    let isTaken = true;
    try {
      isTaken = pushBytes(this, bytes);
    } finally {
      // He that throws has taken them, too.
      if (isTaken && !this.destroyed) this.#isFull = false;
    }
  }

  /** @internal the end of the tick, or the turn of this one behind it */
  flushTick(): number {
    const frames = this.#plannedFrames;
    this.#plannedFrames = 0;
    this.#pushBatch();
    return frames;
  }
}
