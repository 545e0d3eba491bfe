/** Deflater and inflater together: what goes in comes out, whatever happens to the contexts meanwhile. */
import { finished } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeflatePool } from '../../lib/deflate/deflate-pool.ts';
import { FrameDeflater } from '../../lib/deflate/frame-deflater.ts';
import { FrameInflater } from '../../lib/deflate/frame-inflater.ts';
import { createFrame, WsFrame } from '../../lib/protocol/frame.ts';
import { cutAt } from '../vectors/any-frame.ts';
import { dataOf, messagesOf, noise, prose, put, ZlibPeer } from '../vectors/deflate.ts';

const anySettings = fc.record({
  windowBits: fc.integer({ min: 8, max: 15 }),
  smallWindowBits: fc.integer({ min: 8, max: 15 }),
  contextTakeover: fc.boolean(),
  level: fc.integer({ min: -1, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  thresholdBytes: fc.constantFrom(0, 100),
});

const anyPayload = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 50 })).map(([size, seed]) => prose(size, seed)),
  fc
    .tuple(fc.integer({ min: 1, max: 70_000 }), fc.integer({ min: 1, max: 9 }))
    .map(([size, seed]) => noise(size, seed)),
  fc.integer({ min: 1, max: 200_000 }).map((size) => Buffer.alloc(size)),
);

/** A message in fragments, with a ping between, and what happens to the pool behind each frame. */
const anyMessage = fc.record({
  payload: anyPayload,
  cuts: fc.array(fc.nat({ max: 70_000 }), { maxLength: 3 }),
  compress: fc.constantFrom(true, true, false, undefined),
  ping: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
  accident: fc.constantFrom('none', 'none', 'rest', 'steal'),
});

function framesOf({
  payload,
  cuts,
  compress,
  ping,
}: {
  payload: Buffer;
  cuts: number[];
  compress: boolean | undefined;
  ping: string | undefined;
}): WsFrame[] {
  const pieces = cutAt(payload, cuts);
  const frames = pieces.map(
    (piece, i) => new WsFrame(i === 0 ? 2 : 0, piece, { isFinal: i === pieces.length - 1, compress }),
  );
  if (ping !== undefined) frames.splice(1, 0, WsFrame.ping(ping));
  return frames;
}

/** Cuts the frames of a message anew, as an intermediary may (§5.4). */
function recut(frame: WsFrame, cuts: readonly number[]): WsFrame[] {
  if (frame.isControl()) return [frame];
  const pieces = cutAt(frame.payload, cuts);
  return pieces.map((piece, i) => {
    const isFinal = frame.isFinal && i === pieces.length - 1;
    return createFrame(i === 0 ? frame.opcode : 0, piece, isFinal, true, i === 0 ? frame.rsv : 0, 0);
  });
}

describe('inflating what was deflated', () => {
  it('is the identity, for any settings, messages, fragments, budgets, thefts and rests (RFC 7692 §7.2.2)', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySettings,
        fc.array(anyMessage, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(0, 300_000, undefined),
        fc.array(fc.nat({ max: 5000 }), { maxLength: 4 }),
        async (settings, messages, maxBytes, cuts) => {
          const pool = new DeflatePool({ maxBytes });
          const deflater = new FrameDeflater({ ...settings, pool });
          const inflater = new FrameInflater({ ...settings, pool });
          const thieves = [new FrameDeflater({ ...settings, pool }), new FrameInflater({ ...settings, pool })];
          const out: WsFrame[] = [];
          deflater.on('data', (frame: WsFrame) => {
            for (const piece of recut(frame, cuts)) inflater.write(piece);
          });
          deflater.on('end', () => inflater.end());
          inflater.on('data', (frame: WsFrame) => out.push(frame));
          // Between fragments, too: the inflater's context is in use there, the deflater's is not.
          const frames = messages.flatMap((message) =>
            framesOf(message).map((frame) => ({ frame, accident: message.accident })),
          );
          for (const { frame, accident } of frames) {
            await new Promise<void>((resolve, reject) =>
              deflater.write(frame, (error) => (error ? reject(error) : resolve())),
            );
            if (accident === 'rest') for (let i = 0; i < 2; i++) pool.look();
            if (accident === 'steal') {
              thieves[0]!.write(new WsFrame(2, prose(300), { compress: true }));
              thieves[1]!.write(createFrame(2, Buffer.from('f248cdc9c90700', 'hex'), true, true, 4, 0));
              for (const thief of thieves) thief.read();
            }
          }
          deflater.end();
          await finished(inflater);
          expect(messagesOf(out)).toEqual(messagesOf(frames.map(({ frame }) => frame)));
          for (const stage of [deflater, inflater, ...thieves]) stage.destroy();
          expect(pool.bytes).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('by another implementation is, too, in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySettings,
        fc.array(anyPayload, { minLength: 1, maxLength: 4 }),
        async (settings, payloads) => {
          const { windowBits, level, memLevel } = settings;
          const own = { ...settings, contextTakeover: true };
          // zlib itself turns 8 into 9 for a raw compressor, but inflates with 8.
          using peer = new ZlibPeer({ windowBits, level, memLevel });
          const sent = payloads.map((payload) => new WsFrame(2, payload, { compress: true }));
          const { frames } = await put(new FrameDeflater(own), sent);
          for (const payload of payloads) {
            const end = frames.findIndex(({ isFinal }) => isFinal);
            const packed = Buffer.concat(frames.splice(0, end + 1).map((frame) => frame.payload));
            expect((await peer.inflate(packed)).equals(payload)).toBe(true);
          }
          const received: WsFrame[] = [];
          for (const payload of payloads) {
            const packed = payload.length === 0 ? Buffer.from([0]) : await peer.compress(payload);
            received.push(createFrame(2, packed, true, true, 4, 0));
          }
          const { frames: inflated, error } = await put(new FrameInflater(own), received);
          expect(error).toBeUndefined();
          expect(dataOf(inflated)).toEqual(payloads.map((payload) => [2, payload.toString('latin1')]));
        },
      ),
      { numRuns: 60 },
    );
  });
});
