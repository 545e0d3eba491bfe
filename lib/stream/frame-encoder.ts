/**
 * Frames in, bytes out: the Transform over a `FrameSerializer`.
 *
 * What one tick writes leaves as one chunk, so a socket behind it gets one write for many frames. A payload is copied
 * into the batch: once a write is accepted, the caller may reuse its buffer. A frame larger than the batch passes
 * through in pieces, with backpressure between them. Where the socket says that a batch has left, its memory is used again:
 * that halves what the collector has to do when large messages pass.
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
}

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
  #isFlushPlanned = false;
  #isFull = false;
  #isWriting = false;
  #bytesWritten = 0;
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
  }

  /** Bytes given out so far. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Bytes encoded and not yet given on: those of this tick, and those that the next stage has not taken. */
  get encodedLength(): number {
    return this.#filled + this.readableLength;
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
    if (size > WS_SEND_BUFFER - this.#filled && !this.#pushBatch()) return false;
    this.#serializer.start(frame);
    this.#fillBatches();
    this.#planFlush();
    return true;
  }

  override _transform(frame: unknown, _encoding: BufferEncoding, callback: TransformCallback): void {
    if (!(frame instanceof WsFrame)) {
      callback(new TypeError('A FrameEncoder takes WsFrames'));
      return;
    }
    this.#serializer.start(frame);
    this.#callback = callback;
    if (!this.#isFull) this.#write();
  }

  override _read(size: number): void {
    this.#isFull = false;
    if (this.#callback === undefined) super._read(size);
    else this.#write();
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
      isWhole = this.#fillBatches();
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

  /** @returns whether the frame is whole; if not, the reading side is full */
  #fillBatches(): boolean {
    const serializer = this.#serializer;
    for (;;) {
      this.#batch ??= takeBatchBuffer(Math.min(serializer.pendingLength + MAX_HEADER_LENGTH, WS_SEND_BUFFER));
      this.#filled = serializer.fill(this.#batch, this.#filled, this.#batch.length);
      if (serializer.isDone) return true;
      if (this.#batch.length < WS_SEND_BUFFER) this.#growBatch(this.#batch);
      else if (!this.#pushBatch()) return false;
    }
  }

  /** Moves into a buffer of full size, so that what one tick writes stays together. */
  #growBatch(small: Buffer): void {
    this.#batch = takeBatchBuffer(WS_SEND_BUFFER);
    small.copy(this.#batch, 0, 0, this.#filled);
    returnBatchBuffer(small);
  }

  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    process.nextTick(flushTick, this);
  }

  /** Gives on what there is. @returns whether there is room for more */
  #pushBatch(): boolean {
    const batch = this.#batch;
    const size = this.#filled;
    if (batch === undefined) return true;
    this.#batch = undefined;
    this.#filled = 0;
    this.#bytesWritten += size;
    // A listener is given the batch at once: it may ask for more, which makes room. A destroyed stream has none.
    this.#isFull = true;
    if (this.push(batch.subarray(0, size))) this.#isFull = false;
    const hasLeft = this.readableLength === 0 && this.#isFlushed?.call(this) === true;
    returnBatchBuffer(hasLeft ? batch : batch.subarray(size));
    return !this.#isFull;
  }

  /** @internal the end of the tick */
  flushTick(): void {
    this.#isFlushPlanned = false;
    this.#pushBatch();
  }
}

function flushTick(encoder: FrameEncoder): void {
  encoder.flushTick();
}
