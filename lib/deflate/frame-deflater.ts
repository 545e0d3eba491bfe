/**
 * Plain frames in, compressed frames out.
 *
 * Whether a message is compressed is decided at its first frame. Each frame is flushed, so that what is streamed leaves
 * at once; only the last loses its 00 00 ff ff. A compressor may forget: what never refers back can always be inflated.
 * So after a rest, or when its context was needed elsewhere, it starts afresh, also inside a message, and there is
 * nothing that would have to be kept.
 *
 * A payload is never kept: what goes out is made anew, and what passes is copied. Once a write is called back, its
 * buffer is the caller's again.
 *
 * @see RFC 7692 §6.1, §7.2.1
 */
import { createFrame, type WsFrame } from '../protocol/frame.ts';
import { byteLimit } from '../protocol/header-rules.ts';
import { isFragment } from '../protocol/message-assembler.ts';
import { WS_OPCODE_CONTINUATION } from '../protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../protocol/sizes.ts';
import { EncodedFrame, type TranslatingStage, wireOf } from '../stream/encoded-frame.ts';
import type { DeflatePool } from './deflate-pool.ts';
import { checkWhole, checkWindowBits, DeflateStage, FLUSH_END_LENGTH, RSV1, sharedOutput } from './deflate-stage.ts';
import { Z_NO_FLUSH, Z_SYNC_FLUSH, type ZlibSettings } from './zlib-context.ts';

/** How a {@link FrameDeflater} compresses. */
export interface FrameDeflaterOptions {
  /** How far it may refer back, 8–15: 2^windowBits bytes. Default 15. */
  readonly windowBits?: number | undefined;
  /**
   * The same as long as messages have at most 4 KiB. What the rest of the window would save of one is little beside the
   * headers of its packet, and looking there takes time and memory. Default: `windowBits`, which is also the most.
   */
  readonly smallWindowBits?: number | undefined;
  /** Whether it may refer back to earlier messages. Default `true`. */
  readonly contextTakeover?: boolean | undefined;
  /** zlib's effort, −1 (zlib's choice, 6) to 9. Default −1. */
  readonly level?: number | undefined;
  /** zlib's memory, 1–9: 2^(memLevel + 9) bytes beside the window. Default 8. */
  readonly memLevel?: number | undefined;
  /** Whole messages of fewer bytes stay plain. Default 256. */
  readonly thresholdBytes?: number | undefined;
  /** Decides, at the first frame of each message that does not say itself; the threshold does not count then. */
  readonly shouldCompress?: ((frame: WsFrame) => boolean) | undefined;
  /** Where contexts come from. Default: a pool for the process. */
  readonly pool?: DeflatePool | undefined;
}

/** Bytes to compress before the event loop has its turn: one or two milliseconds. */
const MAX_BYTES_PER_TURN = 65_536;

const DEFAULT_THRESHOLD_BYTES = 256;

/** The largest message for which the small window will do: half of the 8 KiB that it has by default. */
const SMALL_MESSAGE_BYTES = 4096;

/**
 * A Transform of {@link WsFrame}s into frames of which some are compressed (RSV1):
 * `new FrameDeflater().pipe(encoder)`.
 *
 * What a message says of itself (`compress`) comes first, then `shouldCompress`, then `thresholdBytes`. A message that
 * has RSV1 already passes as it is; control frames pass, in order.
 */
export class FrameDeflater extends DeflateStage implements TranslatingStage {
  readonly #contextTakeover: boolean;
  readonly #thresholdBytes: number;
  readonly #shouldCompress: ((frame: WsFrame) => boolean) | undefined;
  readonly #settings: ZlibSettings;
  readonly #smallSettings: ZlibSettings;
  readonly #variantKey: string;
  /** What a prepared message has become, which goes instead of it. */
  #variant: EncodedFrame | undefined;
  #isCompressing = false;
  #at = 0;

  /**
   * @throws RangeError for an option out of its range, TypeError for a `shouldCompress` that is no function
   * @throws WsError (`WS_ERR_DEFLATE_UNAVAILABLE`) where the runtime has no such zlib
   */
  constructor(options: FrameDeflaterOptions = {}) {
    const { shouldCompress, level = -1, memLevel = 8 } = options;
    const settings = {
      kind: 'deflate',
      // zlib has no raw deflate with 256 bytes. With 512 it refers back at most 250 (it keeps a lookahead of 262), so
      // what it makes with 9 bits can be inflated with 8.
      windowBits: Math.max(9, checkWindowBits(options.windowBits)),
      level: checkWhole('level', level, -1, 9),
      memLevel: checkWhole('memLevel', memLevel, 1, 9),
    } as const;
    const thresholdBytes = byteLimit('thresholdBytes', options.thresholdBytes ?? DEFAULT_THRESHOLD_BYTES, 0);
    if (shouldCompress !== undefined && typeof shouldCompress !== 'function') {
      throw new TypeError('shouldCompress must be a function');
    }
    const smallBits = Math.max(9, checkWhole('smallWindowBits', options.smallWindowBits ?? 15, 8, 15));
    super(settings, options.pool, { maxBytesPerTurn: MAX_BYTES_PER_TURN });
    this.#settings = settings;
    this.#smallSettings = { ...settings, windowBits: Math.min(settings.windowBits, smallBits) };
    this.#variantKey = `permessage-deflate ${settings.windowBits} ${settings.level} ${settings.memLevel}`;
    this.#contextTakeover = options.contextTakeover ?? true;
    this.#thresholdBytes = thresholdBytes;
    this.#shouldCompress = shouldCompress;
  }

  protected override get passes(): boolean {
    return !this.#isCompressing;
  }

  protected override pass(frame: WsFrame): WsFrame {
    const variant = this.#variant;
    this.#variant = undefined;
    if (variant !== undefined) return variant;
    // What carries its bytes has them for itself.
    if (wireOf(frame) !== undefined) return frame;
    const { opcode, payload, isFinal, isMasked, rsv } = frame;
    return createFrame(opcode, Buffer.from(payload), isFinal, isMasked, rsv, 0);
  }

  protected override startFrame(frame: WsFrame): void {
    this.#at = 0;
    if (frame.opcode === WS_OPCODE_CONTINUATION) return;
    const isCompressed = (frame.rsv & RSV1) !== 0;
    // The peer's window will hold text that ours does not know.
    if (isCompressed) this.releaseContext();
    this.#isCompressing = !isCompressed && (frame.compress ?? this.#decide(frame));
    this.opcode = frame.opcode;
    if (!this.#isCompressing) return;
    const isSmall = frame.isFinal && frame.payload.length <= SMALL_MESSAGE_BYTES;
    this.settle(isSmall ? this.#smallSettings : this.#settings);
    if (frame instanceof EncodedFrame && isPreparable(frame)) this.#takeVariant(frame);
  }

  /** @internal a prepared message, as it comes out */
  translateEncoded(frame: EncodedFrame): WsFrame | undefined {
    if (!isPreparable(frame)) return undefined;
    this.startFrame(frame);
    return this.pass(frame);
  }

  /** A prepared message goes as it was compressed once for all, in a context of its own. */
  #takeVariant(frame: EncodedFrame): void {
    this.#isCompressing = false;
    this.#variant = frame.variant(this.#variantKey, () => this.#compressOnce(frame));
    // As with any that comes compressed. One that would not get smaller is plain, and leaves no trace.
    if (this.#variant !== frame) this.releaseContext();
  }

  /** @returns the frame itself where it would not get smaller */
  #compressOnce(frame: EncodedFrame): EncodedFrame {
    const { opcode, payload, compress } = frame;
    this.releaseContext();
    // More than the worst that zlib makes of it.
    const output = Buffer.allocUnsafe(2 * payload.length + 64);
    const size = this.context.write(Z_SYNC_FLUSH, payload, 0, payload.length, output, 0) - FLUSH_END_LENGTH;
    this.countWork(payload.length);
    this.releaseContext();
    if (compress === undefined && size >= payload.length) return frame;
    return new EncodedFrame(opcode, output.subarray(0, size), { rsv: RSV1 });
  }

  protected override endInput(): void {}

  protected override convert(frame: WsFrame): WsFrame | undefined {
    return frame.payload.length === 0 ? this.#convertEmpty(frame) : this.#deflate(frame);
  }

  #decide(frame: WsFrame): boolean {
    if (this.#shouldCompress !== undefined) return this.#shouldCompress(frame);
    return !frame.isFinal || frame.payload.length >= this.#thresholdBytes;
  }

  /** §7.2.3.6: an empty block without its end is 0x00, and so is the end of a message that was flushed before. */
  #convertEmpty(frame: WsFrame): WsFrame {
    sharedOutput()[0] = 0;
    const size = frame.isFinal ? 1 : 0;
    return this.#end(frame, this.#emit(frame, size, size, frame.isFinal));
  }

  #deflate(frame: WsFrame): WsFrame | undefined {
    const { payload } = frame;
    const { context } = this;
    const length = Math.min(payload.length - this.#at, MAX_BYTES_PER_TURN);
    const isLast = this.#at + length === payload.length;
    let filled = this.restoreCarried(sharedOutput());
    filled += context.write(isLast ? Z_SYNC_FLUSH : Z_NO_FLUSH, payload, this.#at, length, sharedOutput(), filled);
    const used = length - context.inputLeft;
    this.#at += used;
    this.countWork(used);
    if (!context.hasRoom || (filled > WS_MAX_FRAME_SIZE && !(isLast && frame.isFinal))) {
      return this.#emit(frame, filled, WS_MAX_FRAME_SIZE, false);
    }
    if (!isLast) return filled === 0 ? undefined : this.#emit(frame, filled, filled, false);
    const size = frame.isFinal ? filled - FLUSH_END_LENGTH : filled;
    if (this.#isNoSmaller(frame, size)) return this.#end(frame, this.pass(frame));
    return this.#end(frame, this.#emit(frame, size, size, frame.isFinal));
  }

  /** Whether a message had better be sent as it is. With takeover that would tear our history from the peer's. */
  #isNoSmaller(frame: WsFrame, size: number): boolean {
    const isUndecided = !this.#contextTakeover && frame.compress === undefined;
    // Of a message that has begun to leave, what is left is smaller than the whole.
    return isUndecided && !isFragment(frame) && size >= frame.payload.length;
  }

  #emit(frame: WsFrame, filled: number, size: number, isFinal: boolean): WsFrame {
    const isFirst = this.opcode !== WS_OPCODE_CONTINUATION;
    return this.takeFrame(filled, size, isFinal, frame, isFirst ? frame.rsv | RSV1 : frame.rsv);
  }

  /** The frame is flushed: what comes next may as well begin afresh. */
  #end(frame: WsFrame, last: WsFrame): WsFrame {
    this.endFrame();
    if (this.#contextTakeover || !frame.isFinal) this.restContext();
    else this.releaseContext();
    return last;
  }
}

/** Whether it is a whole message that carries its bytes. */
function isPreparable(frame: EncodedFrame): boolean {
  return frame.wire !== undefined && frame.payload.length > 0 && frame.rsv === 0 && !isFragment(frame);
}
