/**
 * Compressed frames in, plain frames out.
 *
 * It streams: what a frame (or a slice of one) inflates to passes on at once, in frames of at most `WS_MAX_FRAME_SIZE`,
 * so a large message runs in constant memory, and a limit is judged on the inflated bytes as they appear. A small
 * message comes out as one frame, in the same tick.
 *
 * Between messages the context rests or is gone; with context takeover the text that it knew is kept (PlainTextTail).
 *
 * @see RFC 7692 §6.2, §7.2.2
 */
import { isUtf8 } from 'node:buffer';
import { ProtocolError } from '../errors.ts';
import type { WsFrame } from '../protocol/frame.ts';
import { byteLimit } from '../protocol/header-rules.ts';
import { MessageMeter } from '../protocol/message-assembler.ts';
import { WS_OPCODE_CONTINUATION } from '../protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../protocol/sizes.ts';
import { TextJudge } from '../protocol/text-judge.ts';
import type { DeflatePool } from './deflate-pool.ts';
import { checkWindowBits, DeflateStage, FLUSH_END_LENGTH, RSV1, sharedOutput } from './deflate-stage.ts';
import { PlainTextTail } from './plain-text-tail.ts';
import { Z_BLOCK, Z_NO_FLUSH, type ZlibContext } from './zlib-context.ts';

/** What a {@link FrameInflater} takes, and where it stops. */
export interface FrameInflaterOptions {
  /** The window of the peer's compressor, 8–15: it refers back at most 2^windowBits bytes. Default 15. */
  readonly windowBits?: number | undefined;
  /** Whether the peer's compressor refers back to earlier messages. Default `true`. */
  readonly contextTakeover?: boolean | undefined;
  /** Inflated bytes of a message for each compressed byte, 1 or more; the first 64 KiB are free. Default `Infinity`. */
  readonly maxInflatedRatio?: number | undefined;
  /** The largest message in bytes, inflated, inclusive. Default `Infinity`: a connection judges what comes out. */
  readonly maxMessageBytes?: number | undefined;
  /** Whether inflated text is checked to be UTF-8 (RFC 6455 §8.1). Default `true`. */
  readonly validateUtf8?: boolean | undefined;
  /** Where contexts come from. Default: a pool for the process. */
  readonly pool?: DeflatePool | undefined;
}

/** Inflated bytes before the event loop has its turn: about a millisecond. */
const MAX_BYTES_PER_TURN = 262_144;

/** Inflated bytes of a message on which the ratio is not judged. */
const FREE_BYTES = 65_536;

/** Final blocks in one go: each costs as much as a window of text. */
const MAX_RESTARTS = 8;

/**
 * What the sender took away, and behind it a byte that is no part of the message: zlib stops before it if the message
 * ends where a block ends, and reads on if the message was cut.
 */
const FLUSH_END = Buffer.from([0x00, 0x00, 0xff, 0xff, 0x00]);

/**
 * A Transform of {@link WsFrame}s that may be compressed (RSV1) into frames that are not:
 * `decoder.pipe(new FrameInflater())`. What is not compressed passes, in order.
 *
 * It fails with a `ProtocolError`: 1007 for data that is no DEFLATE (`WS_ERR_INVALID_DEFLATE`) and text that is no
 * UTF-8, 1009 for a limit (`WS_ERR_MESSAGE_TOO_LARGE`, `WS_ERR_INFLATED_RATIO`), 1002 for RSV1 on a fragment that is not
 * the first (`WS_ERR_COMPRESSED_CONTINUATION`). A peer causes these errors, so they need no listener.
 */
export class FrameInflater extends DeflateStage {
  readonly #windowBytes: number;
  readonly #contextTakeover: boolean;
  readonly #maxInflatedRatio: number;
  readonly #judge: TextJudge | undefined;
  readonly #meter: MessageMeter;
  /** Text to which what is to come may refer. */
  #tail: PlainTextTail | undefined;
  /** How much of the output the tail has already. */
  #tailed = 0;

  // The message.
  #isInsideMessage = false;
  #isCompressed = false;
  /** Of this frame and those before it. */
  #compressedBytes = 0;
  #inflatedBytes = 0;
  #rsv = 0;

  // The frame of it that is being inflated.
  #at = 0;
  /** Bytes of what is to be appended that are not yet taken. */
  #endLeft = 0;
  #restarts = 0;

  /**
   * @throws RangeError for an option out of its range
   * @throws WsError (`WS_ERR_DEFLATE_UNAVAILABLE`) where the runtime has no such zlib
   */
  constructor(options: FrameInflaterOptions = {}) {
    const windowBits = checkWindowBits(options.windowBits);
    const maxInflatedRatio = options.maxInflatedRatio ?? Number.POSITIVE_INFINITY;
    if (!(maxInflatedRatio >= 1)) throw new RangeError(`maxInflatedRatio must be 1 or more, not ${maxInflatedRatio}`);
    const meter = new MessageMeter(
      byteLimit('maxMessageBytes', options.maxMessageBytes ?? Number.POSITIVE_INFINITY, 0),
    );
    super({ kind: 'inflate', windowBits, level: 0, memLevel: 0 }, options.pool, {
      maxBytesPerTurn: MAX_BYTES_PER_TURN,
    });
    this.#windowBytes = 1 << windowBits;
    this.#contextTakeover = options.contextTakeover ?? true;
    this.#maxInflatedRatio = maxInflatedRatio;
    this.#judge = (options.validateUtf8 ?? true) ? new TextJudge(isUtf8) : undefined;
    this.#meter = meter;
  }

  protected override get passes(): boolean {
    return !this.#isCompressed;
  }

  protected override pass(frame: WsFrame): WsFrame {
    if (!frame.isControl()) {
      this.#meter.add(frame);
      this.#isInsideMessage = !frame.isFinal;
    }
    return frame;
  }

  protected override startFrame(frame: WsFrame): void {
    if (frame.opcode !== WS_OPCODE_CONTINUATION) this.#startMessage(frame);
    // §6.1 "An endpoint MUST NOT set the "Per-Message Compressed" bit of control frames and non-first fragments of a
    // data message. An endpoint receiving such a frame MUST _Fail the WebSocket Connection_."
    else if ((frame.rsv & RSV1) !== 0) throw new ProtocolError('WS_ERR_COMPRESSED_CONTINUATION');
    this.#at = 0;
    this.#rsv |= frame.rsv & ~RSV1;
    this.#compressedBytes += frame.payload.length;
    // A message without a byte of data is no block that could end: it is empty.
    this.#endLeft = this.#compressedBytes > 0 ? FLUSH_END_LENGTH : 0;
  }

  protected override endInput(): void {
    if (this.#isInsideMessage) throw new ProtocolError('WS_ERR_TRUNCATED', 'inside a compressed message');
  }

  protected override prepare(context: ZlibContext): void {
    this.#tail?.feed(context);
  }

  protected override convert(frame: WsFrame): WsFrame | undefined {
    try {
      return this.#inflate(frame);
    } catch (error) {
      this.releaseContext();
      if (error instanceof ProtocolError) throw error;
      throw new ProtocolError('WS_ERR_INVALID_DEFLATE', (error as Error).message, { cause: error });
    }
  }

  #startMessage(frame: WsFrame): void {
    this.#isInsideMessage = true;
    this.#isCompressed = (frame.rsv & RSV1) !== 0;
    this.opcode = frame.opcode;
    this.#rsv = 0;
    this.#compressedBytes = 0;
    this.#inflatedBytes = 0;
  }

  #inflate(frame: WsFrame): WsFrame | undefined {
    let filled = this.restoreCarried(sharedOutput());
    this.#restarts = 0;
    while (filled <= WS_MAX_FRAME_SIZE && !this.#isUsedUp(frame) && this.#restarts < MAX_RESTARTS) {
      filled +=
        this.#at < frame.payload.length ? this.#inflatePayload(frame.payload, filled) : this.#inflateEnd(filled);
    }
    if (filled > WS_MAX_FRAME_SIZE) return this.#emit(frame, filled, WS_MAX_FRAME_SIZE, false);
    const isLast = frame.isFinal && this.#isUsedUp(frame);
    const piece = filled > 0 || isLast ? this.#emit(frame, filled, filled, isLast) : undefined;
    if (this.#isUsedUp(frame)) this.endFrame();
    if (isLast) this.#endMessage();
    return piece;
  }

  #isUsedUp(frame: WsFrame): boolean {
    return this.#at === frame.payload.length && (this.#endLeft === 0 || !frame.isFinal);
  }

  /** @returns how many bytes came out */
  #inflatePayload(payload: Uint8Array, filled: number): number {
    const { context } = this;
    const size = context.write(Z_NO_FLUSH, payload, this.#at, payload.length - this.#at, sharedOutput(), filled);
    this.#at = payload.length - context.inputLeft;
    if (context.inputLeft > 0 && context.hasRoom) this.#restart(filled + size);
    return size;
  }

  /**
   * §7.2.2 "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message."
   *
   * @returns how many bytes came out
   */
  #inflateEnd(filled: number): number {
    const { context } = this;
    const had = this.#endLeft;
    let size = this.#writeEnd(filled);
    // It stops behind a block also where it had all bits of it before, and only now had room for the last text of it (one
    // reference at most). Asked again, it goes on, unless the block was a final one.
    if (context.inputLeft > had) size += this.#writeEnd(filled + size);
    this.#endLeft = context.inputLeft - 1;
    if (this.#endLeft === -1) throw new Error('the message ends inside a block');
    if (this.#endLeft === had) {
      // Where a final block ended the message, as §7.2.3.4 would not have it, there is nothing to end.
      if (had === FLUSH_END_LENGTH) this.#endLeft = 0;
      this.#restart(filled + size);
    }
    // Where the octets were no block of their own, zlib holds the first bits of another one, and judges them now.
    else if (this.#endLeft === 0) context.write(Z_NO_FLUSH, FLUSH_END, 0, 0, sharedOutput(), filled + size);
    return size;
  }

  /** Writes what is left of the four octets, and the byte behind them. @returns how many bytes came out */
  #writeEnd(filled: number): number {
    const left = this.#endLeft;
    return this.context.write(Z_BLOCK, FLUSH_END, FLUSH_END_LENGTH - left, left + 1, sharedOutput(), filled);
  }

  /**
   * A final block has ended (§7.2.3.4), and with it the stream, as far as zlib is concerned. What follows begins a new
   * one, which knows the same text: nothing of it is lost.
   */
  #restart(filled: number): void {
    const tail = this.#keepTail(filled);
    this.context.reset();
    tail.feed(this.context);
    this.#restarts++;
    this.countWork(tail.length);
  }

  /** Keeps the text of the output up to there. */
  #keepTail(filled: number): PlainTextTail {
    this.#tail ??= new PlainTextTail(this.#windowBytes);
    this.#tail.push(sharedOutput(), this.#tailed, filled);
    this.#tailed = filled;
    return this.#tail;
  }

  #emit(frame: WsFrame, filled: number, size: number, isFinal: boolean): WsFrame {
    this.#judgeRatio(size, frame.payload.length - this.#at);
    // A message that ends here is referred back to only with context takeover.
    if (this.#tailed < size && (this.#contextTakeover || !isFinal)) this.#keepTail(size);
    this.#tailed = Math.max(0, this.#tailed - size);
    const piece = this.takeFrame(filled, size, isFinal, frame, this.#rsv);
    this.#rsv = 0;
    this.#meter.add(piece);
    this.#judge?.add(piece);
    return piece;
  }

  #judgeRatio(size: number, left: number): void {
    this.countWork(size);
    this.#inflatedBytes += size;
    const used = this.#compressedBytes - left;
    if (this.#inflatedBytes <= FREE_BYTES || this.#inflatedBytes <= this.#maxInflatedRatio * used) return;
    throw new ProtocolError('WS_ERR_INFLATED_RATIO', `${this.#inflatedBytes} bytes of ${used}`);
  }

  #endMessage(): void {
    this.#isInsideMessage = false;
    if (this.#contextTakeover) {
      this.restContext();
      return;
    }
    this.#tail = undefined;
    this.#tailed = 0;
    this.releaseContext();
  }
}
