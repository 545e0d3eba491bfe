// Frames, made before they are needed.
import { Buffer } from 'node:buffer';

const KEY = [0x1f, 0x8a, 0x4d, 0xe3];

const extraLengthBytes = (bytes) => (bytes < 126 ? 0 : bytes < 65_536 ? 2 : 8);

export const plainFrameLength = (bytes) => 2 + extraLengthBytes(bytes) + bytes;
export const maskedFrameLength = (bytes) => plainFrameLength(bytes) + 4;

function encodeHeader(frame, opcode, bytes, { isMasked, isCompressed }) {
  const extra = extraLengthBytes(bytes);
  frame[0] = 0x80 | (isCompressed ? 0x40 : 0) | opcode;
  frame[1] = (isMasked ? 0x80 : 0) | (extra === 0 ? bytes : extra === 2 ? 126 : 127);
  if (extra === 2) frame.writeUInt16BE(bytes, 2);
  if (extra === 8) frame.writeBigUInt64BE(BigInt(bytes), 2);
  return 2 + extra;
}

/** A frame as a server sends it. */
export function plainFrame(opcode, payload, { isCompressed = false } = {}) {
  const frame = Buffer.allocUnsafe(plainFrameLength(payload.length));
  frame.set(payload, encodeHeader(frame, opcode, payload.length, { isMasked: false, isCompressed }));
  return frame;
}

/** A frame as a client sends it. */
export function maskedFrame(opcode, payload, { isCompressed = false } = {}) {
  const frame = Buffer.allocUnsafe(maskedFrameLength(payload.length));
  const at = encodeHeader(frame, opcode, payload.length, { isMasked: true, isCompressed });
  frame.set(KEY, at);
  for (let index = 0; index < payload.length; index++) frame[at + 4 + index] = payload[index] ^ KEY[index & 3];
  return frame;
}
