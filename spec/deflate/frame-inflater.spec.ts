import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DeflatePool } from '../../lib/deflate/deflate-pool.ts';
import { FrameInflater, type FrameInflaterOptions } from '../../lib/deflate/frame-inflater.ts';
import { contextBytes } from '../../lib/deflate/zlib-context.ts';
import { createFrame, WsFrame } from '../../lib/protocol/frame.ts';
import { compressed, dataOf, fragments, hex, messagesOf, noise, prose, put, ZlibPeer } from '../vectors/deflate.ts';

const HELLO = 'f2 48 cd c9 c9 07 00';
const hello = (count = 1): [number, string][] => Array.from({ length: count }, () => [2, 'Hello']);

describe('an inflater', () => {
  it.each<[string, WsFrame[], [number, string][]]>([
    ['a block with fixed codes (§7.2.3.1)', [compressed(HELLO, 1)], [[1, 'Hello']]],
    ['two fragments (§7.2.3.1)', [compressed('f2 48 cd', 2, false), compressed('c9 c9 07 00', 0)], hello()],
    ['a message that refers to the last (§7.2.3.2)', [compressed(HELLO), compressed('f2 00 11 00 00')], hello(2)],
    ['a block without compression (§7.2.3.3)', [compressed('00 05 00 fa ff 48 65 6c 6c 6f 00')], hello()],
    ['a final block (§7.2.3.4)', [compressed('f3 48 cd c9 c9 07 00 00')], hello()],
    ['two blocks in one message (§7.2.3.5)', [compressed('f2 48 05 00 00 00 ff ff ca c9 c9 07 00')], hello()],
    ['an empty message (§7.2.3.6)', [compressed('00')], [[2, '']]],
    ['an empty message of no bytes at all', [compressed(''), compressed(HELLO)], [[2, ''], ...hello()]],
  ])('inflates %s', async (_name, frames, messages) => {
    const { frames: out, error } = await put(new FrameInflater(), frames);
    expect([messagesOf(out), error]).toEqual([messages, undefined]);
    const told = out.map(({ rsv, isMasked, isFinal }) => [rsv, isMasked, isFinal]);
    expect(told).toEqual(frames.map(({ isFinal }) => [0, true, isFinal]));
  });

  it('gives a small message as one frame, in the same tick', () => {
    const inflater = new FrameInflater();
    inflater.write(compressed(HELLO));
    expect((inflater.read() as WsFrame).payloadText()).toBe('Hello');
    inflater.destroy();
  });

  it('lets pass what is not compressed, in order, and it does not touch the context (§6.2)', async () => {
    const frames = [
      compressed(HELLO),
      WsFrame.text('plain'),
      new WsFrame(2, Buffer.from('pl'), { isFinal: false }),
      WsFrame.ping('between'),
      new WsFrame(0, Buffer.from('ain')),
      compressed('f2 00 11 00 00', 2, false),
      WsFrame.pong(),
      compressed('', 0),
      WsFrame.close(1000),
    ];
    const { frames: out } = await put(new FrameInflater(), frames);
    const told = messagesOf(out).map(([opcode, payload]) => `${opcode} ${payload}`);
    expect(told).toEqual(['2 Hello', '1 plain', '9 between', '2 plain', '10 ', '2 Hello', '8 \x03\xe8']);
    expect(out[1]).toBe(frames[1]);
  });

  it('keeps the other reserved bits, and takes a first slice that only announces (§5.4)', async () => {
    const packed = hex(HELLO);
    const frames = [
      createFrame(1, Buffer.alloc(0), false, true, 6, packed.length),
      createFrame(0, packed.subarray(0, 3), false, true, 0, 4),
      createFrame(0, packed.subarray(3), true, true, 0, 0),
    ];
    const { frames: out } = await put(new FrameInflater(), frames);
    expect(out.map(({ opcode, rsv, remainingLength }) => [opcode, rsv, remainingLength])).toEqual([
      [1, 2, 0],
      [0, 0, 0],
    ]);
    expect(messagesOf(out)).toEqual([[1, 'Hello']]);
  });

  it.each([65_535, 65_536, 65_537, 131_072, 1_000_000])(
    'gives %i bytes in frames of at most 64 KiB, as many as are needed',
    async (length) => {
      for (const bytes of [prose(length), Buffer.alloc(length), noise(length)]) {
        using peer = new ZlibPeer();
        const { frames: out } = await put(new FrameInflater(), [compressed(await peer.compress(bytes))]);
        expect(out.length).toBe(Math.ceil(length / 65_536));
        expect(out.every(({ payload }) => payload.length <= 65_536)).toBe(true);
        expect(out.map(({ isFinal }) => isFinal)).toEqual(out.map((_, i) => i === out.length - 1));
        expect(Buffer.concat(out.map(({ payload }) => payload)).equals(bytes)).toBe(true);
      }
    },
  );

  it.each([
    ['flushed', { finishFlush: 2 }],
    ['final (§7.2.3.4)', {}],
  ])(
    'reads a message to its end where its last block, %s, is all here before there is room for it',
    async (_name, end) => {
      for (let length = 65_530; length < 65_810; length++) {
        // Behind the first 300 bytes it is one reference after the other, and the end of the block takes a bit or two.
        const base = length % 2 === 0 ? prose(300) : Buffer.alloc(300);
        const text = Buffer.alloc(length, base);
        const rest = deflateRawSync(text.subarray(300), { ...end, dictionary: base, level: 9 });
        const packed = [deflateRawSync(base, { finishFlush: 2 }), 'finishFlush' in end ? cutEnd(rest) : rest];
        const again = cutEnd(deflateRawSync(base, { finishFlush: 2, dictionary: text.subarray(-32_768) }));
        const { frames, error } = await put(new FrameInflater(), [
          compressed(Buffer.concat(packed)),
          compressed(again),
        ]);
        expect(error).toBeUndefined();
        const messages = dataOf(frames).map(([, payload]) => payload);
        expect(messages.join() === [text, base].map((bytes) => bytes.toString('latin1')).join()).toBe(true);
      }
    },
  );

  it('passes on what each fragment holds while the message is arriving', async () => {
    using peer = new ZlibPeer();
    const inflater = new FrameInflater();
    const parts = [prose(3000, 1), prose(3000, 500), prose(3000, 900)];
    for (const [i, part] of parts.entries()) {
      const packed = await peer.compress(part);
      // The end of a flush may stand in the middle of a message; only from its end it is taken away (§7.2.1).
      const payload = i < 2 ? Buffer.concat([packed, hex('00 00 ff ff')]) : packed;
      inflater.write(compressed(payload, i === 0 ? 2 : 0, i === 2));
      const frame = inflater.read() as WsFrame;
      expect([frame.payloadText() === part.toString(), frame.isFinal]).toEqual([true, i === 2]);
    }
    inflater.destroy();
  });

  it.each<[string, FrameInflaterOptions]>([
    ['with takeover', {}],
    ['without', { contextTakeover: false }],
  ])('reads what an independent compressor writes, %s, in any fragments', async (_name, options) => {
    using peer = new ZlibPeer();
    const messages = [prose(5000), noise(300), prose(100, 40), Buffer.alloc(0), prose(80_000, 7), prose(5000)];
    const frames: WsFrame[] = [];
    for (const [i, message] of messages.entries()) {
      const packed =
        options.contextTakeover === false
          ? cutEnd(deflateRawSync(message, { finishFlush: 2 }))
          : await peer.compress(message);
      frames.push(...fragments(packed.length === 0 ? hex('00') : packed, [i, 50 * i, 999]));
    }
    const { frames: out, error } = await put(new FrameInflater(options), frames);
    expect(error).toBeUndefined();
    expect(dataOf(out)).toEqual(messages.map((message) => [2, message.toString('latin1')]));
  });

  it('holds no context between messages without takeover, and after a rest with it', async () => {
    for (const contextTakeover of [false, true]) {
      const pool = new DeflatePool();
      const other = new FrameInflater({ pool });
      const inflater = new FrameInflater({ pool, contextTakeover });
      const read = inflater[Symbol.asyncIterator]();
      inflater.write(compressed(HELLO));
      await read.next();
      pool.look();
      pool.look();
      expect(pool.bytes).toBe(0);
      inflater.write(compressed(contextTakeover ? 'f2 00 11 00 00' : HELLO));
      expect((await read.next()).value.payloadText()).toBe('Hello');
      other.destroy();
      inflater.destroy();
      expect(pool.bytes).toBe(0);
    }
  });
});

describe('a context', () => {
  it('is as large as the window needs', async () => {
    for (const windowBits of [8, 12]) {
      const pool = new DeflatePool();
      const inflater = new FrameInflater({ pool, windowBits });
      inflater.write(compressed(HELLO));
      expect(pool.bytes).toBe(contextBytes({ kind: 'inflate', windowBits, level: 0, memLevel: 0 }));
      inflater.destroy();
    }
  });

  it('is there for others once the data is corrupt, though nobody has read what came before', async () => {
    const pool = new DeflatePool();
    const [one, other] = [new FrameInflater({ pool }), new FrameInflater({ pool })];
    one.write(compressed(HELLO));
    const { bytes } = pool;
    one.write(compressed('ff ff'));
    other.write(compressed(HELLO));
    expect([pool.bytes, one.readableLength, other.readableLength]).toEqual([bytes, 1, 1]);
    one.destroy();
    other.destroy();
  });
});

describe('the options', () => {
  it.each<FrameInflaterOptions>([
    { windowBits: 7 },
    { windowBits: 16 },
    { windowBits: 9.5 },
    { maxInflatedRatio: 0.5 },
    { maxInflatedRatio: Number.NaN },
    { maxMessageBytes: -1 },
    { maxMessageBytes: 1.5 },
  ])('refuse %o', (options) => {
    expect(() => new FrameInflater(options)).toThrow(RangeError);
  });

  it('take only frames', async () => {
    const { error } = await put(new FrameInflater(), [Buffer.from('bytes') as unknown as WsFrame]);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain('FrameInflater');
  });
});

function cutEnd(packed: Buffer): Buffer {
  return packed.subarray(0, -4);
}
