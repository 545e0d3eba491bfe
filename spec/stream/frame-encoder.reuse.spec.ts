/** The memory of a batch is used again where whoever took it says that it has left, and never before. */
import { randomBytes } from 'node:crypto';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { takeBatchBuffer } from '../../lib/stream/batch-buffer.ts';
import { FrameEncoder, type FrameEncoderOptions } from '../../lib/stream/frame-encoder.ts';
import { ByteCollector, tcpPair } from '../support/sockets.ts';
import { encodeAll } from '../vectors/any-frame.ts';

const SIZE = 65_536;
const COUNT = 40;
const frames = Array.from({ length: COUNT }, (_, index) => WsFrame.binary(randomBytes(SIZE - index)));

/** Sends all frames, one batch for each, and gives the memory in which the batches came. */
async function memoryOf(options: Partial<FrameEncoderOptions>, sink: (chunk: Buffer) => void): Promise<Set<unknown>> {
  takeBatchBuffer(0);
  const encoder = new FrameEncoder({ role: 'server', ...options });
  const memory = new Set<unknown>();
  const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
    memory.add(chunk.buffer);
    sink(chunk);
    done();
  };
  await pipeline(Readable.from(frames), encoder, new Writable({ write }));
  return memory;
}

describe('a batch', () => {
  it('is never written over where nothing is said', async () => {
    const chunks: Buffer[] = [];
    const memory = await memoryOf({}, (chunk) => chunks.push(chunk));
    expect(memory.size).toBeGreaterThan(COUNT / 2);
    expect(Buffer.concat(chunks).equals(encodeAll(frames, 'server'))).toBe(true);
  });

  it('is not written over as long as it has not left', async () => {
    const chunks: Buffer[] = [];
    await memoryOf({ isFlushed: () => false }, (chunk) => chunks.push(chunk));
    expect(Buffer.concat(chunks).equals(encodeAll(frames, 'server'))).toBe(true);
  });

  it('is used again for the next one when it has left: one buffer is enough', async () => {
    const copies: Buffer[] = [];
    const memory = await memoryOf({ isFlushed: () => true }, (chunk) => copies.push(Buffer.from(chunk)));
    expect(memory.size).toBe(1);
    expect(Buffer.concat(copies).equals(encodeAll(frames, 'server'))).toBe(true);
  });

  it('is not used again while it waits in the encoder itself', async () => {
    const encoder = new FrameEncoder({ role: 'server', readableHighWaterMark: 10 * SIZE, isFlushed: () => true });
    for (const frame of frames.slice(0, 8)) encoder.write(frame);
    await new Promise((resolve) => setImmediate(resolve));
    encoder.end();
    const chunks: Buffer[] = [];
    for await (const chunk of encoder) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(encodeAll(frames.slice(0, 8), 'server'))).toBe(true);
  });
});

it.each([1, 8])('loses and mixes nothing over %i sockets at a time that stop and go', async (connections) => {
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const { client, server } = await tcpPair();
      const encoder = new FrameEncoder({ role: 'server', isFlushed: () => server.writableLength === 0 });
      const sending = pipeline(Readable.from(frames), encoder, server);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const received = new ByteCollector(client);
      expect((await received.readAll()).equals(encodeAll(frames, 'server'))).toBe(true);
      client.end();
      await sending;
    }),
  );
});
