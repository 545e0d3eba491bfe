/**
 * Bytes in, frames out: the Transform over a `FrameParser`.
 *
 * It is lazy. A chunk may hold thirty thousand frames; they are made one by one, as the reading side takes them, and the
 * chunk is not given back (so nothing more is read) before all are made. The readable queue is bounded by bytes as well
 * as by count: Node knows only the count, so what `push` adds to the account, `read` takes off.
 *
 * It fails in order. Frames that came before a violation were sent in good faith: they are read first.
 *
 * @see RFC 6455 §5.2, §6.2
 */
import { isUtf8 } from 'node:buffer';
import { Transform, type TransformCallback } from 'node:stream';
import type { WsFrame } from '../protocol/frame.ts';
import { FrameParser, type FrameParserOptions } from '../protocol/frame-parser.ts';
import { byteLimit } from '../protocol/header-rules.ts';

export interface FrameDecoderOptions extends Omit<FrameParserOptions, 'allocate' | 'isUtf8'> {
  /** Bytes of payload that may wait in the readable queue before no more frames are made. Default 65,536. */
  readonly maxBufferedBytes?: number | undefined;
  /** Frames that may wait in the readable queue. Default 16. */
  readonly readableHighWaterMark?: number | undefined;
}

const DEFAULT_MAX_BUFFERED_BYTES = 65_536;

/**
 * A Transform of bytes into {@link WsFrame}s: `socket.pipe(new FrameDecoder({ role: 'server' }))`.
 *
 * Whole frames come out as they were sent (fragments stay fragments), or slices of them with `maxSliceBytes`. A
 * violation destroys it with a `ProtocolError`; so does an end inside a frame or a message (`WS_ERR_TRUNCATED`). Since a
 * peer causes these errors, they need no listener: `pipeline`, `finished` and loops see them.
 */
export class FrameDecoder extends Transform {
  readonly #parser: FrameParser;
  readonly #maxBufferedBytes: number;
  #bufferedBytes = 0;
  #bytesRead = 0;
  /** The callback of the chunk that is being used up, or of the end. */
  #callback: TransformCallback | undefined;
  /** What waits for the queue to be read. */
  #failure: Error | undefined;
  #isPulling = false;

  /** @throws TypeError for a role that is none, RangeError for a limit that is no whole number or too small */
  constructor(options: FrameDecoderOptions) {
    super({
      readableObjectMode: true,
      readableHighWaterMark: Math.max(1, options.readableHighWaterMark ?? 16),
      writableHighWaterMark: DEFAULT_MAX_BUFFERED_BYTES,
    });
    this.#parser = new FrameParser({ ...options, allocate: Buffer.allocUnsafe, isUtf8 });
    this.#maxBufferedBytes = byteLimit('maxBufferedBytes', options.maxBufferedBytes ?? DEFAULT_MAX_BUFFERED_BYTES, 0);
    this.on('error', ignoreError);
  }

  /** Bytes taken in so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  override _transform(chunk: Uint8Array, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#bytesRead += chunk.length;
    this.#callback = callback;
    this.#parser.push(chunk);
    this.#pull();
  }

  override _flush(callback: TransformCallback): void {
    try {
      this.#parser.end();
      callback();
    } catch (error) {
      this.#callback = callback;
      this.#fail(error as Error);
    }
  }

  override _read(): void {
    this.#pull();
  }

  override read(size?: number): WsFrame | null {
    // Node goes on emitting what is queued when a listener has destroyed the stream.
    if (this.destroyed) return null;
    const frame: WsFrame | null = super.read(size);
    if (frame !== null) this.#bufferedBytes -= frame.payload.length;
    // Node asks before it takes the frame out of the queue, when there may have been no room, and only once.
    this.#pull();
    return frame;
  }

  override unshift(frame: WsFrame): void {
    this.#bufferedBytes += frame.payload.length;
    super.unshift(frame);
  }

  /** Makes frames until the chunk is used up or the queue is full. */
  #pull(): void {
    if (this.#callback === undefined || this.#isPulling) return;
    this.#isPulling = true;
    try {
      this.#pushFrames();
    } catch (error) {
      this.#failure = error as Error;
    }
    this.#isPulling = false;
    if (this.#failure !== undefined) this.#fail(this.#failure);
  }

  #pushFrames(): void {
    // Whoever listens may have destroyed us; nothing is emitted after that.
    while (!this.destroyed && this.#failure === undefined && this.#hasRoom()) {
      const frame = this.#parser.next();
      if (frame !== null) this.#pushFrame(frame);
      // When its callback returns, the chunk that waited behind this one may be here already; or the end, and a failure.
      else if (!this.#nextChunk()) return;
    }
  }

  #hasRoom(): boolean {
    const { readableLength } = this;
    if (readableLength === 0) this.#bufferedBytes = 0;
    return (
      readableLength === 0 ||
      (readableLength < this.readableHighWaterMark && this.#bufferedBytes < this.#maxBufferedBytes)
    );
  }

  #pushFrame(frame: WsFrame): void {
    const before = this.readableLength;
    this.push(frame);
    // A flowing stream has given the frame to its listeners instead of queueing it.
    if (this.readableLength > before) this.#bufferedBytes += frame.payload.length;
  }

  #nextChunk(): boolean {
    this.#giveBack(null);
    return this.#callback !== undefined;
  }

  /** Fails as soon as the frames that came before are read. */
  #fail(error: Error): void {
    this.#failure = error;
    if (this.readableLength === 0) this.#giveBack(error);
  }

  #giveBack(error: Error | null): void {
    const callback = this.#callback!;
    this.#callback = undefined;
    callback(error);
  }
}

function ignoreError(): void {}
