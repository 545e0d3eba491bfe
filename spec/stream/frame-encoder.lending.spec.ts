/** A frame that carries its bytes lends them: the same memory for all, in order with everything else. */
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { WS_OPCODE_BINARY } from '../../lib/protocol/opcode.ts';
import { EncodedFrame } from '../../lib/stream/encoded-frame.ts';
import { FrameEncoder, type FrameEncoderOptions } from '../../lib/stream/frame-encoder.ts';
import { encodeAll } from '../vectors/any-frame.ts';

const encoded = (length: number, byte = 0x61): EncodedFrame =>
  new EncodedFrame(WS_OPCODE_BINARY, Buffer.alloc(length, byte));
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function listening(options: Partial<FrameEncoderOptions> = {}): { encoder: FrameEncoder; chunks: Buffer[] } {
  const encoder = new FrameEncoder({ role: 'server', lendsBytes: true, ...options });
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { encoder, chunks };
}

describe('an encoder that lends', () => {
  it('gives the bytes of a frame themselves to each who sends it', async () => {
    const [one, other] = [listening(), listening()];
    const frame = encoded(125);
    expect(one.encoder.encodeNow(frame)).toBe(true);
    expect(one.encoder.encodedLength).toBe(127);
    other.encoder.write(frame);
    await tick();
    expect(one.chunks[0]).toBe(frame.wire);
    expect(other.chunks[0]).toBe(frame.wire);
    expect(one.encoder.bytesWritten).toBe(127);
    expect(one.encoder.encodedLength).toBe(0);
  });

  it('joins what one tick sends, once for all who send the same', async () => {
    const peers = [listening(), listening(), listening()];
    const frames = [encoded(125, 1), encoded(125, 2), encoded(125, 3)];
    for (const frame of frames) for (const { encoder } of peers) encoder.encodeNow(frame);
    await tick();
    const [first] = peers[0]!.chunks;
    expect(peers.map(({ chunks }) => chunks.length)).toEqual([1, 1, 1]);
    for (const { chunks } of peers) expect(chunks[0]).toBe(first);
    expect(first?.equals(encodeAll(frames, 'server'))).toBe(true);
  });

  it.each([
    ['that does not lend', { lendsBytes: false }],
    ['that is a client', { role: 'client', createMaskingKey: () => 0 }],
  ] as const)('is not one %s: that copies', async (_what, options) => {
    const { encoder, chunks } = listening(options);
    const frame = encoded(125);
    encoder.encodeNow(frame);
    await tick();
    expect(chunks[0]?.subarray(-125).equals(frame.payload)).toBe(true);
    // Both may lie in the pool of small Buffers.
    frame.payload.fill(0);
    expect(chunks[0]?.subarray(-125).equals(frame.payload)).toBe(false);
  });

  it('sends nothing that was lent once it is destroyed', async () => {
    const { encoder, chunks } = listening();
    encoder.encodeNow(encoded(10));
    encoder.destroy();
    await tick();
    expect(chunks).toEqual([]);
    expect(encoder.encodedLength).toBe(0);
  });

  it('keeps the order of all frames, of any size, by either way, before a sink of any speed', async () => {
    const length = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(5000, 30_000, 65_536, 70_000));
    const step = fc.record({ length, isEncoded: fc.boolean(), isNow: fc.boolean(), isTickEnd: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), fc.boolean(), async (steps, isSlow) => {
        const encoder = new FrameEncoder({ role: 'server', lendsBytes: true, writableHighWaterMark: 1 });
        const chunks: Buffer[] = [];
        const write = (chunk: Buffer, _encoding: string, done: () => void): void => {
          chunks.push(Buffer.from(chunk));
          if (isSlow) setImmediate(done);
          else done();
        };
        const flowing = pipeline(encoder, new Writable({ highWaterMark: 1, write }));
        const frames: WsFrame[] = [];
        for (const [index, { length, isEncoded, isNow, isTickEnd }] of steps.entries()) {
          const frame = isEncoded ? encoded(length, index) : WsFrame.binary(Buffer.alloc(length, index));
          frames.push(frame);
          if (!isNow || !encoder.encodeNow(frame)) encoder.write(frame);
          if (isTickEnd) await tick();
        }
        encoder.end();
        await flowing;
        expect(Buffer.concat(chunks).equals(encodeAll(frames, 'server'))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('holds no copy of large frames that wait', async () => {
    const { encoder } = listening();
    encoder.pause();
    const frame = encoded(65_536);
    encoder.write(frame);
    encoder.write(frame);
    await tick();
    const chunks: unknown[] = [];
    encoder.on('data', (chunk) => chunks.push(chunk));
    encoder.resume();
    await tick();
    expect(chunks).toEqual([frame.wire, frame.wire]);
    expect(chunks.every((chunk) => chunk === frame.wire)).toBe(true);
  });
});
