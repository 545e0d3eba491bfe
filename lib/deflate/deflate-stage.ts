/**
 * What the inflater and the deflater have in common: frames in, frames out, and a context that comes and goes.
 *
 * zlib writes into one buffer of the process, and what a frame holds is copied out of it. So a stage holds no buffer
 * while it rests, and a payload is exactly as large as it must be.
 */
import { createFrame, WsFrame } from '../protocol/frame.ts';
import { WS_OPCODE_CONTINUATION } from '../protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../protocol/sizes.ts';
import { FrameStage, type FrameStageOptions } from '../stream/frame-stage.ts';
import { type ContextHolder, type DeflatePool, sharedPool } from './deflate-pool.ts';
import { assertDeflateAvailable, type ZlibContext, type ZlibSettings } from './zlib-context.ts';

/** RSV1: the message is compressed. @see RFC 7692 §6 */
export const RSV1 = 4;

/** The four bytes with which a flush ends, which do not travel. @see RFC 7692 §7.2.1 */
export const FLUSH_END_LENGTH = 4;

/**
 * The output is a little larger than a frame. What is beyond it is carried over: so a message that fills its last frame
 * is known to end there, and the four bytes that do not travel are still at hand.
 */
const OUTPUT_LENGTH = WS_MAX_FRAME_SIZE + FLUSH_END_LENGTH;

let output: Buffer | undefined;

/** The buffer into which zlib writes, for as long as one call lasts. */
export function sharedOutput(): Buffer {
  output ??= Buffer.allocUnsafeSlow(OUTPUT_LENGTH);
  return output;
}

/** @internal */
export abstract class DeflateStage extends FrameStage<WsFrame> implements ContextHolder {
  #settings: ZlibSettings;
  readonly #pool: DeflatePool;
  #context: ZlibContext | undefined;
  #isResting = false;
  /** The frame that is being used up. */
  #input: WsFrame | undefined;
  /** Output beyond the last frame. */
  #carried: Buffer | undefined;
  /** The opcode of the next frame of the message that comes out. */
  protected opcode = WS_OPCODE_CONTINUATION as number;

  /** @throws WsError (`WS_ERR_DEFLATE_UNAVAILABLE`) */
  constructor(
    settings: ZlibSettings,
    pool: DeflatePool | undefined,
    options: Pick<FrameStageOptions, 'maxBytesPerTurn'>,
  ) {
    assertDeflateAvailable();
    // One frame is being used and one may wait; while there is no backpressure, none does.
    super({ ...options, writableObjectMode: true, writableHighWaterMark: 2 });
    this.#settings = settings;
    this.#pool = pool ?? sharedPool();
    this.#pool.join();
  }

  /** A frame begins: the first of a message, or one that continues it. */
  protected abstract startFrame(frame: WsFrame): void;

  /** Whether a data frame passes as it is. */
  protected abstract readonly passes: boolean;

  /** A data frame goes on as it is. */
  protected abstract pass(frame: WsFrame): WsFrame;

  /** Makes the next frame of what came in; `undefined` when there is none yet. Calls {@link endFrame} when it is used up. */
  protected abstract convert(frame: WsFrame): WsFrame | undefined;

  /** A context is as new: it may be told the past. */
  protected prepare(_context: ZlibContext): void {}

  protected override startInput(frame: WsFrame): void {
    if (!(frame instanceof WsFrame)) throw new TypeError(`A ${this.constructor.name} takes WsFrames`);
    this.#input = frame;
    if (!frame.isControl()) this.startFrame(frame);
  }

  protected override nextFrame(): WsFrame | null | undefined {
    const frame = this.#input;
    if (frame === undefined) return null;
    if (!frame.isControl() && !this.passes) return this.convert(frame);
    this.#input = undefined;
    return this.pass(frame);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#input = undefined;
    this.#carried = undefined;
    this.releaseContext();
    this.#pool.leave();
    super._destroy(error, callback);
  }

  /** @internal */
  contextTaken(): void {
    this.#context = undefined;
  }

  /** The frame is used up. */
  protected endFrame(): void {
    this.#input = undefined;
  }

  /** The context of this message, from the pool where none is here. */
  protected get context(): ZlibContext {
    if (this.#context === undefined) {
      this.#context = this.#pool.lease(this.#settings);
      this.prepare(this.#context);
    } else if (this.#isResting) {
      this.#pool.resume(this.#context);
    }
    this.#isResting = false;
    return this.#context;
  }

  /** Says what a message needs. A context that is here stays if its window is as large. */
  protected settle(settings: ZlibSettings): void {
    if (this.#context !== undefined && this.#context.settings.windowBits >= settings.windowBits) return;
    this.releaseContext();
    this.#settings = settings;
  }

  /** Leaves the context here for the next message, unless somebody needs it before. */
  protected restContext(): void {
    if (this.#context === undefined || this.#isResting) return;
    this.#isResting = true;
    this.#pool.rest(this.#context, this);
  }

  protected releaseContext(): void {
    const context = this.#context;
    this.#context = undefined;
    if (context !== undefined) this.#pool.release(context);
  }

  /** Puts what was carried over at the start of the output. @returns how much that is */
  protected restoreCarried(output: Buffer): number {
    const carried = this.#carried;
    if (carried === undefined) return 0;
    this.#carried = undefined;
    return carried.copy(output);
  }

  /** Makes a frame of the start of the output; what is beyond it is carried over to the next. */
  protected takeFrame(filled: number, size: number, isFinal: boolean, like: WsFrame, rsv: number): WsFrame {
    const source = sharedOutput();
    const payload = Buffer.allocUnsafe(size);
    source.copy(payload, 0, 0, size);
    if (filled > size) this.#carried = Buffer.from(source.subarray(size, filled));
    const { opcode } = this;
    this.opcode = WS_OPCODE_CONTINUATION;
    return createFrame(opcode, payload, isFinal, like.isMasked, rsv, 0);
  }
}

/** @throws RangeError for window bits that are none */
export function checkWindowBits(windowBits: number | undefined): number {
  return checkWhole('windowBits', windowBits ?? 15, 8, 15);
}

/** @throws RangeError for anything but a whole number in the range */
export function checkWhole(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${name} must be a whole number from ${min} to ${max}, not ${String(value)}`);
}
