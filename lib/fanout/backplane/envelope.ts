/**
 * What a message wears on its way through a broker: who published it, as the how-manyth, and what kind it is.
 *
 * ```
 *   0        1        2                10             16
 *   | version | kind   | publisher      | sequence     | payload …
 *   | 0xb1    |        | 8 random bytes | 48 bits, BE  |
 * ```
 *
 * The low half of `kind` is the opcode, 1 text or 2 binary; 0 is no message, but tells how many there were. The high half
 * says whether it may be compressed: 0 as the connection's policy is, 1 yes, 2 no.
 *
 * What comes from a broker is judged like what comes from a peer: whoever else writes there, it hurts nobody.
 */
import { isUtf8 } from 'node:buffer';
import { WsFrame } from '../../protocol/frame.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_TEXT, type WsOpcode } from '../../protocol/opcode.ts';
import { PreparedFrame } from '../prepared-frame.ts';

/** Bytes that an envelope adds to a payload. */
export const ENVELOPE_LENGTH = 16;

const VERSION = 0xb1;
const POSITION = 0;
const COMPRESS: readonly (boolean | undefined)[] = [undefined, true, false];

/** What came in an envelope. */
export interface Envelope {
  /** 16 hexadecimal digits. */
  readonly publisher: string;
  /** Counts the publisher's messages on one channel, from 1 on; with no message, how many there were. */
  readonly sequence: number;
  /** Undefined where it only tells the position of its publisher. */
  readonly frame: PreparedFrame | undefined;
}

/** Makes the id of a publisher: nobody else has it. */
export function createPublisherId(): Buffer {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(8)));
}

/** Puts a message in its envelope, or, without one, tells how many there were. */
export function encodeEnvelope(publisher: Uint8Array, sequence: number, frame?: WsFrame | undefined): Buffer {
  const payload = frame?.payload ?? new Uint8Array();
  const bytes = Buffer.allocUnsafe(ENVELOPE_LENGTH + payload.length);
  bytes[0] = VERSION;
  bytes[1] = frame === undefined ? POSITION : frame.opcode | (COMPRESS.indexOf(frame.compress) << 4);
  bytes.set(publisher, 2);
  bytes.writeUIntBE(sequence, 10, 6);
  bytes.set(payload, ENVELOPE_LENGTH);
  return bytes;
}

/**
 * Takes a message out of its envelope.
 *
 * @returns what is wrong, as a string, where it is none of ours
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope | string {
  if (bytes.length < ENVELOPE_LENGTH) return `${bytes.length} bytes are too few`;
  if (bytes[0] !== VERSION) return `version 0x${bytes[0]!.toString(16)} is not known`;
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, ENVELOPE_LENGTH);
  const kind = head[1]!;
  const publisher = head.toString('hex', 2, 10);
  const sequence = head.readUIntBE(10, 6);
  if (kind === POSITION) return { publisher, sequence, frame: undefined };
  const [opcode, compress] = [kind & 0x0f, kind >> 4];
  const payload = bytes.subarray(ENVELOPE_LENGTH);
  if ((opcode !== WS_OPCODE_TEXT && opcode !== WS_OPCODE_BINARY) || compress >= COMPRESS.length) {
    return `kind 0x${kind.toString(16)} is not known`;
  }
  if (sequence === 0) return 'a message cannot be the 0th';
  if (opcode === WS_OPCODE_TEXT && !isUtf8(payload)) return 'its text is not UTF-8';
  const frame = new WsFrame(opcode as WsOpcode, payload, { compress: COMPRESS[compress] });
  return { publisher, sequence, frame: new PreparedFrame(frame) };
}
