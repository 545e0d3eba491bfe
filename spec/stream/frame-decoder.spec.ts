import { once } from 'node:events';
import { finished, Readable, Transform, Writable } from 'node:stream';
import { pipeline, finished as whenFinished } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { WsFrame } from '../../lib/protocol/frame.ts';
import { WsFrame as Frame } from '../../lib/protocol/frame.ts';
import { FrameParser } from '../../lib/protocol/frame-parser.ts';
import type { WsRole } from '../../lib/protocol/header-rules.ts';
import { FrameDecoder } from '../../lib/stream/frame-decoder.ts';
import { tcpPair } from '../support/sockets.ts';
import { anyConversation, anyCuts, cutAt, encodeAll, otherRole, plain } from '../vectors/any-frame.ts';
import { bits, pattern, wire } from '../vectors/frames.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** As many empty binary frames as there is room for in so many bytes. */
const emptyFrames = (bytes: number): Buffer => Buffer.alloc(bytes, Buffer.from([0x82, 0]));
const numbered = (from: number, count: number): Uint8Array =>
  encodeAll(
    Array.from({ length: count }, (_, i) => Frame.text(`${from + i}`)),
    'server',
  );

async function readAll(decoder: Readable): Promise<WsFrame[]> {
  const frames: WsFrame[] = [];
  for await (const frame of decoder) frames.push(frame as WsFrame);
  return frames;
}

describe('a decoder', () => {
  it('gives what a loop reads, for any frames in any chunks (§5.2)', async () => {
    await fc.assert(
      fc.asyncProperty(anyConversation, anyCuts, async ({ sender, frames }, cuts) => {
        const decoder = new FrameDecoder({ role: otherRole(sender) });
        const read = readAll(decoder);
        for (const chunk of cutAt(encodeAll(frames, sender), cuts)) decoder.write(chunk);
        decoder.end();
        expect((await read).map(plain)).toEqual(frames.map(plain));
      }),
      { numRuns: 60 },
    );
  });

  it('gives slices where they are asked for (§5.4)', async () => {
    const decoder = new FrameDecoder({ role: 'client', maxSliceBytes: 1000 });
    const read = readAll(decoder);
    decoder.end(encodeAll([Frame.binary(pattern(2500))], 'server'));
    const frames = await read;
    expect(frames.map(({ payloadLength, remainingLength }) => [payloadLength, remainingLength])).toEqual([
      [1000, 1500],
      [1000, 500],
      [500, 0],
    ]);
  });

  it('leaves the bytes of the caller as they were, unless they are its own (§5.3)', async () => {
    for (const ownsChunks of [false, true]) {
      const chunk = Buffer.from(encodeAll([Frame.binary(pattern(500))], 'client'));
      const copy = Buffer.from(chunk);
      const decoder = new FrameDecoder({ role: 'server', ownsChunks });
      decoder.end(chunk);
      const [frame] = await readAll(decoder);
      expect(Buffer.compare(frame!.payload, pattern(500))).toBe(0);
      expect(chunk.equals(copy)).toBe(!ownsChunks);
      expect(frame!.payload.buffer === chunk.buffer).toBe(ownsChunks);
    }
  });

  it('counts the bytes that it has taken in', () => {
    const decoder = new FrameDecoder({ role: 'client' }).resume();
    decoder.write(emptyFrames(10));
    decoder.write(bits('10000010'));
    expect(decoder.bytesRead).toBe(11);
  });

  it.each([
    [{ role: 'peer' as WsRole }, TypeError],
    [{ role: 'server', maxBufferedBytes: -1 }, RangeError],
    [{ role: 'server', maxSliceBytes: 0 }, RangeError],
  ] as const)('refuses %o', (options, kind) => {
    expect(() => new FrameDecoder(options)).toThrow(kind);
  });
});

describe('backpressure', () => {
  it('makes few frames of a chunk that nobody reads, and does not give the chunk back', async () => {
    const decoder = new FrameDecoder({ role: 'client' });
    let isGivenBack = false;
    decoder.write(emptyFrames(65_536), () => {
      isGivenBack = true;
    });
    for (let i = 0; i < 5; i++) await turn();
    expect(decoder.readableLength).toBe(16);
    expect(isGivenBack).toBe(false);
    let count = 0;
    while (decoder.read() !== null) {
      count++;
      expect(decoder.readableLength).toBeLessThanOrEqual(16);
    }
    await turn();
    expect([count, isGivenBack]).toEqual([32_768, true]);
  });

  it('holds few bytes of frames that nobody reads, whatever Node counts', async () => {
    const decoder = new FrameDecoder({ role: 'client', maxBufferedBytes: 10_000 });
    decoder.write(
      encodeAll(
        Array.from({ length: 50 }, () => Frame.binary(pattern(4000))),
        'server',
      ),
    );
    for (let i = 0; i < 5; i++) await turn();
    expect(decoder.readableLength).toBe(3);
    for (let i = 0; i < 20; i++) {
      expect(decoder.read()).not.toBeNull();
      await turn();
      expect(decoder.readableLength).toBe(3);
    }
  });

  it('lets a frame through that is larger than the bound alone', async () => {
    const decoder = new FrameDecoder({ role: 'client', maxBufferedBytes: 0, readableHighWaterMark: 0 });
    decoder.end(numbered(0, 40));
    await turn();
    expect(decoder.readableLength).toBe(1);
    expect(await readAll(decoder)).toHaveLength(40);
  });

  it('keeps its account when frames are put back', async () => {
    const decoder = new FrameDecoder({ role: 'client', maxBufferedBytes: 10_000 });
    decoder.write(
      encodeAll(
        Array.from({ length: 100 }, () => Frame.binary(pattern(4000))),
        'server',
      ),
    );
    for (let i = 0; i < 100; i++) {
      decoder.unshift(decoder.read()!);
    }
    for (let i = 0; i < 50; i++) decoder.read();
    await turn();
    expect(decoder.readableLength).toBeLessThanOrEqual(4);
  });

  it.each([1, 2, 7, 15, 16, 17, 31, 32, 33, 48, 100])(
    'never stalls: chunks of %i frames, read one a turn',
    async (size) => {
      const decoder = new FrameDecoder({ role: 'client' });
      for (let i = 0; i < 6; i++) decoder.write(numbered(i * size, size));
      decoder.end();
      const texts: string[] = [];
      while (texts.length < 6 * size) {
        const frame = decoder.read();
        if (frame === null) await once(decoder, 'readable');
        else texts.push(frame.payloadText());
        if (texts.length % 5 === 0) await turn();
      }
      expect(texts).toEqual(Array.from({ length: 6 * size }, (_, i) => `${i}`));
      decoder.resume();
      await whenFinished(decoder);
    },
  );

  it('reaches a socket: what nobody reads stays with the peer', async () => {
    const { client, server } = await tcpPair();
    const decoder = new FrameDecoder({ role: 'server' });
    server.pipe(decoder);
    const frame = encodeAll([Frame.binary(pattern(60_000))], 'client');
    let sent = 0;
    while (sent < 2000 && (sent < 500 || client.writableLength === 0)) {
      client.write(frame);
      sent++;
      if (sent % 50 === 0) await turn();
    }
    expect(decoder.readableLength).toBeLessThanOrEqual(2);
    expect(server.isPaused() || decoder.writableNeedDrain).toBe(true);
    client.end();
    expect(await readAll(decoder)).toHaveLength(sent);
  });
});

describe('a violation', () => {
  const bad = bits('1 000 0011 0 0000000');

  it('comes behind the frames before it, though nobody has read them yet (§7.1.7)', async () => {
    const decoder = new FrameDecoder({ role: 'client' });
    decoder.write(wire(numbered(0, 40), bad, numbered(0, 9)));
    await turn();
    const texts: string[] = [];
    const reading = (async () => {
      for await (const frame of decoder) texts.push((frame as WsFrame).payloadText());
    })();
    await expect(reading).rejects.toMatchObject({ code: 'WS_ERR_RESERVED_OPCODE', closeCode: 1002 });
    expect(texts).toHaveLength(40);
  });

  it('is seen at once where nothing is waiting to be read', async () => {
    const decoder = new FrameDecoder({ role: 'client' });
    decoder.write(bad);
    await expect(whenFinished(decoder)).rejects.toMatchObject({ code: 'WS_ERR_RESERVED_OPCODE' });
    expect(decoder.destroyed).toBe(true);
  });

  it('is seen by pipeline, and ends the stages around it', async () => {
    const source = Readable.from([Buffer.from(wire(numbered(0, 3), bad))]);
    const sink = new Writable({ objectMode: true, write: (_frame, _encoding, done) => done() });
    const decoder = new FrameDecoder({ role: 'client' });
    await expect(pipeline(source, decoder, sink)).rejects.toMatchObject({ code: 'WS_ERR_RESERVED_OPCODE' });
    expect([source.destroyed, sink.destroyed]).toEqual([true, true]);
  });

  it('needs no listener to keep the process alive', async () => {
    const { client, server } = await tcpPair();
    const decoder = new FrameDecoder({ role: 'server' });
    server.pipe(decoder).resume();
    client.write(bad);
    await new Promise<void>((resolve) => decoder.once('close', resolve));
    expect(decoder.errored).toMatchObject({ code: 'WS_ERR_RESERVED_OPCODE' });
  });
});

describe('an end', () => {
  it('inside a frame is an error, behind the frames that are whole (§7.1.5)', async () => {
    const decoder = new FrameDecoder({ role: 'client' });
    decoder.end(wire(numbered(0, 20), '1 000 0010 0 0000010'));
    await turn();
    const texts: string[] = [];
    const reading = (async () => {
      for await (const frame of decoder) texts.push((frame as WsFrame).payloadText());
    })();
    await expect(reading).rejects.toMatchObject({ code: 'WS_ERR_TRUNCATED', closeCode: 1006 });
    expect(texts).toHaveLength(20);
  });

  it.each([1, 2, 16])(
    'inside a frame is that error for a loop that comes behind it at once (mark %i, §7.1.5)',
    async (mark) => {
      const decoder = new FrameDecoder({ role: 'client', readableHighWaterMark: mark });
      decoder.end(wire(numbered(0, 3), '1 000 0010 0 0000010'));
      const reading = (async () => {
        let count = 0;
        for await (const frame of decoder) count += (frame as WsFrame).payloadLength > 0 ? 1 : 0;
        return count;
      })();
      await expect(reading).rejects.toMatchObject({ code: 'WS_ERR_TRUNCATED', closeCode: 1006 });
    },
  );

  it('between fragments is an error that finished sees (§7.1.5)', async () => {
    const decoder = new FrameDecoder({ role: 'client' }).resume();
    const seen = new Promise<unknown>((resolve) => finished(decoder, resolve));
    decoder.end(bits('0 000 0010 0 0000000'));
    expect(await seen).toMatchObject({ code: 'WS_ERR_TRUNCATED' });
  });

  it('between messages is the end', async () => {
    const decoder = new FrameDecoder({ role: 'client' });
    decoder.end(numbered(0, 2));
    expect(await readAll(decoder)).toHaveLength(2);
  });
});

describe('a listener', () => {
  it.each([
    ['at once', (decoder: FrameDecoder, chunk: Uint8Array) => void decoder.write(chunk)],
    [
      'out of the queue',
      (decoder: FrameDecoder, chunk: Uint8Array) => {
        decoder.pause().write(chunk);
        decoder.resume();
      },
    ],
  ])('that destroys the stream is given nothing more, when it is given frames %s', async (_how, start) => {
    const decoder = new FrameDecoder({ role: 'client' });
    const texts: string[] = [];
    decoder.on('data', (frame: WsFrame) => {
      texts.push(frame.payloadText());
      if (texts.length === 3) decoder.destroy();
    });
    start(decoder, numbered(0, 100));
    for (let i = 0; i < 5; i++) await turn();
    expect(texts).toEqual(['0', '1', '2']);
    expect(decoder.read()).toBeNull();
  });

  it('that destroys the stream inside a chunk ends the parsing with it', async () => {
    const next = vi.spyOn(FrameParser.prototype, 'next');
    const decoder = new FrameDecoder({ role: 'client' });
    decoder.on('data', () => decoder.destroy());
    await turn();
    decoder.write(numbered(0, 1000));
    expect(next.mock.calls.length).toBe(1);
    next.mockRestore();
  });

  it('may read while it is given a frame: each comes once, in order', async () => {
    const decoder = new FrameDecoder({ role: 'client' });
    const texts: string[] = [];
    let depth = 0;
    decoder.on('data', (frame: WsFrame) => {
      texts.push(frame.payloadText());
      if (depth > 2) return;
      depth++;
      decoder.read();
      depth--;
    });
    decoder.write(numbered(0, 100));
    decoder.end(numbered(100, 100));
    await whenFinished(decoder);
    expect(texts).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
  });

  it('may pause and go on', async () => {
    const decoder = new FrameDecoder({ role: 'client' });
    const texts: string[] = [];
    decoder.on('data', (frame: WsFrame) => {
      texts.push(frame.payloadText());
      if (texts.length % 7 !== 0) return;
      decoder.pause();
      setImmediate(() => decoder.resume());
    });
    decoder.end(numbered(0, 100));
    await whenFinished(decoder);
    expect(texts).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });
});

describe('on the road', () => {
  it('stands between a socket and whatever takes frames', async () => {
    const { client, server } = await tcpPair();
    const texts: string[] = [];
    const upper = new Transform({
      objectMode: true,
      transform: (frame: WsFrame, _encoding, done) => done(null, Frame.text(frame.payloadText().toUpperCase())),
    });
    const sink = new Writable({
      objectMode: true,
      write(frame: WsFrame, _encoding, done) {
        texts.push(frame.payloadText());
        setImmediate(done);
      },
    });
    const road = pipeline(server, new FrameDecoder({ role: 'server', ownsChunks: true }), upper, sink);
    const frames = Array.from({ length: 200 }, (_, i) => Frame.text(`añ ${i}`));
    client.end(encodeAll(frames, 'client'));
    await road;
    expect(texts).toEqual(frames.map((frame) => frame.payloadText().toUpperCase()));
  });
});
