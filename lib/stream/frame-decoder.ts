/**
 * Bytes in, frames out: the Transform over a `FrameParser`.
 *
 * @see RFC 6455 §5.2, §6.2
 */
import { isUtf8 } from 'node:buffer';
import type { WsFrame } from '../protocol/frame.ts';
import { FrameParser } from '../protocol/frame-parser.ts';
import type { FrameParserOptions } from '../protocol/frame-parser-options.ts';
import { FrameStage } from './frame-stage.ts';
import { weighYoung } from './young-memory.ts';

/** What a {@link FrameDecoder} demands and how much it holds. */
export interface FrameDecoderOptions extends Omit<FrameParserOptions, 'allocate' | 'isUtf8'> {
  /** Bytes of payload that may wait in the readable queue before no more frames are made. Default 65,536. */
  readonly maxBufferedBytes?: number | undefined;
  /** Frames that may wait in the readable queue. Default 16. */
  readonly readableHighWaterMark?: number | undefined;
}

/**
 * A Transform of bytes into {@link WsFrame}s: `socket.pipe(new FrameDecoder({ role: 'server' }))`.
 *
 * Whole frames come out as they were sent (fragments stay fragments), or slices of them with `maxSliceBytes`. A
 * violation destroys it with a `ProtocolError`; so does an end inside a frame or a message (`WS_ERR_TRUNCATED`). Since a
 * peer causes these errors, they need no listener: `pipeline`, `finished` and loops see them.
 */
export class FrameDecoder extends FrameStage<Uint8Array> {
  readonly #parser: FrameParser;
  #bytesRead = 0;
  #framesRead = 0;

  /** @throws TypeError for a role that is none, RangeError for a limit that is no whole number or too small */
  constructor(options: FrameDecoderOptions) {
    super({
      maxBufferedBytes: options.maxBufferedBytes,
      readableHighWaterMark: options.readableHighWaterMark,
      writableHighWaterMark: 65_536,
      writableObjectMode: false,
      // Frames are cut, not computed: one chunk is never long.
      maxBytesPerTurn: Number.POSITIVE_INFINITY,
    });
    // The options last: V8 takes microseconds to add names to a copy.
    this.#parser = new FrameParser({ allocate: Buffer.allocUnsafe, isUtf8, ...options });
  }

  /** Bytes taken in so far. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Frames made so far; those that pass on in slices count when they are whole. */
  get framesRead(): number {
    return this.#framesRead;
  }

  /** Whether it holds nothing and has nothing to remember: it stands between two messages, and all has been read. */
  get isAtRest(): boolean {
    const { isInsideFrame, isInsideMessage } = this.#parser;
    return this.writableLength === 0 && this.readableLength === 0 && !isInsideFrame && !isInsideMessage;
  }

  /** @internal Whether it holds bytes of chunks, or frames that are views of them. */
  get holdsChunks(): boolean {
    return this.writableLength > 0 || this.readableLength > 0 || this.#parser.holdsChunks;
  }

  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const isPlain = chunk instanceof Buffer && encoding === undefined && callback === undefined;
    return isPlain ? this.useNow(chunk) : super.write(chunk, encoding as BufferEncoding, callback as () => void);
  }

  protected override startInput(chunk: Uint8Array): void {
    this.#bytesRead += chunk.length;
    weighYoung(chunk.length);
    this.#parser.push(chunk);
  }

  protected override nextFrame(): WsFrame | null {
    const frame = this.#parser.next();
    if (frame !== null && frame.remainingLength === 0) this.#framesRead += 1;
    return frame;
  }

  protected override endInput(): void {
    this.#parser.end();
  }
}
