/** Frames of any kind, and ways to hand their bytes over, for properties. */
import fc from 'fast-check';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { FrameParser } from '../../lib/protocol/frame-parser.ts';
import type { FrameParserOptions } from '../../lib/protocol/frame-parser-options.ts';
import { serializeFrame } from '../../lib/protocol/frame-serializer.ts';
import type { WsRole } from '../../lib/protocol/header-rules.ts';
import { encodeUtf8 } from '../../lib/protocol/utf8.ts';
import { anyText } from './any-text.ts';

/** What of a frame must survive the road. */
export interface PlainFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: string;
}

export const plain = ({ opcode, isFinal, payload }: WsFrame): PlainFrame => ({
  opcode,
  isFinal,
  payload: Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('hex'),
});

const anyRole: fc.Arbitrary<WsRole> = fc.constantFrom<WsRole>('client', 'server');
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint8Array({ minLength: 120, maxLength: 140 }),
  fc.integer({ min: 4000, max: 9000 }).map((length) => new Uint8Array(length).fill(0xa5)),
);
const anyControl = fc
  .tuple(fc.constantFrom<9 | 10>(9, 10), fc.uint8Array({ maxLength: 125 }))
  .map(([opcode, payload]) => new WsFrame(opcode, payload));

/** One message, cut anywhere into fragments, also inside a character; control frames may stand between them. */
const anyMessage: fc.Arbitrary<WsFrame[]> = fc
  .record({
    data: fc.oneof(
      anyText(80).map((text) => ({ opcode: 1 as const, bytes: encodeUtf8(text) })),
      anyBytes.map((bytes) => ({ opcode: 2 as const, bytes })),
    ),
    cuts: fc.array(fc.nat({ max: 9000 }), { maxLength: 3 }),
    controls: fc.array(fc.option(anyControl, { nil: undefined }), { minLength: 4, maxLength: 4 }),
  })
  .map(({ data, cuts, controls }) => {
    const pieces = cutAt(data.bytes, cuts);
    return pieces.flatMap((piece, i) => {
      const isFinal = i === pieces.length - 1;
      const frame = new WsFrame(i === 0 ? data.opcode : 0, piece, { isFinal });
      const control = controls[i];
      return control === undefined ? [frame] : [frame, control];
    });
  });

/** Whole messages and control frames, as `sender` may send them. */
export const anyConversation: fc.Arbitrary<{ sender: WsRole; frames: WsFrame[] }> = fc.record({
  sender: anyRole,
  frames: fc.array(anyMessage, { minLength: 1, maxLength: 4 }).map((messages) => messages.flat()),
});

/** Places to cut at, wherever they fall. */
export const anyCuts: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 12_000 }), { maxLength: 12 });

/** Cuts bytes at the given places; the pieces are views. */
export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

/** The bytes of frames, behind each other. */
export function encodeAll(frames: readonly WsFrame[], role: WsRole): Uint8Array {
  return new Uint8Array(Buffer.concat(frames.map((frame) => serializeFrame(frame, { role }))));
}

/** The role that receives what the other sends. */
export const otherRole = (role: WsRole): WsRole => (role === 'client' ? 'server' : 'client');

/** Runs chunks through a parser of its own, to the end or to the violation. */
export function parseAll(
  chunks: readonly Uint8Array[],
  options: FrameParserOptions,
): { frames: WsFrame[]; error: unknown; parser: FrameParser } {
  const parser = new FrameParser(options);
  const frames: WsFrame[] = [];
  try {
    for (const chunk of chunks) {
      parser.push(chunk);
      for (let frame = parser.next(); frame !== null; frame = parser.next()) frames.push(frame);
    }
  } catch (error) {
    return { frames, error, parser };
  }
  return { frames, error: undefined, parser };
}

/** The bytes one by one, each in memory of its own. */
export const oneByOne = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));
