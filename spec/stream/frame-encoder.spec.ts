import { finished, type Readable, Transform, Writable } from 'node:stream';
import { pipeline, finished as whenFinished } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WsFrame } from '../../lib/protocol/frame.ts';
import type { WsRole } from '../../lib/protocol/header-rules.ts';
import { WS_SEND_BUFFER } from '../../lib/protocol/sizes.ts';
import { FrameDecoder } from '../../lib/stream/frame-decoder.ts';
import { FrameEncoder } from '../../lib/stream/frame-encoder.ts';
import { ByteCollector, tcpPair } from '../support/sockets.ts';
import { collectUncaught } from '../support/uncaught.ts';
import { anyConversation, encodeAll, otherRole, parseAll, plain } from '../vectors/any-frame.ts';
import { KEY_WORD, pattern } from '../vectors/frames.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await turn();
};

function collect(encoder: Readable): Buffer[] {
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  return chunks;
}

const numbered = (from: number, count: number): WsFrame[] =>
  Array.from({ length: count }, (_, i) => WsFrame.text(`${from + i}`));

describe('an encoder', () => {
  it('writes what a decoder reads, for any frames in both roles (§5.2)', async () => {
    await fc.assert(
      fc.asyncProperty(anyConversation, async ({ sender, frames }) => {
        const encoder = new FrameEncoder({ role: sender });
        const decoder = new FrameDecoder({ role: otherRole(sender) });
        const read: WsFrame[] = [];
        decoder.on('data', (frame: WsFrame) => read.push(frame));
        const road = pipeline(encoder, decoder);
        for (const frame of frames) encoder.write(frame);
        encoder.end();
        await road;
        expect(read.map(plain)).toEqual(frames.map(plain));
      }),
      { numRuns: 60 },
    );
  });

  it('sends the frames of one tick as one chunk, whatever the buffers before had left', async () => {
    for (let round = 0; round < 40; round++) {
      const encoder = new FrameEncoder({ role: 'server' });
      const chunks = collect(encoder);
      const frames = Array.from({ length: 15 }, () => WsFrame.binary(pattern(250)));
      for (const frame of frames) encoder.write(frame);
      await turn();
      expect(chunks).toHaveLength(1);
      expect(Buffer.compare(chunks[0]!, encodeAll(frames, 'server'))).toBe(0);
      expect([encoder.bytesWritten, encoder.encodedLength]).toEqual([15 * 254, 0]);
    }
  });

  it('sends one chunk for each tick, in the order of the writes', async () => {
    const encoder = new FrameEncoder({ role: 'client' });
    const chunks = collect(encoder);
    for (let i = 0; i < 3; i++) {
      for (const frame of numbered(i * 10, 10)) encoder.write(frame);
      await turn();
    }
    expect(chunks).toHaveLength(3);
    const { frames } = parseAll(chunks, { role: 'server' });
    expect(frames.map((frame) => frame.payloadText())).toEqual(Array.from({ length: 30 }, (_, i) => `${i}`));
  });

  it('says how many frames it gives on, each counted once', async () => {
    const encoder = new FrameEncoder({ role: 'server' }).resume();
    for (const count of [1, 3]) {
      for (let index = 1; index < count; index++) encoder.encodeNow(WsFrame.text('now'));
      encoder.write(WsFrame.text('written'));
      expect([encoder.flushTick(), encoder.flushTick()]).toEqual([count, 0]);
    }
    await new Promise((resolve) => process.nextTick(resolve));
    encoder.destroy();
  });

  it('sends a frame of the largest size of ours as one chunk, in both roles', async () => {
    for (const role of ['client', 'server'] as const) {
      const encoder = new FrameEncoder({ role });
      const chunks = collect(encoder);
      encoder.write(WsFrame.binary(pattern(65_536)));
      await turn();
      expect(chunks.map(({ length }) => length)).toEqual([role === 'client' ? WS_SEND_BUFFER : WS_SEND_BUFFER - 4]);
    }
  });

  it('takes its masking keys from where it is told (§5.3)', async () => {
    const encoder = new FrameEncoder({ role: 'client', createMaskingKey: () => KEY_WORD });
    const chunks = collect(encoder);
    encoder.write(WsFrame.text('Hello'));
    await turn();
    expect(Buffer.concat(chunks).toString('hex')).toBe('818537fa213d7f9f4d5158');
  });

  it('lets the caller have the payload back when the write was accepted', async () => {
    const encoder = new FrameEncoder({ role: 'client' });
    const chunks = collect(encoder);
    const payload = pattern(100_000);
    await new Promise<void>((resolve) => encoder.write(WsFrame.binary(payload), () => resolve()));
    expect(Buffer.compare(payload, pattern(100_000))).toBe(0);
    payload.fill(0);
    encoder.end();
    await whenFinished(encoder);
    const { frames } = parseAll([new Uint8Array(Buffer.concat(chunks))], { role: 'server' });
    expect(Buffer.compare(frames[0]!.payload, pattern(100_000))).toBe(0);
  });

  it('knows two roles', () => {
    expect(() => new FrameEncoder({ role: 'peer' as WsRole })).toThrow(TypeError);
  });
});

describe('backpressure', () => {
  it('passes a frame of 10 MB in pieces of the batch size, one for each read', async () => {
    const encoder = new FrameEncoder({ role: 'client' });
    const payload = pattern(10_000_000);
    let isAccepted = false;
    encoder.write(WsFrame.binary(payload), () => {
      isAccepted = true;
    });
    const chunks: Uint8Array[] = [];
    let most = 0;
    for (let total = 0; total < 10_000_014; ) {
      await turn();
      most = Math.max(most, encoder.encodedLength);
      const chunk: Buffer | null = encoder.read(Math.min(WS_SEND_BUFFER, encoder.readableLength));
      if (chunk === null) continue;
      chunks.push(chunk);
      total += chunk.length;
      if (total < 5_000_000) expect(isAccepted).toBe(false);
    }
    await turn();
    expect(isAccepted).toBe(true);
    expect(most).toBeLessThanOrEqual(2 * WS_SEND_BUFFER);
    expect(chunks.every(({ length }) => length <= WS_SEND_BUFFER)).toBe(true);
    const { frames } = parseAll(chunks, { role: 'server' });
    expect(Buffer.compare(frames[0]!.payload, payload)).toBe(0);
  });

  it('encodes no more than two batches for a reader that does not read, however much is written', async () => {
    const encoder = new FrameEncoder({ role: 'server' });
    const frame = WsFrame.binary(pattern(1000));
    let isFull = false;
    for (let i = 0; i < 1000; i++) {
      isFull = !encoder.write(frame);
      expect(encoder.encodedLength).toBeLessThanOrEqual(2 * WS_SEND_BUFFER);
      if (i % 10 === 0) await turn();
    }
    await turns(3);
    expect(isFull).toBe(true);
    expect(encoder.encodedLength).toBeGreaterThanOrEqual(WS_SEND_BUFFER);
    expect(encoder.encodedLength).toBeLessThanOrEqual(2 * WS_SEND_BUFFER);
    const chunks = collect(encoder);
    encoder.end();
    await whenFinished(encoder);
    expect(Buffer.concat(chunks)).toHaveLength(1000 * 1004);
  });

  it('tells the writer when there is room again', async () => {
    const encoder = new FrameEncoder({ role: 'server', readableHighWaterMark: 100 });
    let written = 0;
    while (encoder.write(WsFrame.binary(pattern(50)))) {
      written++;
      await turn();
    }
    expect(written).toBeLessThan(30);
    const drained = new Promise<void>((resolve) => encoder.once('drain', resolve));
    encoder.resume();
    await drained;
  });
});

describe('encodeNow', () => {
  it('writes what write() would, in the same order, for any mixture of the two', async () => {
    await fc.assert(
      fc.asyncProperty(anyConversation, fc.infiniteStream(fc.boolean()), async ({ frames }, isNow) => {
        const encoder = new FrameEncoder({ role: 'server' });
        const written = encoder.toArray();
        for (const frame of frames) {
          if (!isNow.next().value || !encoder.encodeNow(frame)) encoder.write(frame);
        }
        encoder.end();
        expect(Buffer.compare(Buffer.concat(await written), encodeAll(frames, 'server'))).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('does nothing where something waits, where the reading side is full, and after the end', async () => {
    const encoder = new FrameEncoder({ role: 'server', readableHighWaterMark: 1 });
    expect(encoder.encodeNow(WsFrame.binary(new Uint8Array(WS_SEND_BUFFER)))).toBe(false);
    expect(encoder.encodeNow(WsFrame.text('first'))).toBe(true);
    await turn();
    expect([encoder.readableLength, encoder.encodeNow(WsFrame.text('no'))]).toEqual([7, false]);
    expect(encoder.read()?.length).toBe(7);
    encoder.write(WsFrame.binary(new Uint8Array(2 * WS_SEND_BUFFER)));
    expect(encoder.encodeNow(WsFrame.text('no'))).toBe(false);
    encoder.end();
    expect(encoder.encodeNow(WsFrame.text('no'))).toBe(false);
    encoder.destroy();
    expect(encoder.encodeNow(WsFrame.text('no'))).toBe(false);
  });

  it('gives a full batch on before a frame that does not fit, and stops where that fills the reading side', () => {
    const encoder = new FrameEncoder({ role: 'server', readableHighWaterMark: WS_SEND_BUFFER });
    const half = WsFrame.binary(new Uint8Array(WS_SEND_BUFFER / 2));
    const taken = Array.from({ length: 4 }, () => encoder.encodeNow(half));
    expect(taken).toEqual([true, true, false, false]);
  });
});

describe('an encoder that ends', () => {
  it('gives out what the tick had written', async () => {
    const encoder = new FrameEncoder({ role: 'server' });
    const chunks = collect(encoder);
    for (const frame of numbered(0, 5)) encoder.write(frame);
    encoder.end(WsFrame.close(1000));
    await whenFinished(encoder);
    expect(Buffer.compare(Buffer.concat(chunks), encodeAll([...numbered(0, 5), WsFrame.close(1000)], 'server'))).toBe(
      0,
    );
  });

  it.each([[{ opcode: 1 }], ['text'], [new Uint8Array(2)], [5], [null]])(
    'fails with a TypeError for %o',
    async (chunk) => {
      const encoder = new FrameEncoder({ role: 'server' });
      const seen = new Promise<unknown>((resolve) => finished(encoder, resolve));
      encoder.on('error', () => {});
      try {
        encoder.write(chunk);
      } catch (error) {
        // Node itself refuses null.
        encoder.destroy(error as Error);
      }
      expect(await seen).toBeInstanceOf(TypeError);
    },
  );

  it('emits nothing after it was destroyed, in the tick or out of the queue', async () => {
    const early = new FrameEncoder({ role: 'server' });
    const none = collect(early);
    early.write(WsFrame.text('a'));
    early.destroy();
    await turns(3);
    expect([none, early.encodedLength, early.read()]).toEqual([[], 0, null]);

    const late = new FrameEncoder({ role: 'server' });
    let count = 0;
    late.on('data', () => {
      count++;
      late.destroy();
    });
    late.pause().write(WsFrame.binary(pattern(200_000)));
    late.resume();
    await turns(3);
    expect(count).toBe(1);
  });

  it('emits nothing after a listener has destroyed it inside a large frame', async () => {
    const encoder = new FrameEncoder({ role: 'server' });
    let count = 0;
    encoder.on('data', () => {
      count++;
      if (count === 2) encoder.destroy();
    });
    await turn();
    encoder.write(WsFrame.binary(pattern(1_000_000)));
    await turns(3);
    expect(count).toBe(2);
  });

  it('tells the writer of the frame that it had begun', async () => {
    const encoder = new FrameEncoder({ role: 'server' });
    const told = new Promise<unknown>((resolve) => encoder.write(WsFrame.binary(pattern(1_000_000)), resolve));
    await turn();
    encoder.destroy();
    expect(await told).toMatchObject({ code: 'WS_ERR_CLOSED' });
  });

  it('fails when the memory of a frame is taken away on its way', async () => {
    const encoder = new FrameEncoder({ role: 'server' });
    const payload = new Uint8Array(new ArrayBuffer(1_000_000));
    encoder.write(WsFrame.binary(payload));
    await turn();
    structuredClone(payload.buffer, { transfer: [payload.buffer] });
    encoder.resume();
    await expect(whenFinished(encoder)).rejects.toBeInstanceOf(TypeError);
  });
});

describe('a listener', () => {
  it('may read while it is given a batch: each byte comes once, in order', async () => {
    const encoder = new FrameEncoder({ role: 'server' });
    const chunks: Buffer[] = [];
    let depth = 0;
    let deepest = 0;
    encoder.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      deepest = Math.max(deepest, ++depth);
      encoder.read();
      depth--;
    });
    await turn();
    const frames = [WsFrame.binary(pattern(300_000)), WsFrame.text('between'), WsFrame.binary(pattern(200_000))];
    for (const frame of frames) encoder.write(frame);
    encoder.end();
    await whenFinished(encoder);
    expect(Buffer.compare(Buffer.concat(chunks), encodeAll(frames, 'server'))).toBe(0);
    // Each batch out of the one before would be a stack as high as the frame is long.
    expect(deepest).toBeLessThanOrEqual(2);
  });
});

describe('on the road', () => {
  it('stands before a socket, with any Transform between', async () => {
    const { client, server } = await tcpPair();
    const encoder = new FrameEncoder({ role: 'client' });
    let seen = 0;
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        seen += chunk.length;
        done(null, chunk);
      },
    });
    encoder.pipe(counter).pipe(client);
    const received = new ByteCollector(server);
    const frames = [...numbered(0, 500), WsFrame.binary(pattern(500_000)), WsFrame.text('last')];
    for (const frame of frames)
      if (!encoder.write(frame)) await new Promise<void>((resolve) => encoder.once('drain', resolve));
    encoder.end();
    const bytes = await received.readAll();
    expect(seen).toBe(bytes.length);
    expect(parseAll([bytes], { role: 'server' }).frames.map(plain)).toEqual(frames.map(plain));
  });

  it('is held back by a slow sink', async () => {
    const encoder = new FrameEncoder({ role: 'server' });
    let most = 0;
    let total = 0;
    const sink = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        most = Math.max(most, encoder.encodedLength);
        total += chunk.length;
        setImmediate(done);
      },
    });
    const road = pipeline(encoder, sink);
    for (const frame of Array.from({ length: 300 }, () => WsFrame.binary(pattern(9000)))) encoder.write(frame);
    encoder.end();
    await road;
    expect(total).toBe(300 * 9004);
    expect(most).toBeLessThanOrEqual(2 * WS_SEND_BUFFER);
  });

  it('lets out what a listener throws, and gives him the next frames all the same', async () => {
    const uncaught = collectUncaught();
    const encoder = new FrameEncoder({ role: 'server' });
    const chunks: string[] = [];
    encoder.on('data', (chunk: Buffer) => {
      chunks.push(chunk.subarray(2).toString());
      throw new Error(`of ${chunks.length}`);
    });
    for (const frame of numbered(0, 3)) {
      encoder.write(frame);
      await turn();
    }
    expect(chunks).toEqual(['0', '1', '2']);
    expect(uncaught.map(String)).toEqual(['Error: of 1', 'Error: of 2', 'Error: of 3']);
    encoder.destroy();
  });
});
