/** Messages that are compressed once for all. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDeflater, type FrameDeflaterOptions } from '../../lib/deflate/frame-deflater.ts';
import { FrameInflater } from '../../lib/deflate/frame-inflater.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_TEXT } from '../../lib/protocol/opcode.ts';
import { EncodedFrame } from '../../lib/stream/encoded-frame.ts';

const LINE = Buffer.from('the same again and again, '.repeat(40));
const RSV1 = 4;
const encoded = (payload: Uint8Array, compress?: boolean): EncodedFrame =>
  new EncodedFrame(WS_OPCODE_TEXT, payload, { compress });

async function deflated(frames: readonly WsFrame[], options?: FrameDeflaterOptions): Promise<WsFrame[]> {
  const deflater = new FrameDeflater(options);
  for (const frame of frames) deflater.write(frame);
  deflater.end();
  return deflater.toArray();
}

describe('a message that carries its bytes', () => {
  it('is compressed once for all deflaters of the same settings, and again for others', async () => {
    const frame = encoded(LINE);
    const [one] = await deflated([frame]);
    const [other, again] = await deflated([frame, frame], { contextTakeover: false, thresholdBytes: 0 });
    expect(one).toBeInstanceOf(EncodedFrame);
    expect(one?.rsv).toBe(RSV1);
    expect(one!.payload.length).toBeLessThan(100);
    expect([other, again]).toEqual([one, one]);
    expect(other === one && again === one).toBe(true);
    for (const options of [{ windowBits: 9 }, { level: 1 }, { memLevel: 1 }]) {
      const [different] = await deflated([frame], options);
      expect(different).not.toBe(one);
      expect(different?.rsv).toBe(RSV1);
    }
  });

  it.each([
    ['is below the threshold', encoded(Buffer.from('short')), {}],
    ['asks for it', encoded(LINE, false), {}],
    ['is not picked', encoded(LINE), { shouldCompress: () => false }],
    ['would not get smaller', encoded(randomBytes(1000)), {}],
    ['has been compressed', new EncodedFrame(WS_OPCODE_TEXT, LINE, { rsv: RSV1 }), {}],
  ])('goes as it is where it %s', async (_what, frame, options) => {
    const [out] = await deflated([frame], options);
    expect(out).toBe(frame);
  });

  it('is compressed where it asks for it, though it gets larger (RFC 7692 §6)', async () => {
    const frame = encoded(randomBytes(65_536), true);
    const [out] = await deflated([frame]);
    expect(out?.rsv).toBe(RSV1);
    expect(out!.payload.length).toBeGreaterThan(65_536);
  });

  it('is compressed for itself, like any other, where it is empty or a fragment', async () => {
    const empty = await deflated([encoded(Buffer.alloc(0), true)]);
    expect(empty.map(({ rsv, payload }) => [rsv, payload.length])).toEqual([[RSV1, 1]]);
    const large = new EncodedFrame(WS_OPCODE_BINARY, Buffer.alloc(100_000, 'x'));
    const out = await deflated([large.fragmentAt(0), large.fragmentAt(65_536)]);
    expect(out[0]?.rsv).toBe(RSV1);
    expect(out.some((frame) => frame instanceof EncodedFrame)).toBe(false);
    const inflater = new FrameInflater();
    for (const frame of out) inflater.write(frame);
    inflater.end();
    const pieces = await inflater.map(({ payload }: WsFrame) => payload).toArray();
    expect(Buffer.concat(pieces)).toEqual(large.payload);
  });

  it('is not referred back to, and refers to nothing: an inflater with takeover reads all, in any mixture (RFC 7692 §7.1.1)', async () => {
    const texts = fc.constantFrom(LINE, LINE.subarray(3), Buffer.from(`${LINE}!`), randomBytes(600), Buffer.from('x'));
    const step = fc.record({
      text: texts,
      isPrepared: fc.boolean(),
      compress: fc.option(fc.boolean(), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.constantFrom(8, 9, 15), async (steps, windowBits) => {
        const frames = steps.map(({ text, isPrepared, compress }) =>
          isPrepared ? encoded(text, compress) : new WsFrame(WS_OPCODE_TEXT, text, { compress }),
        );
        // The second time, what is prepared has been compressed before, by somebody else.
        await deflated(frames, { windowBits });
        const inflater = new FrameInflater({ windowBits, validateUtf8: false });
        for (const frame of await deflated(frames, { windowBits })) inflater.write(frame);
        inflater.end();
        const messages: Buffer[] = [];
        let pieces: Uint8Array[] = [];
        for (const { payload, isFinal } of (await inflater.toArray()) as WsFrame[]) {
          pieces.push(payload);
          if (!isFinal) continue;
          messages.push(Buffer.concat(pieces));
          pieces = [];
        }
        expect(messages).toEqual(steps.map(({ text }) => Buffer.from(text)));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a message that is translated without its turn in a stream', () => {
  it('is what comes out of the stream', async () => {
    const frame = encoded(LINE);
    const [streamed] = await deflated([frame]);
    const deflater = new FrameDeflater();
    expect(deflater.translateEncoded(frame)).toBe(streamed);
    expect(deflater.translateEncoded(encoded(Buffer.from('short')))?.rsv).toBe(0);
    deflater.destroy();
  });

  it('is not where it has to be compressed for itself', () => {
    const deflater = new FrameDeflater();
    for (const payload of [Buffer.alloc(0), Buffer.alloc(65_537)]) {
      expect(deflater.translateEncoded(encoded(payload, true))).toBeUndefined();
    }
    deflater.destroy();
  });
});
