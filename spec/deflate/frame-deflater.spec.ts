import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DeflatePool } from '../../lib/deflate/deflate-pool.ts';
import { FrameDeflater, type FrameDeflaterOptions } from '../../lib/deflate/frame-deflater.ts';
import { createFrame, WsFrame } from '../../lib/protocol/frame.ts';
import { evenTrade, messagesOf, noise, prose, put, ZlibPeer } from '../vectors/deflate.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const hexOf = (frame: WsFrame | undefined): string | undefined => frame && Buffer.from(frame.payload).toString('hex');
const asked = (payload: Uint8Array, compress?: boolean): WsFrame => new WsFrame(2, payload, { compress });
const whole = (frames: readonly WsFrame[]): Buffer => Buffer.concat(frames.map(({ payload }) => payload));

describe('a deflater', () => {
  it('writes what RFC 7692 gives as examples (§7.2.3.1, §7.2.3.2, §7.2.3.6)', async () => {
    const messages = ['Hello', 'Hello', ''].map((text) => asked(Buffer.from(text), true));
    const { frames } = await put(new FrameDeflater(), messages);
    expect(frames.map(hexOf)).toEqual(['f248cdc9c90700', 'f2001100' + '00', '00']);
    expect(frames.map(({ rsv, isFinal, opcode }) => [rsv, isFinal, opcode])).toEqual(frames.map(() => [4, true, 2]));
  });

  it('has each fragment flushed, so that a streamed message leaves at once', async () => {
    using peer = new ZlibPeer();
    const deflater = new FrameDeflater();
    const parts = [prose(100, 1), Buffer.alloc(0), prose(100, 200), Buffer.alloc(0)];
    const out: WsFrame[] = [];
    for (const [i, part] of parts.entries()) {
      deflater.write(new WsFrame(i === 0 ? 1 : 0, part, { isFinal: i === 3 }));
      out.push(deflater.read() as WsFrame);
    }
    expect(out.map(({ opcode, rsv, isFinal }) => [opcode, rsv, isFinal])).toEqual([
      [1, 4, false],
      [0, 0, false],
      [0, 0, false],
      [0, 0, true],
    ]);
    expect(hexOf(out[0])?.endsWith('0000ffff')).toBe(true);
    expect([hexOf(out[1]), hexOf(out[3])]).toEqual(['', '00']);
    expect((await peer.inflate(whole(out))).equals(Buffer.concat(parts))).toBe(true);
    deflater.destroy();
  });

  it.each<[string, FrameDeflaterOptions]>([
    ['with takeover', {}],
    ['without', { contextTakeover: false }],
    ['with small windows', { windowBits: 8, memLevel: 1, level: 9 }],
    ['without compressing', { level: 0 }],
  ])('is understood by an independent inflater, %s', async (_name, options) => {
    using peer = new ZlibPeer({}, { windowBits: options.windowBits ?? 15 });
    const messages = [prose(50_000), noise(200_000), Buffer.alloc(1_000_000), prose(3000), noise(65_536), prose(3000)];
    for (const message of messages) {
      const { frames } = await put(new FrameDeflater(options), [asked(message, true)]);
      expect(inflateRawSync(whole(frames), { finishFlush: 2 }).equals(message)).toBe(true);
    }
    const { frames } = await put(
      new FrameDeflater(options),
      messages.map((message) => asked(message, true)),
    );
    expect(frames.every(({ payload }) => payload.length <= 65_536)).toBe(true);
    for (const message of messages) {
      const end = frames.findIndex(({ isFinal }) => isFinal);
      expect((await peer.inflate(whole(frames.splice(0, end + 1)))).equals(message)).toBe(true);
    }
  });

  it('remembers the last message with takeover, and nothing without (§7.1.1)', async () => {
    const messages = [asked(prose(1000)), asked(prose(1000))];
    const [first, second] = (await put(new FrameDeflater(), messages)).frames;
    expect(second!.payloadLength).toBeLessThan(first!.payloadLength / 4);
    const [one, other] = (await put(new FrameDeflater({ contextTakeover: false }), messages)).frames;
    expect(hexOf(one)).toBe(hexOf(other));
  });

  describe('with a small window for small messages', () => {
    const pieces = [0, 4096, 8192].map((at) => noise(12_288).subarray(at, at + 4096));
    /** Whether the last of four messages is made of references to the first, 12 KiB before it. */
    const isFar = async (options: FrameDeflaterOptions, before: readonly Uint8Array[] = []): Promise<boolean> => {
      using peer = new ZlibPeer();
      const messages = [...before, ...pieces, pieces[0]!];
      const asking = messages.map((message) => asked(message, true));
      const { frames } = await put(new FrameDeflater(options), asking);
      for (const [i, { payload }] of frames.entries())
        expect((await peer.inflate(payload)).equals(messages[i]!)).toBe(true);
      return frames.at(-1)!.payloadLength < 1000;
    };

    it.each<[FrameDeflaterOptions, boolean]>([
      [{}, true],
      [{ windowBits: 14, smallWindowBits: 15 }, true],
      [{ windowBits: 14, smallWindowBits: 14 }, true],
      [{ windowBits: 14, smallWindowBits: 13 }, false],
      [{ windowBits: 13, smallWindowBits: 15 }, false],
    ])('%o refers back over 12 KiB: %s', async (options, expected) => {
      expect(await isFar(options)).toBe(expected);
    });

    it('takes the large one at the first message that is large, and keeps it', async () => {
      const options = { windowBits: 14, smallWindowBits: 13 };
      expect(await isFar(options, [prose(100), noise(4096)])).toBe(false);
      expect(await isFar(options, [prose(100), noise(4097)])).toBe(true);
    });

    it('takes the large one for what comes in fragments, whose size is not known', async () => {
      const deflater = new FrameDeflater({ windowBits: 14, smallWindowBits: 13 });
      const fragments = [...pieces, pieces[0]!].map(
        (piece, i) => new WsFrame(i === 0 ? 2 : 0, piece, { isFinal: i === 3 }),
      );
      expect((await put(deflater, fragments)).frames.at(-1)!.payloadLength).toBeLessThan(1000);
    });

    it.each([7, 16, 12.5])('is not of %d bits', (smallWindowBits) => {
      expect(() => new FrameDeflater({ smallWindowBits })).toThrow(/^smallWindowBits must be a whole number/);
    });
  });

  it('keeps a message that stays plain out of what later ones refer to (§8)', async () => {
    const secret = prose(1000);
    const [alone] = (await put(new FrameDeflater(), [asked(secret, true)])).frames;
    const [, behind] = (await put(new FrameDeflater(), [asked(secret, false), asked(secret, true)])).frames;
    expect(hexOf(behind)).toBe(hexOf(alone));
  });

  it('keeps nothing of what it was given, whatever becomes of it', async () => {
    const deflater = new FrameDeflater();
    const buffers = [prose(1000), prose(100), Buffer.from('ping')];
    deflater.write(asked(buffers[0]!, true));
    deflater.write(asked(buffers[1]!, false));
    deflater.write(WsFrame.ping(buffers[2]!));
    for (const buffer of buffers) buffer.fill(0);
    const out = [deflater.read(), deflater.read(), deflater.read()] as WsFrame[];
    expect(inflateRawSync(out[0]!.payload, { finishFlush: 2 }).equals(prose(1000))).toBe(true);
    expect([out[1]!.payloadText(), out[2]!.payloadText()]).toEqual([prose(100).toString(), 'ping']);
    deflater.destroy();
  });
});

describe('the policy', () => {
  const long = prose(2000);
  const isCompressed = async (options: FrameDeflaterOptions, ...frames: WsFrame[]): Promise<boolean[]> =>
    (await put(new FrameDeflater(options), frames)).frames.map(({ rsv }) => rsv === 4);

  it('is the threshold: 256 bytes, for whole messages', async () => {
    expect(await isCompressed({}, asked(prose(255)), asked(prose(256)))).toEqual([false, true]);
    expect(await isCompressed({ thresholdBytes: 0 }, asked(Buffer.alloc(0)))).toEqual([true]);
    expect(await isCompressed({ thresholdBytes: 3000 }, asked(long))).toEqual([false]);
  });

  it('compresses what comes in fragments, whose size is not known', async () => {
    const fragment = new WsFrame(2, Buffer.from('short'), { isFinal: false });
    const { frames } = await put(new FrameDeflater(), [fragment, new WsFrame(0, Buffer.from('er'))]);
    expect(frames.map(({ rsv }) => rsv)).toEqual([4, 0]);
  });

  it('is shouldCompress in its place, and asks it for the first frame only', async () => {
    const seen: number[] = [];
    const shouldCompress = (frame: WsFrame): boolean => {
      seen.push(frame.payloadLength);
      return frame.isText();
    };
    const frames = [
      WsFrame.text('a'),
      WsFrame.ping(),
      new WsFrame(2, long, { isFinal: false }),
      new WsFrame(0, Buffer.from('xyz')),
    ];
    const { frames: out } = await put(new FrameDeflater({ shouldCompress }), frames);
    expect(seen).toEqual([1, 2000]);
    expect(out.map(({ rsv }) => rsv)).toEqual([4, 0, 0, 0]);
  });

  it('gives way to what a message asks for itself', async () => {
    const never = { shouldCompress: () => false };
    const always = { shouldCompress: () => true };
    expect(await isCompressed(never, asked(long, true), asked(long))).toEqual([true, false]);
    expect(await isCompressed(always, asked(long, false), asked(long))).toEqual([false, true]);
  });

  it('fails with what shouldCompress throws, behind what came before', async () => {
    const shouldCompress = (): boolean => {
      throw new Error('mine');
    };
    const { frames, error } = await put(new FrameDeflater({ shouldCompress }), [WsFrame.ping('a'), WsFrame.text('b')]);
    expect([frames.length, (error as Error).message]).toEqual([1, 'mine']);
  });

  it('sends plain what does not get smaller, without takeover, unless compression is asked for', async () => {
    const without = { contextTakeover: false };
    expect(await isCompressed(without, asked(noise(1000)), asked(noise(1000), true), asked(long))).toEqual([
      false,
      true,
      true,
    ]);
    expect(await isCompressed(without, asked(evenTrade()))).toEqual([false]);
    expect(await isCompressed({}, asked(noise(1000)))).toEqual([true]);
  });

  it('lets pass in order what is plain, control frames, and what is compressed already (§6.1)', async () => {
    const ready = createFrame(2, Buffer.from('f248cdc9c90700', 'hex'), true, false, 4, 0);
    const frames = [asked(long), WsFrame.ping('p'), ready, asked(long), WsFrame.text('t'), WsFrame.close(1000)];
    const { frames: out } = await put(new FrameDeflater(), frames);
    expect(out.map(({ opcode, rsv }) => [opcode, rsv])).toEqual([
      [2, 4],
      [9, 0],
      [2, 4],
      [2, 4],
      [1, 0],
      [8, 0],
    ]);
    // Our history is not the peer's any more: nothing refers back.
    expect(hexOf(out[2])).toBe('f248cdc9c90700');
    expect(hexOf(out[3])).toBe(hexOf(out[0]));
    expect(messagesOf(out.slice(4))).toEqual([
      [1, 't'],
      [8, '\x03\xe8'],
    ]);
  });

  it.each<[FrameDeflaterOptions, ErrorConstructor]>([
    [{ windowBits: 7 }, RangeError],
    [{ windowBits: 16 }, RangeError],
    [{ level: 10 }, RangeError],
    [{ level: -2 }, RangeError],
    [{ memLevel: 0 }, RangeError],
    [{ memLevel: 10 }, RangeError],
    [{ thresholdBytes: -1 }, RangeError],
    [{ shouldCompress: true as unknown as () => boolean }, TypeError],
  ])('refuses %o', (options, kind) => {
    expect(() => new FrameDeflater(options)).toThrow(kind);
  });
});

describe('a context', () => {
  it('is taken by whoever needs it, also inside a message, and what follows is understood all the same', async () => {
    const pool = new DeflatePool({ maxBytes: 0 });
    const [one, other] = [new FrameDeflater({ pool }), new FrameDeflater({ pool })];
    using peer = new ZlibPeer();
    const out: WsFrame[] = [];
    for (let i = 0; i < 6; i++) {
      const [opcode, isFinal] = [i % 3 === 0 ? 2 : 0, i % 3 === 2];
      one.write(new WsFrame(opcode as 0 | 2, prose(1000), { isFinal }));
      out.push(one.read() as WsFrame);
      other.write(asked(prose(1000)));
      other.read();
    }
    expect((await peer.inflate(whole(out.slice(0, 3)))).length).toBe(3000);
    expect((await peer.inflate(whole(out.slice(3)))).length).toBe(3000);
    one.destroy();
    other.destroy();
    expect(pool.bytes).toBe(0);
  });

  it('is given back after each message without takeover, after a rest with it, and at the end', async () => {
    const pool = new DeflatePool();
    const other = new FrameDeflater({ pool });
    for (const contextTakeover of [false, true]) {
      const deflater = new FrameDeflater({ pool, contextTakeover });
      deflater.write(asked(prose(1000)));
      const first = deflater.read() as WsFrame;
      pool.look();
      pool.look();
      expect(pool.bytes).toBe(0);
      deflater.write(asked(prose(1000)));
      expect(hexOf(deflater.read() as WsFrame)).toBe(hexOf(first));
      deflater.destroy();
    }
    other.destroy();
    expect(pool.bytes).toBe(0);
  });
});

describe('a large message', () => {
  it('leaves the event loop its turns, and what comes behind it waits', async () => {
    const deflater = new FrameDeflater();
    const out: WsFrame[] = [];
    deflater.on('data', (frame: WsFrame) => out.push(frame));
    let isTaken = false;
    deflater.write(asked(noise(1_000_000)), () => {
      isTaken = true;
    });
    deflater.write(WsFrame.ping());
    expect([out.length <= 2, isTaken]).toEqual([true, false]);
    while (!isTaken) await turn();
    expect(out.at(-1)?.opcode).toBe(9);
    expect(out.slice(0, -1).every(({ opcode }) => opcode !== 9)).toBe(true);
    deflater.destroy();
  });

  it('that compresses to next to nothing leaves it its turns, too', async () => {
    const deflater = new FrameDeflater();
    let isTaken = false;
    deflater.write(asked(Buffer.alloc(1_000_000)), () => {
      isTaken = true;
    });
    await turn();
    expect(isTaken).toBe(false);
    while (!isTaken) await turn();
    expect((deflater.read() as WsFrame).payloadLength).toBeLessThan(2000);
    deflater.destroy();
  });

  it('that nobody reads is not compressed beyond what may wait', async () => {
    const deflater = new FrameDeflater();
    let isTaken = false;
    deflater.write(asked(noise(1_000_000)), () => {
      isTaken = true;
    });
    for (let i = 0; i < 20; i++) await turn();
    // The first fills the queue but for what was carried over, the second fills it.
    expect([deflater.readableLength <= 2, isTaken]).toEqual([true, false]);
    deflater.destroy();
    expect(deflater.read()).toBeNull();
  });

  it.each([65_520, 65_530, 65_536, 65_540, 131_060, 131_072])(
    'is whole where its end falls near the end of a frame: %i bytes',
    async (around) => {
      for (let length = around - 12; length <= around + 12; length++) {
        for (const isFinal of [true, false]) {
          const frames = [new WsFrame(2, noise(length), { isFinal, compress: true })];
          if (!isFinal) frames.push(new WsFrame(0, Buffer.from('end')));
          // Stored blocks (level 0) are cut to the room there is, others go a little beyond a frame.
          const { frames: out, error } = await put(new FrameDeflater({ level: length % 2 }), frames);
          expect([error, out.at(-1)?.isFinal]).toEqual([undefined, true]);
          const expected = isFinal ? noise(length) : Buffer.concat([noise(length), Buffer.from('end')]);
          expect(inflateRawSync(whole(out), { finishFlush: 2 }).equals(expected)).toBe(true);
          expect(out.every(({ payload }) => payload.length > 0 && payload.length <= 65_536)).toBe(true);
        }
      }
    },
  );
});
