/**
 * Bytes → frames: a machine of two states, header and payload.
 *
 * It is pulled: `push` hands over a chunk, `next` gives frame after frame until the chunk is used up. So whoever pulls
 * decides how many frames exist at a time. A frame inside one chunk is a view of it; one that spans chunks is copied
 * once; a frame above `maxSliceBytes` passes on in slices while it is still arriving (RFC 6455 §5.4 lets an
 * intermediary re-fragment). A declared length reserves nothing here, but a few KiB, before a quarter of it has come.
 *
 * A header is judged before its payload, text at each of its bytes. Nothing is parsed after a violation (§7.1.7), nor
 * after a close frame, the last that a peer may send (§5.5.1): what follows it all the same is discarded (§1.4).
 *
 * @see RFC 6455 §5.2–§5.5, §6.2, §8.1
 */
import { ProtocolError } from '../errors.ts';
import { assertClosePayload } from './close-payload.ts';
import { createFrame, type WsFrame } from './frame.ts';
import type { FrameParserOptions } from './frame-parser-options.ts';
import { decodeMaskingKey, decodePayloadLength, headerLength, MAX_HEADER_LENGTH } from './header.ts';
import { assertHeaderStart, assertPayloadLength, assertRole, byteLimit, type WsRole } from './header-rules.ts';
import { mask, maskInto, rotateMaskingKey } from './mask.ts';
import { isControlOpcode, WS_OPCODE_CLOSE, WS_OPCODE_CONTINUATION, WS_OPCODE_TEXT } from './opcode.ts';
import { type Allocate, allocateBytes, PayloadCollector } from './payload-collector.ts';
import { WS_RECV_BUFFER } from './sizes.ts';
import { assertUtf8 } from './text-judge.ts';
import { type IsUtf8, Utf8Validator } from './utf8.ts';

const NO_BYTES = new Uint8Array(0);
const RSV1 = 4;

/** Bytes to frames: a machine of two states, header and payload, that is fed chunks cut anywhere. */
export class FrameParser {
  readonly role: WsRole;
  readonly maxFrameBytes: number;
  readonly allowNonMinimalLengths: boolean;
  readonly allowedRsv: number;
  readonly #maxSliceBytes: number;
  readonly #validateUtf8: boolean;
  readonly #copiesChunks: boolean;
  readonly #allocate: Allocate;
  readonly #isUtf8: IsUtf8 | undefined;

  #chunk: Uint8Array = NO_BYTES;
  #position = 0;
  /** Whether a violation or a close frame has ended the parsing. */
  #isOver = false;
  // The header, where it spans chunks.
  #header: Uint8Array | undefined;
  #headerFilled = 0;
  // The frame whose payload is being read.
  #isInPayload = false;
  #opcode = 0;
  #isControl = false;
  #isSliced = false;
  #isFinal = false;
  #rsv = 0;
  #isMasked = false;
  #key = 0;
  #length = 0;
  #remaining = 0;
  #gathered: Uint8Array | undefined;
  #collector: PayloadCollector | undefined;
  // The message to which it belongs.
  #isInsideMessage = false;
  #checksText = false;
  #utf8: Utf8Validator | undefined;

  /** @throws TypeError for a role that is none, RangeError for a limit that is no whole number or too small */
  constructor(options: FrameParserOptions) {
    assertRole(options.role);
    this.role = options.role;
    this.maxFrameBytes = byteLimit('maxFrameBytes', options.maxFrameBytes ?? Number.POSITIVE_INFINITY, 0);
    this.allowNonMinimalLengths = options.allowNonMinimalLengths ?? false;
    this.allowedRsv = options.allowedRsv ?? 0;
    this.#maxSliceBytes = byteLimit('maxSliceBytes', options.maxSliceBytes ?? Number.POSITIVE_INFINITY, 1);
    this.#validateUtf8 = options.validateUtf8 ?? true;
    // Only a server unmasks, so only a server would write into the caller's bytes.
    this.#copiesChunks = options.role === 'server' && options.ownsChunks !== true;
    this.#allocate = options.allocate ?? allocateBytes;
    this.#isUtf8 = options.isUtf8;
  }

  /** Whether a message has begun and not ended. */
  get isInsideMessage(): boolean {
    return this.#isInsideMessage;
  }

  /** Whether a header or a payload has begun and not ended. */
  get isInsideFrame(): boolean {
    return this.#isInPayload || this.#headerFilled > 0;
  }

  /** Whether all bytes handed over have been used. */
  get isDrained(): boolean {
    return this.#position === this.#chunk.length;
  }

  /** @internal Whether it holds a chunk, or a view of one. */
  get holdsChunks(): boolean {
    return !this.isDrained || (this.#collector !== undefined && this.#collector.length > 0);
  }

  /**
   * Hands over the next bytes. After a violation or a close frame they are ignored.
   *
   * @throws TypeError when the last chunk is not used up: pull with {@link next} until it gives `null`
   */
  push(chunk: Uint8Array): void {
    if (this.#isOver) return;
    this.#assertDrained();
    this.#chunk = this.#copiesChunks ? Uint8Array.prototype.slice.call(chunk) : chunk;
    this.#position = 0;
  }

  /**
   * Gives the next frame (or slice), `null` when more bytes are needed.
   *
   * @throws ProtocolError at the first byte that breaks a rule; from then on there is nothing but `null`
   */
  next(): WsFrame | null {
    if (this.#isOver) return this.#release();
    try {
      const isNew = !this.#isInPayload;
      if (isNew && !this.#readHeader()) return this.#release();
      return this.#readPayload(isNew) ?? this.#release();
    } catch (error) {
      this.#stop();
      throw error;
    }
  }

  /**
   * Says that no more bytes will come.
   *
   * @throws ProtocolError (`WS_ERR_TRUNCATED`) inside a frame or between the fragments of a message
   * @throws TypeError when the last chunk is not used up
   */
  end(): void {
    if (this.#isOver) return;
    this.#assertDrained();
    if (!this.isInsideFrame && !this.#isInsideMessage) return;
    this.#stop();
    throw new ProtocolError('WS_ERR_TRUNCATED', this.isInsideFrame ? 'inside a frame' : 'between fragments');
  }

  #assertDrained(): void {
    if (!this.isDrained) throw new TypeError('The last chunk is not used up: call next() until it gives null');
  }

  #stop(): void {
    this.#isOver = true;
    this.#release();
    this.#gathered = undefined;
    this.#collector = undefined;
  }

  /** Forgets the used chunk: an idle parser holds no buffer. */
  #release(): null {
    this.#chunk = NO_BYTES;
    this.#position = 0;
    return null;
  }

  /** Reads a header, from the chunk where it holds all of it, else byte by byte into a buffer of its own. */
  #readHeader(): boolean {
    const chunk = this.#chunk;
    const at = this.#position;
    const available = chunk.length - at;
    if (this.#headerFilled === 0 && available >= 2) {
      assertHeaderStart(chunk[at]!, chunk[at + 1]!, this);
      const size = headerLength(chunk[at + 1]!);
      if (available >= size) {
        this.#position = at + size;
        this.#startFrame(chunk, at, size);
        return true;
      }
    }
    return this.#gatherHeader();
  }

  #gatherHeader(): boolean {
    while (this.#position < this.#chunk.length) {
      this.#header ??= new Uint8Array(MAX_HEADER_LENGTH);
      const header = this.#header;
      header[this.#headerFilled++] = this.#chunk[this.#position++]!;
      if (this.#headerFilled === 2) assertHeaderStart(header[0]!, header[1]!, this);
      if (this.#headerFilled < 2 || this.#headerFilled < headerLength(header[1]!)) continue;
      this.#startFrame(header, 0, this.#headerFilled);
      this.#headerFilled = 0;
      this.#header = undefined;
      return true;
    }
    return false;
  }

  #startFrame(bytes: Uint8Array, at: number, size: number): void {
    const first = bytes[at]!;
    const second = bytes[at + 1]!;
    const length = decodePayloadLength(bytes, at);
    assertPayloadLength(second, length, this);
    this.#isMasked = (second & 0x80) !== 0;
    this.#key = this.#isMasked ? decodeMaskingKey(bytes, at + size - 4) : 0;
    this.#isFinal = (first & 0x80) !== 0;
    this.#rsv = (first >>> 4) & 7;
    this.#opcode = first & 0x0f;
    this.#isControl = isControlOpcode(this.#opcode);
    this.#isSliced = length > this.#maxSliceBytes && !this.#isControl;
    this.#length = length;
    this.#remaining = length;
    this.#isInPayload = true;
    if (this.#isControl) return;
    if (this.#opcode !== WS_OPCODE_CONTINUATION) {
      this.#checksText = this.#validateUtf8 && this.#opcode === WS_OPCODE_TEXT && (this.#rsv & RSV1) === 0;
      this.#utf8?.reset();
    }
    this.#isInsideMessage = true;
  }

  /** Reads what the chunk has of the payload. @param isNew whether the header has just been read */
  #readPayload(isNew: boolean): WsFrame | null {
    const available = this.#chunk.length - this.#position;
    const size = Math.min(available, this.#remaining);
    if (size === this.#length && !this.#isSliced) return this.#emit(this.#takePiece(size));
    // The first slice announces the size of the frame, so that it can be refused before a byte of it has come.
    if (available === 0 && !(isNew && this.#isSliced)) return null;
    return this.#isSliced ? this.#emit(this.#takePiece(Math.min(size, this.#maxSliceBytes))) : this.#gather(size);
  }

  /**
   * Takes the next bytes of the payload out of the chunk: unmasked, and judged where they are text.
   *
   * @param room where they are copied to, at their place in the payload; else they stay where they are
   */
  #takePiece(size: number, room?: Uint8Array): Uint8Array {
    const start = this.#position;
    const end = start + size;
    const at = this.#length - this.#remaining;
    const key = rotateMaskingKey(this.#key, at);
    if (room === undefined) mask(this.#chunk, start, end, key);
    else maskInto(room, at, this.#chunk, start, end, key);
    this.#position = end;
    this.#remaining -= size;
    const piece = room === undefined ? this.#chunk.subarray(start, end) : room.subarray(at, at + size);
    if (this.#checksText && !this.#isControl) {
      this.#utf8 ??= new Utf8Validator(this.#isUtf8);
      assertUtf8(this.#utf8, piece, this.#remaining === 0 && this.#isFinal);
    }
    return piece;
  }

  /** Keeps a piece of a payload that spans chunks; gives the frame when it is the last one. */
  #gather(size: number): WsFrame | null {
    const isLast = this.#remaining === size;
    // Where a quarter of it is there, the rest is worth its memory: then all is copied only once.
    const isWorthRoom = this.#length <= WS_RECV_BUFFER || size * 4 >= this.#length;
    if (this.#remaining === this.#length && isWorthRoom) this.#gathered = this.#allocate(this.#length);
    const piece = this.#takePiece(size, this.#gathered);
    if (this.#gathered === undefined) {
      if (isLast) return this.#emit(this.#collector!.take(piece));
      (this.#collector ??= new PayloadCollector(this.#allocate)).push(piece, this.#remaining);
    }
    if (!isLast) return null;
    const payload = this.#gathered!;
    this.#gathered = undefined;
    return this.#emit(payload);
  }

  /** Makes the frame, or a slice of it: the first has the opcode and the reserved bits, the last has FIN (§5.4). */
  #emit(payload: Uint8Array): WsFrame {
    const isLast = this.#remaining === 0;
    const isFinal = isLast && this.#isFinal;
    const frame = createFrame(this.#opcode, payload, isFinal, this.#isMasked, this.#rsv, this.#remaining);
    if (isLast) {
      this.#isInPayload = false;
      if (this.#opcode === WS_OPCODE_CLOSE) assertClosePayload(payload);
      this.#isOver = this.#opcode === WS_OPCODE_CLOSE;
      if (isFinal && !this.#isControl) this.#isInsideMessage = false;
    } else {
      this.#opcode = WS_OPCODE_CONTINUATION;
      this.#rsv = 0;
    }
    return frame;
  }
}
