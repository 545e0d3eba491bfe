/**
 * What a frame's header may say, judged before a byte of its payload is kept. Each rule stands under the sentence of
 * the RFC that makes it one.
 *
 * @see RFC 6455 §5.1–§5.5
 */
import { ProtocolError } from '../errors.ts';
import { isMinimalLength } from './header.ts';
import { isControlOpcode, isKnownOpcode, WS_OPCODE_CONTINUATION } from './opcode.ts';

/** Our end of the connection. */
export type WsRole = 'client' | 'server';

const MAX_CONTROL_PAYLOAD = 125;

/** @throws TypeError for anything but the two roles: with a third, no rule of masking would hold */
export function assertRole(role: WsRole): void {
  if (role !== 'client' && role !== 'server') throw new TypeError("The role must be 'client' or 'server'");
}

/** What the first two bytes of a header are judged by. */
export interface HeaderContext {
  /** Our role. */
  readonly role: WsRole;
  /** The reserved bits that extensions have claimed for data frames: 4 is RSV1, 2 is RSV2, 1 is RSV3. */
  readonly allowedRsv: number;
  /** Whether a message has begun and not ended. */
  readonly isInsideMessage: boolean;
}

/**
 * Judges the two bytes with which every header begins.
 *
 * @throws ProtocolError
 */
export function assertHeaderStart(firstByte: number, secondByte: number, context: HeaderContext): void {
  const opcode = firstByte & 0x0f;
  const rsv = (firstByte >>> 4) & 0x07;
  const isControl = isControlOpcode(opcode);

  // §5.2 "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values."
  if (rsv !== 0 && (rsv & ~(isControl ? 0 : context.allowedRsv)) !== 0) {
    throw new ProtocolError('WS_ERR_RESERVED_BITS', `RSV ${rsv.toString(2).padStart(3, '0')}`);
  }
  // §5.2 "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_."
  if (!isKnownOpcode(opcode)) throw new ProtocolError('WS_ERR_RESERVED_OPCODE', `opcode ${opcode}`);
  if (isControl) assertControlStart(firstByte, secondByte);
  else assertSequence(opcode, context.isInsideMessage);
  assertMaskBit((secondByte & 0x80) !== 0, context.role);
}

function assertControlStart(firstByte: number, secondByte: number): void {
  // §5.5 "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
  if ((firstByte & 0x80) === 0) throw new ProtocolError('WS_ERR_FRAGMENTED_CONTROL');
  if ((secondByte & 0x7f) > MAX_CONTROL_PAYLOAD) throw new ProtocolError('WS_ERR_LONG_CONTROL');
}

function assertSequence(opcode: number, isInsideMessage: boolean): void {
  // §5.4 "The fragments of one message MUST NOT be interleaved between the fragments of another message".
  if (isInsideMessage) {
    if (opcode !== WS_OPCODE_CONTINUATION) throw new ProtocolError('WS_ERR_INTERLEAVED_MESSAGE');
  } else if (opcode === WS_OPCODE_CONTINUATION) {
    throw new ProtocolError('WS_ERR_STRAY_CONTINUATION');
  }
}

function assertMaskBit(isMasked: boolean, role: WsRole): void {
  // §5.1 "The server MUST close the connection upon receiving a frame that is not masked."
  if (role === 'server' && !isMasked) throw new ProtocolError('WS_ERR_UNMASKED');
  // §5.1 "A client MUST close a connection if it detects a masked frame."
  if (role === 'client' && isMasked) throw new ProtocolError('WS_ERR_MASKED');
}

/** What a payload length is judged by. */
export interface LengthLimits {
  /** Bytes, inclusive. */
  readonly maxFrameBytes: number;
  /** Whether lengths in more bytes than needed are taken. */
  readonly allowNonMinimalLengths: boolean;
}

/**
 * Checks a limit of the caller's.
 *
 * @param min the smallest that makes sense, in bytes
 * @throws RangeError for anything but a whole number from `min` on, or `Infinity`
 */
export function byteLimit(name: string, value: number, min: number): number {
  if (value >= min && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY)) return value;
  throw new RangeError(`${name} must be a whole number from ${min} on, or Infinity, not ${String(value)}`);
}

/**
 * Judges the length in a header.
 *
 * @param payloadLength as `decodePayloadLength` gives it
 * @throws ProtocolError
 */
export function assertPayloadLength(secondByte: number, payloadLength: number, limits: LengthLimits): void {
  // §5.2 "the most significant bit MUST be 0"
  if (payloadLength < 0) throw new ProtocolError('WS_ERR_LENGTH_MSB');
  // §5.2 "in all cases, the minimal number of bytes MUST be used to encode the length"
  if (!limits.allowNonMinimalLengths && !isMinimalLength(secondByte, payloadLength)) {
    throw new ProtocolError('WS_ERR_NON_MINIMAL_LENGTH', `${payloadLength} bytes`);
  }
  // §10.4 "Implementations that have implementation- and/or platform-specific limitations regarding the frame size …
  // MUST protect themselves against exceeding those limits." 2^53 is the end of what a number can count.
  if (payloadLength > limits.maxFrameBytes || payloadLength > Number.MAX_SAFE_INTEGER) {
    throw new ProtocolError('WS_ERR_FRAME_TOO_LARGE', `${payloadLength} bytes`);
  }
}
