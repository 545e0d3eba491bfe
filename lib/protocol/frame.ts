/**
 * A frame: what is piped between the stages, and what people read and write.
 *
 * @see RFC 6455 §5
 */

import { WS_CLOSE_NO_STATUS } from './close-code.ts';
import { decodeCloseCode, decodeCloseReason, encodeClosePayload } from './close-payload.ts';
import {
  isControlOpcode,
  isKnownOpcode,
  WS_OPCODE_BINARY,
  WS_OPCODE_CLOSE,
  WS_OPCODE_CONTINUATION,
  WS_OPCODE_PING,
  WS_OPCODE_PONG,
  WS_OPCODE_TEXT,
  type WsOpcode,
} from './opcode.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

/** What is taken as bytes: nothing is copied, so do not change them while they are on their way. */
export type BytesLike = Uint8Array | ArrayBuffer;

const MAX_CONTROL_PAYLOAD = 125;
const EMPTY = new Uint8Array(0);

/**
 * What is left of a fragment when a message has a copy of its payload.
 *
 * @internal it says what `drop` does not: nobody has been given the payload before
 */
export const COPIED: Uint8Array = new Uint8Array(0);

/** What a frame is, beside its opcode and its payload. */
export interface WsFrameOptions {
  /** Whether it is the last (or only) frame of its message. Default `true`. */
  readonly isFinal?: boolean | undefined;
  /** Whether it came masked. Default `false`. An encoder masks by its role, whatever is said here. */
  readonly isMasked?: boolean | undefined;
  /** The reserved bits, for extensions: 4 is RSV1, 2 is RSV2, 1 is RSV3. Default 0. */
  readonly rsv?: number | undefined;
  /**
   * What is asked of a compressing sender, in the first frame of a message: `true` compresses it, `false` leaves it
   * plain, whatever the connection's policy is. Default `undefined`: the policy decides.
   */
  readonly compress?: boolean | undefined;
}

/**
 * One frame; read from a connection, one whole message.
 *
 * The payload is a view of the bytes that came (a Buffer where Buffers came in): copy what you keep for long.
 */
export class WsFrame {
  /** One of `WS_OPCODE_*`. */
  readonly opcode: WsOpcode;
  /** The application's bytes, unmasked. */
  payload: Uint8Array;
  readonly isFinal: boolean;
  readonly isMasked: boolean;
  readonly rsv: number;
  /**
   * Bytes of the same wire frame that are still to come in the next slices; 0 unless `maxSliceBytes` of a decoder has
   * cut the frame and this is not its last slice.
   */
  readonly remainingLength: number;
  /** What the sender is asked for: to compress or not; `undefined` leaves it to the policy, and in all frames that came. */
  readonly compress: boolean | undefined;

  /**
   * @param opcode one of `WS_OPCODE_*`
   * @param payload kept, not copied
   * @throws RangeError for an unknown opcode, reserved bits beyond 0–7, or a control frame of more than 125 bytes
   * @throws TypeError for a payload that is no Uint8Array, or a control frame that is not final
   */
  constructor(opcode: WsOpcode, payload: Uint8Array, options?: WsFrameOptions | undefined) {
    if (!isKnownOpcode(opcode)) throw new RangeError(`Opcode ${String(opcode)} is not defined (RFC 6455 §5.2)`);
    if (!(payload instanceof Uint8Array)) throw new TypeError('The payload of a frame must be a Uint8Array');
    this.opcode = opcode;
    this.payload = payload;
    this.isFinal = options?.isFinal ?? true;
    this.isMasked = options?.isMasked ?? false;
    this.rsv = options?.rsv ?? 0;
    this.remainingLength = 0;
    this.compress = options?.compress;
    if (this.rsv !== 0) assertRsv(this.rsv);
    if (isControlOpcode(opcode)) assertControl(payload, this.isFinal);
  }

  /** Makes a text message. */
  static text(message: string): WsFrame {
    if (typeof message !== 'string') throw new TypeError('A text message must be a string');
    return new WsFrame(WS_OPCODE_TEXT, encodeUtf8(message));
  }

  /** Makes a binary message of the bytes, which are not copied. */
  static binary(data: BytesLike): WsFrame {
    return new WsFrame(WS_OPCODE_BINARY, toBytes(data));
  }

  /** Makes a ping. @param data at most 125 bytes; a string is sent as UTF-8 */
  static ping(data?: string | BytesLike | undefined): WsFrame {
    return new WsFrame(WS_OPCODE_PING, toControlBytes(data));
  }

  /** Makes a pong. @param data at most 125 bytes; a string is sent as UTF-8 */
  static pong(data?: string | BytesLike | undefined): WsFrame {
    return new WsFrame(WS_OPCODE_PONG, toControlBytes(data));
  }

  /**
   * Makes a close frame.
   *
   * @param code 1000–1003, 1007–1014 or 3000–4999; none for an empty body
   * @param reason at most 123 bytes of UTF-8
   * @throws RangeError, TypeError where they may not be sent
   */
  static close(code?: number | undefined, reason?: string | undefined): WsFrame {
    return new WsFrame(WS_OPCODE_CLOSE, encodeClosePayload(code, reason));
  }

  /** The size of the payload in bytes. */
  get payloadLength(): number {
    return this.payload.length;
  }

  isControl(): boolean {
    return isControlOpcode(this.opcode);
  }

  isContinuation(): boolean {
    return this.opcode === WS_OPCODE_CONTINUATION;
  }

  isText(): boolean {
    return this.opcode === WS_OPCODE_TEXT;
  }

  isBinary(): boolean {
    return this.opcode === WS_OPCODE_BINARY;
  }

  isClose(): boolean {
    return this.opcode === WS_OPCODE_CLOSE;
  }

  isPing(): boolean {
    return this.opcode === WS_OPCODE_PING;
  }

  isPong(): boolean {
    return this.opcode === WS_OPCODE_PONG;
  }

  /** Decodes the payload as UTF-8: `''` when it is empty. */
  payloadText(): string {
    return decodeUtf8(this.payload);
  }

  /** The code of a close frame; `WS_CLOSE_NO_STATUS` (1005) when it is no close frame or has no code. */
  closeCode(): number {
    return this.isClose() ? decodeCloseCode(this.payload) : WS_CLOSE_NO_STATUS;
  }

  /** The reason of a close frame; `''` when it is no close frame or has none. It is the peer's text: do not trust it. */
  closeReason(): string {
    return this.isClose() ? decodeCloseReason(this.payload) : '';
  }

  /** Lets go of the payload, which is empty from then on. */
  drop(): void {
    this.payload = EMPTY;
  }

  [Symbol.dispose](): void {
    this.drop();
  }
}

/**
 * Makes a frame that a machine of ours has judged already, without judging it again.
 *
 * @internal
 */
export function createFrame(
  opcode: number,
  payload: Uint8Array,
  isFinal: boolean,
  isMasked: boolean,
  rsv: number,
  remainingLength: number,
  compress?: boolean | undefined,
): WsFrame {
  const frame = new WsFrame(opcode as WsOpcode, payload) as { -readonly [K in keyof WsFrame]: WsFrame[K] };
  frame.isFinal = isFinal;
  frame.isMasked = isMasked;
  frame.rsv = rsv;
  frame.remainingLength = remainingLength;
  frame.compress = compress;
  return frame as WsFrame;
}

/**
 * Takes bytes of any of the usual shapes as a Uint8Array over the same memory.
 *
 * @throws TypeError for anything else: a number would otherwise become that many bytes of memory
 */
export function toBytes(data: BytesLike): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) {
    const view = data as ArrayBufferView;
    return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  }
  throw new TypeError('Binary data must be a Uint8Array or an ArrayBuffer');
}

/** Takes the data of a ping or a pong. @throws TypeError for what is neither a string nor bytes */
function toControlBytes(data: string | BytesLike | undefined): Uint8Array {
  if (data === undefined) return EMPTY;
  return typeof data === 'string' ? encodeUtf8(data) : toBytes(data);
}

function assertControl(payload: Uint8Array, isFinal: boolean): void {
  if (payload.length > MAX_CONTROL_PAYLOAD) {
    throw new RangeError(
      `A control frame holds at most ${MAX_CONTROL_PAYLOAD} bytes, not ${payload.length} (RFC 6455 §5.5)`,
    );
  }
  if (!isFinal) throw new TypeError('A control frame cannot be fragmented (RFC 6455 §5.5)');
}

function assertRsv(rsv: number): void {
  if (!Number.isInteger(rsv) || rsv < 0 || rsv > 7) throw new RangeError('The reserved bits are a number from 0 to 7');
}
