/**
 * Frames → bytes, into buffers of the caller's: `start` takes a frame, `fill` writes as much of it as there is room
 * for, again and again until `isDone`. So a frame of any size passes through one small buffer, the caller's payload is
 * never changed (masking happens on the copy), and many frames can be put behind each other in one buffer.
 *
 * @see RFC 6455 §5.1–§5.3, §6.1
 */
import type { WsFrame } from './frame.ts';
import { encodeHeader, headerLengthFor, MAX_HEADER_LENGTH } from './header.ts';
import { assertRole, type WsRole } from './header-rules.ts';
import { maskInto, rotateMaskingKey } from './mask.ts';
import { createMaskingKey } from './masking-key.ts';

/** Who a {@link FrameSerializer} writes for. */
export interface FrameSerializerOptions {
  /** Our role: a client masks (§5.1 "a client MUST mask all frames that it sends"), a server does not. */
  readonly role: WsRole;
  /** Gives a fresh, unpredictable masking key for each frame. Default {@link createMaskingKey}; for tests. */
  readonly createMaskingKey?: (() => number) | undefined;
}

const NO_BYTES = new Uint8Array(0);

/** Frames to bytes: header and payload, masked where a client writes. */
export class FrameSerializer {
  readonly #createKey: (() => number) | undefined;
  #payload: Uint8Array = NO_BYTES;
  /** The length that the header says, whatever becomes of the frame or its buffer meanwhile. */
  #length = 0;
  #position = 0;
  #key = 0;
  #frame: WsFrame | undefined;
  #isDone = true;

  /** @throws TypeError for a role that is none */
  constructor(options: FrameSerializerOptions) {
    assertRole(options.role);
    this.#createKey = options.role === 'client' ? (options.createMaskingKey ?? createMaskingKey) : undefined;
  }

  /** Whether the last frame is written whole. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Bytes of payload that are not written yet. */
  get pendingLength(): number {
    return this.#length - this.#position;
  }

  /**
   * Takes a frame to write.
   *
   * @throws TypeError when the last one is not done
   */
  start(frame: WsFrame): void {
    if (!this.#isDone) throw new TypeError('The last frame is not written whole: call fill() until it is done');
    this.#frame = frame;
    this.#payload = frame.payload;
    this.#length = frame.payload.length;
    this.#position = 0;
    this.#isDone = false;
  }

  /**
   * Writes on into `target[at, end)`; nothing where all is done.
   *
   * @param target with room for at least 14 bytes where a frame begins, else nothing is written; not the payload's memory
   * @returns the position behind what was written
   * @throws TypeError when the payload's memory was taken away (transferred, resized) while it was on its way
   */
  fill(target: Uint8Array, at: number, end: number): number {
    let position = at;
    if (this.#frame !== undefined) {
      if (end - at < MAX_HEADER_LENGTH) return at;
      position = this.#writeHeader(this.#frame, target, at);
    }
    const payload = this.#payload;
    const length = this.#length;
    if (payload.length !== length)
      throw new TypeError('The payload of a frame was detached or resized while it was on its way');
    const from = this.#position;
    const size = Math.min(length - from, end - position);
    if (size > 0) {
      maskInto(target, position, payload, from, from + size, rotateMaskingKey(this.#key, from));
      this.#position = from + size;
    }
    if (this.#position === length) this.#finish();
    return position + size;
  }

  #finish(): void {
    this.#isDone = true;
    this.#payload = NO_BYTES;
    this.#length = 0;
    this.#position = 0;
  }

  #writeHeader(frame: WsFrame, target: Uint8Array, at: number): number {
    this.#frame = undefined;
    const key = this.#createKey?.();
    this.#key = key ?? 0;
    return encodeHeader(target, at, frame.opcode, frame.isFinal, frame.rsv, this.#length, key);
  }
}

/**
 * Writes one frame as bytes of its own.
 *
 * @returns header and payload in a new Uint8Array
 */
export function serializeFrame(frame: WsFrame, options: FrameSerializerOptions): Uint8Array {
  const size = headerLengthFor(frame.payload.length, options.role === 'client') + frame.payload.length;
  const serializer = new FrameSerializer(options);
  // The room that `fill` asks for before a header may be more than a small frame needs.
  const bytes = new Uint8Array(Math.max(size, MAX_HEADER_LENGTH));
  serializer.start(frame);
  serializer.fill(bytes, 0, bytes.length);
  return bytes.subarray(0, size);
}
