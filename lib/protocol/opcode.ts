/**
 * Opcodes: the four bits that say what a frame is. 0–2 carry data, 8–10 control the connection, the rest is reserved.
 *
 * @see RFC 6455 §5.2, §11.8
 */

/** The frame continues a fragmented message. */
export const WS_OPCODE_CONTINUATION = 0x0;
/** The frame begins (or is) a text message: UTF-8. */
export const WS_OPCODE_TEXT = 0x1;
/** The frame begins (or is) a binary message. */
export const WS_OPCODE_BINARY = 0x2;
/** The frame begins or answers the closing handshake. */
export const WS_OPCODE_CLOSE = 0x8;
/** The frame asks for a pong with the same payload. */
export const WS_OPCODE_PING = 0x9;
/** The frame answers a ping, or is an unasked sign of life. */
export const WS_OPCODE_PONG = 0xa;

/** An opcode that RFC 6455 defines. */
export type WsOpcode = 0x0 | 0x1 | 0x2 | 0x8 | 0x9 | 0xa;

/** Tells whether RFC 6455 defines the opcode. */
export function isKnownOpcode(opcode: number): opcode is WsOpcode {
  const isData = opcode === WS_OPCODE_CONTINUATION || opcode === WS_OPCODE_TEXT || opcode === WS_OPCODE_BINARY;
  return isData || opcode === WS_OPCODE_CLOSE || opcode === WS_OPCODE_PING || opcode === WS_OPCODE_PONG;
}

/** Tells whether the opcode is that of a control frame: its highest bit is set (§5.5). */
export function isControlOpcode(opcode: number): boolean {
  return (opcode & 0x8) !== 0;
}
