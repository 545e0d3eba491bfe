import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeflatePool } from '../../lib/deflate/deflate-pool.ts';
import { FrameInflater, type FrameInflaterOptions } from '../../lib/deflate/frame-inflater.ts';
import { createFrame, WsFrame } from '../../lib/protocol/frame.ts';
import { compressed, dataOf, fragments, hex, messagesOf, prose, put, ZlibPeer } from '../vectors/deflate.ts';

const HELLO = 'f2 48 cd c9 c9 07 00';
const hello = compressed(HELLO);
const total = (frames: readonly WsFrame[]): number => frames.reduce((sum, { payload }) => sum + payload.length, 0);

/** Deflates so that a message of zeros is a thousandth of its size. */
const bomb = (bytes: number): Buffer => deflateRawSync(Buffer.alloc(bytes), { finishFlush: 2 }).subarray(0, -4);

describe('a violation', () => {
  it.each<[string, WsFrame[], string, number]>([
    ['a reserved block type (§7.2.2)', [compressed('ff ff')], 'WS_ERR_INVALID_DEFLATE', 1007],
    ['a length that its complement denies', [compressed('00 05 00 00 00 48')], 'WS_ERR_INVALID_DEFLATE', 1007],
    ['a distance beyond what came', [compressed('f2 00 11 00 00')], 'WS_ERR_INVALID_DEFLATE', 1007],
    ['a message that ends inside a block (§7.2.2)', [compressed('f2 48 cd c9')], 'WS_ERR_INVALID_DEFLATE', 1007],
    // Six bytes ff, 3 + 6 × 9 + 7 bits: a whole block, and not the first bit of the next one.
    [
      'a message that ends between two blocks (§7.2.2)',
      [compressed('fa ff ff ff ff ff ff 01')],
      'WS_ERR_INVALID_DEFLATE',
      1007,
    ],
    [
      'a message whose last block goes on in what stands for its end (§7.2.2)',
      [
        compressed(
          '32 30 30 30 50 ca 4b cc 4d 55 2a 29 2a 4d cd 38 bc 32 27 07 00 00 00 ff ff 04 c1 b1 0d 40 11 14 05 d0 fe 8f 71 c7 b0 cd 4b 48 48 1e 06 d0 48 b4 06 d0 a9 0d a0 11 9d fe 59 c5 08 ff 9c f8 7a cb b2 6e bd 45 b6 4c 59 b7 de 22 5b a6 3d 83 39 22 90 37',
        ),
      ],
      'WS_ERR_INVALID_DEFLATE',
      1007,
    ],
    ['a final block that goes on there (§7.2.3.4)', [compressed('01 01 00 fe ff')], 'WS_ERR_INVALID_DEFLATE', 1007],
    ['one that ends inside a stored block', [compressed('00 0a 00 f5 ff 41 42')], 'WS_ERR_INVALID_DEFLATE', 1007],
    ['one whose end was not taken away', [compressed('f2 48 05 00 00 00 ff')], 'WS_ERR_INVALID_DEFLATE', 1007],
    ['garbage behind a final block', [compressed('f3 48 cd c9 c9 07 00 ff')], 'WS_ERR_INVALID_DEFLATE', 1007],
    [
      'RSV1 on a later fragment (§6.1)',
      [compressed(HELLO, 2, false), createFrame(0, hex('00'), true, true, 4, 0)],
      'WS_ERR_COMPRESSED_CONTINUATION',
      1002,
    ],
    [
      'RSV1 on a later fragment of a plain message (§6.1)',
      [new WsFrame(2, hex('00'), { isFinal: false }), createFrame(0, hex('00'), true, true, 4, 0)],
      'WS_ERR_COMPRESSED_CONTINUATION',
      1002,
    ],
    [
      'text that is no UTF-8 (RFC 6455 §8.1)',
      [compressed(deflateRawSync(hex('c0 80'), { finishFlush: 2 }).subarray(0, -4), 1)],
      'WS_ERR_INVALID_UTF8',
      1007,
    ],
    [
      'text that ends inside a character',
      [compressed(deflateRawSync(hex('e2 82'), { finishFlush: 2 }).subarray(0, -4), 1)],
      'WS_ERR_INVALID_UTF8',
      1007,
    ],
    ['an end inside a compressed message', [compressed(HELLO, 2, false)], 'WS_ERR_TRUNCATED', 1006],
    ['an end inside a plain message', [new WsFrame(2, hex('00'), { isFinal: false })], 'WS_ERR_TRUNCATED', 1006],
  ])('%s fails, behind what came before', async (_name, frames, code, closeCode) => {
    const pool = new DeflatePool();
    const { frames: out, error } = await put(new FrameInflater({ pool, contextTakeover: false }), [hello, ...frames]);
    expect(error).toMatchObject({ name: 'ProtocolError', code, closeCode });
    expect(out[0]?.payloadText()).toBe('Hello');
    expect(pool.bytes).toBe(0);
  });

  it('behind a block that had to wait for room is found, too (§7.2.2)', async () => {
    const packed = bomb(65_541);
    // The first bits of another block, whose type is none.
    packed[packed.length - 1]! |= 0xc0;
    const { error } = await put(new FrameInflater(), [compressed(packed)]);
    expect(error).toMatchObject({ code: 'WS_ERR_INVALID_DEFLATE' });
  });

  it('tells why the data is corrupt', async () => {
    const { error } = await put(new FrameInflater(), [compressed('ff ff')]);
    expect(error).toMatchObject({ cause: { message: 'invalid block type' }, section: 'RFC 7692 §7.2.2' });
    expect((error as Error).message).toContain('invalid block type');
  });

  it('does not look at text where that is not wanted', async () => {
    const packed = deflateRawSync(hex('c0 80'), { finishFlush: 2 }).subarray(0, -4);
    const { frames, error } = await put(new FrameInflater({ validateUtf8: false }), [compressed(packed, 1)]);
    expect([total(frames), error]).toEqual([2, undefined]);
  });

  it('is found, or the message is whole, wherever a byte is changed or the message is cut', async () => {
    const text = prose(400);
    const packed = deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4);
    for (let at = 0; at < packed.length; at++) {
      const cut = await put(new FrameInflater(), [compressed(packed.subarray(0, at)), hello]);
      if (at > 0) expect(cut.error).toMatchObject({ code: 'WS_ERR_INVALID_DEFLATE' });
      const changed = Buffer.from(packed);
      changed[at]! ^= 1 << (at & 7);
      const { frames, error } = await put(new FrameInflater(), [compressed(changed), hello]);
      // A changed literal is text like any other; a changed code is seen at the latest where the message ends.
      if (error === undefined) expect(dataOf(frames).length).toBe(2);
      else expect(error).toMatchObject({ code: 'WS_ERR_INVALID_DEFLATE', closeCode: 1007 });
    }
  });

  it('never crashes on any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        async (payloads, contextTakeover) => {
          const { error } = await put(
            new FrameInflater({ contextTakeover }),
            payloads.map((payload) => compressed(payload)),
          );
          if (error !== undefined) expect(error).toMatchObject({ name: 'ProtocolError', closeCode: 1007 });
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a final block (§7.2.3.4)', () => {
  const final = (text: string): Buffer => deflateRawSync(Buffer.from(text));

  it.each<[string, Buffer[]]>([
    ['and a second stream, in one message', [Buffer.concat([final('one '), final('two '), hex('00')])]],
    [
      'and a block that goes on',
      [Buffer.concat([final('one '), deflateRawSync(Buffer.from('two '), { finishFlush: 2 }).subarray(0, -4)])],
    ],
    ['and nothing, not even the 00', [final('one two ')]],
    ['at the end of a fragment', [final('one '), Buffer.concat([final('two '), hex('00')])]],
  ])('%s: no byte is lost', async (_name, pieces) => {
    for (const contextTakeover of [true, false]) {
      const frames = pieces.map((piece, i) => compressed(piece, i === 0 ? 2 : 0, i === pieces.length - 1));
      const { frames: out, error } = await put(new FrameInflater({ contextTakeover }), [...frames, hello]);
      expect([messagesOf(out), error]).toEqual([
        [
          [2, 'one two '],
          [2, 'Hello'],
        ],
        undefined,
      ]);
    }
  });

  it('may be referred back to, in the message and, with takeover, in the next (§7.1.1)', async () => {
    // 'f2 00 11 00 00' is "H" and a reference to "ello", 5 back.
    const twice = compressed(Buffer.concat([hex('f3 48 cd c9 c9 07 00'), hex('f2 00 11 00 00')]));
    const { frames, error } = await put(new FrameInflater(), [twice, compressed('f2 00 11 00 00')]);
    expect([messagesOf(frames), error]).toEqual([
      [
        [2, 'HelloHello'],
        [2, 'Hello'],
      ],
      undefined,
    ]);
    const without = await put(new FrameInflater({ contextTakeover: false }), [twice, compressed('f2 00 11 00 00')]);
    expect(messagesOf(without.frames)).toEqual([[2, 'HelloHello']]);
    expect(without.error).toMatchObject({ code: 'WS_ERR_INVALID_DEFLATE' });
  });

  it('whose text ends just beyond a frame is referred back to without a gap or a repetition', async () => {
    for (let beyond = 0; beyond <= 4; beyond++) {
      let text = Buffer.alloc(0);
      const packed: Buffer[] = [];
      // Each part begins where the last has ended, in the middle of what repeats: it is all references.
      for (const size of [65_536 + beyond, 70, 900, 65_000, 900]) {
        const part = Buffer.concat([text.subarray(-900), prose(size, packed.length + 1)]).subarray(0, size);
        const dictionary = text.subarray(-32_768);
        packed.push(deflateRawSync(part, text.length > 0 ? { dictionary } : {}));
        text = Buffer.concat([text, part]);
      }
      for (const contextTakeover of [true, false]) {
        const inflater = new FrameInflater({ contextTakeover });
        const { frames, error } = await put(inflater, [compressed(Buffer.concat(packed))]);
        expect(error).toBeUndefined();
        expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(text)).toBe(true);
      }
    }
  });

  it('again and again is inflated a little at a time, and the event loop has its turns', async () => {
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    const inflater = new FrameInflater();
    const blocks = Buffer.concat([
      hex('f2 48 cd c9 c9 07 00 00 00 ff ff'),
      Buffer.alloc(20_000, hex('03 00')),
      hex('00'),
    ]);
    const { frames, error } = await put(inflater, [compressed(bomb(40_000)), compressed(blocks)]);
    clearInterval(counting);
    expect([dataOf(frames)[1], error]).toEqual([[2, 'Hello'], undefined]);
    expect(turns).toBeGreaterThan(1);
  });
});

describe('a bomb', () => {
  const MEGABYTES_64 = bomb(2 ** 26);

  it.each<[string, FrameInflaterOptions, string]>([
    ['maxMessageBytes', { maxMessageBytes: 1_000_000 }, 'WS_ERR_MESSAGE_TOO_LARGE'],
    ['maxInflatedRatio', { maxInflatedRatio: 100 }, 'WS_ERR_INFLATED_RATIO'],
  ])('is stopped within a slice of %s (§10.4)', async (_name, options, code) => {
    const cuts = Array.from({ length: 12 }, (_, i) => i * 5000);
    for (const frames of [[compressed(MEGABYTES_64)], fragments(MEGABYTES_64, cuts)]) {
      const { frames: out, error } = await put(new FrameInflater(options), frames);
      expect(error).toMatchObject({ code, closeCode: 1009 });
      expect(total(out)).toBeLessThanOrEqual('maxMessageBytes' in options ? 1_000_000 : 64 * 1024 + 100 * 65_536);
    }
  });

  it('through takeover is stopped, too: one message fills the window, the next is nothing but references', async () => {
    using peer = new ZlibPeer();
    const frames = [compressed(await peer.compress(prose(32_768)))];
    frames.push(compressed(await peer.compress(Buffer.concat(Array.from({ length: 100 }, () => prose(32_768))))));
    const { frames: out, error } = await put(new FrameInflater({ maxMessageBytes: 100_000 }), frames);
    expect(error).toMatchObject({ code: 'WS_ERR_MESSAGE_TOO_LARGE' });
    expect(total(out)).toBeLessThanOrEqual(32_768 + 100_000);
  });

  it('may be as large as the limits say, inclusive; the first 64 KiB are never judged by their ratio', async () => {
    const exact = await put(new FrameInflater({ maxMessageBytes: 100_000 }), [compressed(bomb(100_000))]);
    expect([total(exact.frames), exact.error]).toEqual([100_000, undefined]);
    const small = await put(new FrameInflater({ maxInflatedRatio: 1 }), [compressed(bomb(65_536))]);
    expect([total(small.frames), small.error]).toEqual([65_536, undefined]);
    // As many bytes as make the ratio a whole number.
    let length = 65_537;
    while (length % bomb(length).length > 0) length++;
    const maxInflatedRatio = length / bomb(length).length;
    const just = await put(new FrameInflater({ maxInflatedRatio }), [compressed(bomb(length))]);
    expect([total(just.frames), just.error]).toEqual([length, undefined]);
    const fair = await put(new FrameInflater({ maxInflatedRatio: 1100 }), [compressed(MEGABYTES_64)]);
    expect([total(fair.frames), fair.error]).toEqual([2 ** 26, undefined]);
  });

  it('in plain frames is judged by the same limit', async () => {
    const { error } = await put(new FrameInflater({ maxMessageBytes: 10 }), [WsFrame.text('eleven byte')]);
    expect(error).toMatchObject({ code: 'WS_ERR_MESSAGE_TOO_LARGE' });
    const pieces = [new WsFrame(1, Buffer.from('five '), { isFinal: false }), WsFrame.ping('of nine b')];
    const exact = await put(new FrameInflater({ maxMessageBytes: 10 }), [
      ...pieces,
      new WsFrame(0, Buffer.from('bytes')),
    ]);
    expect([messagesOf(exact.frames).length, exact.error]).toEqual([2, undefined]);
    const more = await put(new FrameInflater({ maxMessageBytes: 10 }), [
      ...pieces,
      new WsFrame(0, Buffer.from('bytes!')),
    ]);
    expect(more.error).toMatchObject({ code: 'WS_ERR_MESSAGE_TOO_LARGE' });
  });

  it('that nobody reads is not inflated beyond what may wait', async () => {
    const pool = new DeflatePool();
    const inflater = new FrameInflater({ pool });
    let isTaken = false;
    inflater.write(compressed(MEGABYTES_64), () => {
      isTaken = true;
    });
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect([inflater.readableLength, isTaken]).toEqual([1, false]);
    inflater.read();
    expect(inflater.readableLength).toBe(1);
    expect(inflater.write(hello)).toBe(false);
    inflater.destroy();
    expect([inflater.read(), pool.bytes]).toEqual([null, 0]);
  });

  it('leaves the event loop its turns, and can be destroyed between them', async () => {
    const inflater = new FrameInflater();
    let bytes = 0;
    inflater.on('data', ({ payload }: WsFrame) => {
      bytes += payload.length;
    });
    inflater.write(compressed(MEGABYTES_64));
    expect(bytes).toBe(262_144);
    await new Promise((resolve) => setImmediate(resolve));
    expect(bytes).toBeGreaterThan(262_144);
    inflater.destroy();
    const atDestroy = bytes;
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(bytes).toBe(atDestroy);
  });
});
