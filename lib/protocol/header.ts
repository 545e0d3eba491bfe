/**
 * The frame header, bytes ⇄ numbers. Nothing is judged here (see header-rules.ts).
 *
 * ```
 *  byte 0             byte 1             then
 *  F R R R opcode     M length           length 126: 2 bytes of length, big-endian
 *  1 111   4 bits     1 7 bits           length 127: 8 bytes of length, big-endian
 *                                        M set: 4 bytes of masking key
 * ```
 *
 * @see RFC 6455 §5.2
 */

/** The longest header: 2 bytes, 8 of length, 4 of masking key. */
export const MAX_HEADER_LENGTH = 14;

const LENGTH_16 = 126;
const LENGTH_64 = 127;
/** The first length that 16 bits cannot say. */
const LENGTH_16_END = 0x1_0000;
const TWO_32 = 0x1_0000_0000;

/** Tells how many bytes the whole header has, from its second byte: 2 to 14. */
export function headerLength(secondByte: number): number {
  const lengthCode = secondByte & 0x7f;
  const extended = lengthCode < LENGTH_16 ? 0 : lengthCode === LENGTH_16 ? 2 : 8;
  return 2 + extended + ((secondByte & 0x80) === 0 ? 0 : 4);
}

/** The length of the header that a frame needs on the wire: 2 to 14 bytes. */
export function headerLengthFor(payloadLength: number, isMasked: boolean): number {
  const extended = payloadLength < LENGTH_16 ? 0 : payloadLength < LENGTH_16_END ? 2 : 8;
  return 2 + extended + (isMasked ? 4 : 0);
}

/**
 * Reads the payload length of the header that begins at `at`.
 *
 * @returns bytes; `-1` when the most significant bit of a 64-bit length is set; a number beyond
 * `Number.MAX_SAFE_INTEGER` is not exact, only too large
 */
export function decodePayloadLength(bytes: Uint8Array, at: number): number {
  const lengthCode = bytes[at + 1]! & 0x7f;
  if (lengthCode < LENGTH_16) return lengthCode;
  if (lengthCode === LENGTH_16) return (bytes[at + 2]! << 8) | bytes[at + 3]!;
  if ((bytes[at + 2]! & 0x80) !== 0) return -1;
  return decodeUint32(bytes, at + 2) * TWO_32 + decodeUint32(bytes, at + 6);
}

/** Tells whether the length of the header at `at` could have been said in fewer bytes. */
export function isMinimalLength(secondByte: number, payloadLength: number): boolean {
  const lengthCode = secondByte & 0x7f;
  if (lengthCode === LENGTH_16) return payloadLength >= LENGTH_16;
  return lengthCode !== LENGTH_64 || payloadLength >= LENGTH_16_END;
}

/** Reads four bytes as a masking key: a 32-bit word whose lowest byte masks the first byte of the payload. */
export function decodeMaskingKey(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/**
 * Writes a header at `at` (`target` must have room for it, at most 14 bytes).
 *
 * @param maskingKey the word that {@link decodeMaskingKey} reads; `undefined` for an unmasked frame
 * @returns the position behind the header
 */
export function encodeHeader(
  target: Uint8Array,
  at: number,
  opcode: number,
  isFinal: boolean,
  rsv: number,
  payloadLength: number,
  maskingKey: number | undefined,
): number {
  const maskBit = maskingKey === undefined ? 0 : 0x80;
  target[at] = (isFinal ? 0x80 : 0) | (rsv << 4) | opcode;
  let position = at + 2;
  if (payloadLength < LENGTH_16) {
    target[at + 1] = maskBit | payloadLength;
  } else if (payloadLength < LENGTH_16_END) {
    target[at + 1] = maskBit | LENGTH_16;
    target[position++] = payloadLength >>> 8;
    target[position++] = payloadLength & 0xff;
  } else {
    target[at + 1] = maskBit | LENGTH_64;
    position = encodeUint32(target, position, Math.floor(payloadLength / TWO_32));
    position = encodeUint32(target, position, payloadLength >>> 0);
  }
  if (maskingKey === undefined) return position;
  target[position] = maskingKey & 0xff;
  target[position + 1] = (maskingKey >>> 8) & 0xff;
  target[position + 2] = (maskingKey >>> 16) & 0xff;
  target[position + 3] = maskingKey >>> 24;
  return position + 4;
}

function decodeUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function encodeUint32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = (value >>> 16) & 0xff;
  target[at + 2] = (value >>> 8) & 0xff;
  target[at + 3] = value & 0xff;
  return at + 4;
}
