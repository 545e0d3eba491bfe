/**
 * Frames, made and read byte by byte, as slowly and as plainly as RFC 6455 §5.2 draws them, without a line of `lib/` and
 * without a test runner: scripts use this too.
 */

export type Role = 'client' | 'server';
export const ROLES: readonly Role[] = ['client', 'server'];

/** A frame as it stood on the wire, unmasked. */
export interface WireFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly isMasked: boolean;
  readonly rsv: number;
  readonly payload: Buffer;
}

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

/** Makes the bytes of a frame. */
export function naiveEncode(
  opcode: number,
  payload: Uint8Array | string,
  { isFinal = true, isMasked = false }: { isFinal?: boolean; isMasked?: boolean } = {},
): Buffer {
  const data = Buffer.from(payload as Uint8Array);
  const header = [(isFinal ? 0x80 : 0) | opcode];
  const maskBit = isMasked ? 0x80 : 0;
  if (data.length < 126) header.push(maskBit | data.length);
  else if (data.length < 65_536) header.push(maskBit | 126, data.length >> 8, data.length & 0xff);
  else {
    header.push(maskBit | 127, 0, 0, 0, 0);
    header.push(
      (data.length >>> 24) & 0xff,
      (data.length >>> 16) & 0xff,
      (data.length >>> 8) & 0xff,
      data.length & 0xff,
    );
  }
  if (!isMasked) return Buffer.concat([Buffer.from(header), data]);
  for (let i = 0; i < data.length; i++) data[i] = data[i]! ^ MASK[i % 4]!;
  return Buffer.concat([Buffer.from(header), MASK, data]);
}

/** Takes the first frame off the bytes; `undefined` where it is not whole. */
export function naiveDecode(bytes: Buffer): { frame: WireFrame; length: number } | undefined {
  if (bytes.length < 2) return undefined;
  const isMasked = (bytes[1]! & 0x80) !== 0;
  const short = bytes[1]! & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extended + (isMasked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const size = extended === 0 ? short : extended === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + size) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + size));
  if (isMasked) for (let i = 0; i < size; i++) payload[i] = payload[i]! ^ bytes[start - 4 + (i % 4)]!;
  const [first] = bytes;
  const frame = { opcode: first! & 15, isFinal: first! >= 0x80, isMasked, rsv: (first! >> 4) & 7, payload };
  return { frame, length: start + size };
}

/** The body of a close frame. */
export function closeBody(code?: number, reason = ''): Buffer {
  if (code === undefined) return Buffer.alloc(0);
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);
}
