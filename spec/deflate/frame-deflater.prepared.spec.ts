/** Messages that are compressed once for all. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDeflater, type FrameDeflaterOptions } from '../../lib/deflate/frame-deflater.ts';
import { FrameInflater } from '../../lib/deflate/frame-inflater.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_TEXT } from '../../lib/protocol/opcode.ts';
import { EncodedFrame } from '../../lib/stream/encoded-frame.ts';
import { evenTrade } from '../vectors/deflate.ts';

const LINE = Buffer.from('the same again and again, '.repeat(40));
const RSV1 = 4;
const plain = (payload: Uint8Array): WsFrame => new WsFrame(WS_OPCODE_TEXT, payload);
const encoded = (payload: Uint8Array, compress?: boolean): EncodedFrame =>
  new EncodedFrame(WS_OPCODE_TEXT, payload, { compress });

async function deflated(frames: readonly WsFrame[], options?: FrameDeflaterOptions): Promise<WsFrame[]> {
  const deflater = new FrameDeflater(options);
  for (const frame of frames) deflater.write(frame);
  deflater.end();
  return deflater.toArray();
}

/** The messages as an inflater with takeover reads them. */
async function inflated(frames: readonly WsFrame[], windowBits = 15): Promise<Buffer[]> {
  const inflater = new FrameInflater({ windowBits, validateUtf8: false });
  for (const frame of frames) inflater.write(frame);
  inflater.end();
  const messages: Buffer[] = [];
  let pieces: Uint8Array[] = [];
  for (const { payload, isFinal } of (await inflater.toArray()) as WsFrame[]) {
    pieces.push(payload);
    if (!isFinal) continue;
    messages.push(Buffer.concat(pieces));
    pieces = [];
  }
  return messages;
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

  it.each([1, 2, 20, 300])('may be of %i bytes', async (length) => {
    const [out] = await deflated([encoded(LINE.subarray(0, length), true)]);
    expect((await inflated([out!])).map(String)).toEqual([LINE.toString('utf8', 0, length)]);
  });

  it('goes as it is where it gets no smaller and no larger', async () => {
    const frame = encoded(evenTrade());
    expect(await deflated([frame], { thresholdBytes: 0 })).toEqual([frame]);
  });

  it('refers to nothing that its connection has sent', async () => {
    const [alone] = await deflated([encoded(LINE)]);
    const [, behind] = await deflated([plain(LINE), encoded(LINE)]);
    expect(behind!.payload).toEqual(alone!.payload);
  });

  it('is not referred to, and neither is what came before it: the inflater knows both, the deflater neither', async () => {
    const frame = encoded(LINE.subarray(0, 500));
    await deflated([frame]);
    const [first, , third] = await deflated([plain(LINE), frame, plain(LINE)]);
    expect(third!.payload).toEqual(first!.payload);
  });

  it('leaves no trace where it goes as it is', async () => {
    const bytes = randomBytes(1000);
    const frame = encoded(bytes);
    const sent = await deflated([frame, plain(bytes)]);
    expect(await inflated(sent)).toEqual([bytes, bytes]);
    // What has been found out before disturbs nobody.
    const [first, , third] = await deflated([plain(LINE), frame, plain(LINE)]);
    expect(third!.payload.length).toBeLessThan(first!.payload.length / 2);
  });

  it('keeps the reserved bits of others, and is then compressed for itself', async () => {
    const [out] = await deflated([new EncodedFrame(WS_OPCODE_TEXT, LINE, { rsv: 2 })]);
    expect([out!.rsv, out instanceof EncodedFrame]).toEqual([RSV1 | 2, false]);
  });

  it('leaves the event loop its turns', async () => {
    const deflater = new FrameDeflater();
    for (let i = 0; i < 3; i++) deflater.write(encoded(Buffer.alloc(65_536, i)));
    expect(deflater.readableLength).toBe(0);
    for (let i = 1; i <= 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(deflater.readableLength).toBe(i);
    }
    deflater.destroy();
  });

  it('is compressed for itself, like any other, where it is empty or a fragment', async () => {
    const empty = await deflated([encoded(Buffer.alloc(0), true)]);
    expect(empty.map(({ rsv, payload }) => [rsv, payload.length])).toEqual([[RSV1, 1]]);
    const large = new EncodedFrame(WS_OPCODE_BINARY, Buffer.alloc(100_000, 'x'));
    const out = await deflated([large.fragmentAt(0), large.fragmentAt(65_536)]);
    expect(out[0]?.rsv).toBe(RSV1);
    expect(out.some((frame) => frame instanceof EncodedFrame)).toBe(false);
    expect(await inflated(out)).toEqual([large.payload]);
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
        const messages = await inflated(await deflated(frames, { windowBits }), windowBits);
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
