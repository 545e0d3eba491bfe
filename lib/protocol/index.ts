/**
 * `wspipe/protocol`: the pure machines of RFC 6455 §5–§8, without streams, sockets, timers or `node:` imports.
 */
export { ProtocolError, VIOLATIONS, type Violation, type ViolationCode, WsError } from '../errors.ts';
export * from './close-code.ts';
export { assertClosePayload, decodeCloseCode, decodeCloseReason, encodeClosePayload } from './close-payload.ts';
export * from './closing.ts';
export { type BytesLike, WsFrame, type WsFrameOptions } from './frame.ts';
export { FrameParser } from './frame-parser.ts';
export type { FrameParserOptions } from './frame-parser-options.ts';
export { FrameSerializer, type FrameSerializerOptions, serializeFrame } from './frame-serializer.ts';
export {
  decodeMaskingKey,
  decodePayloadLength,
  encodeHeader,
  headerLength,
  headerLengthFor,
  isMinimalLength,
  MAX_HEADER_LENGTH,
} from './header.ts';
export {
  assertHeaderStart,
  assertPayloadLength,
  type HeaderContext,
  type LengthLimits,
  type WsRole,
} from './header-rules.ts';
export { mask, rotateMaskingKey } from './mask.ts';
export { createMaskingKey } from './masking-key.ts';
export { isFragment, MessageAssembler, type MessageAssemblerOptions } from './message-assembler.ts';
export * from './opcode.ts';
export { type Allocate, allocateBytes, PayloadCollector } from './payload-collector.ts';
export * from './sizes.ts';
export { decodeUtf8, encodeUtf8, type IsUtf8, Utf8Validator } from './utf8.ts';
