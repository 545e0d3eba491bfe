import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../lib/errors.ts';
import type { WsFrame } from '../../lib/protocol/frame.ts';
import { FrameDecoderStream, type FrameDecoderStreamOptions } from '../../lib/web/frame-decoder-stream.ts';
import { turns } from '../support/endpoints.ts';
import { naiveEncode } from '../support/naive-peer.ts';

const bytesOf = (...frames: Buffer[]): Uint8Array => new Uint8Array(Buffer.concat(frames));

function decoder(options?: Partial<FrameDecoderStreamOptions>) {
  const { readable, writable } = new FrameDecoderStream({ role: 'client', ...options });
  return { readable, reader: readable.getReader(), writer: writable.getWriter() };
}

async function decodeAll(chunks: Uint8Array[], options?: Partial<FrameDecoderStreamOptions>): Promise<WsFrame[]> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  const frames: WsFrame[] = [];
  for await (const frame of source.pipeThrough(new FrameDecoderStream({ role: 'client', ...options }))) {
    frames.push(frame);
  }
  return frames;
}

describe('FrameDecoderStream', () => {
  it('gives the same frames however the bytes are cut (§5.2)', async () => {
    const wire = bytesOf(
      naiveEncode(1, 'Hello'),
      naiveEncode(9, 'ping'),
      naiveEncode(2, Buffer.alloc(300, 7), { isFinal: false }),
      naiveEncode(0, ''),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(wire.length), { maxLength: 8 }), async (cuts) => {
        const edges = [0, ...cuts.sort((a, b) => a - b), wire.length];
        const chunks = edges.slice(1).map((end, index) => wire.subarray(edges[index], end));
        const frames = await decodeAll(chunks);
        expect(frames.map(({ opcode, isFinal, payload }) => [opcode, isFinal, payload.length])).toEqual([
          [1, true, 5],
          [9, true, 4],
          [2, false, 300],
          [0, true, 0],
        ]);
        expect(frames[0]!.payloadText()).toBe('Hello');
      }),
      { numRuns: 40 },
    );
  });

  it("unmasks as a server and leaves the writer's bytes as they are (§5.3)", async () => {
    const wire = bytesOf(naiveEncode(1, 'secret', { isMasked: true }));
    const before = wire.slice();
    const [frame] = await decodeAll([wire], { role: 'server' });
    expect(frame!.payloadText()).toBe('secret');
    expect(wire).toEqual(before);
  });

  it('takes an ArrayBuffer, and hands large frames on in slices where that is asked for (§5.4)', async () => {
    const { reader, writer } = decoder({ maxSliceBytes: 100, maxBufferedBytes: 0 });
    void writer.write(bytesOf(naiveEncode(2, Buffer.alloc(250))).buffer as ArrayBuffer);
    const sizes = [];
    for (let count = 0; count < 3; count++) sizes.push((await reader.read()).value!.payload.length);
    expect(sizes).toEqual([100, 100, 50]);
  });

  it('makes frames only as they are read: 20,000 empty ones in a chunk are not 20,000 objects', async () => {
    const { reader, writer } = decoder();
    let isUsedUp = false;
    const chunk = new Uint8Array(40_000);
    for (let at = 0; at < chunk.length; at += 2) chunk[at] = 0x81;
    void writer.write(chunk).then(() => {
      isUsedUp = true;
    });
    const tooMany = Array.from({ length: 19_000 }, () => reader.read());
    await Promise.all(tooMany);
    await turns();
    expect(isUsedUp).toBe(false);
    for (let count = 0; count < 1000; count++) await reader.read();
    await turns();
    expect(isUsedUp).toBe(true);
  });

  it('holds the writer at maxBufferedBytes, on both sides', async () => {
    const { reader, writer } = decoder({ maxBufferedBytes: 1000 });
    const frame = bytesOf(naiveEncode(2, Buffer.alloc(996)));
    void writer.write(frame);
    await writer.ready;
    // The first is a frame in the reading queue by now, the second waits before it.
    void writer.write(frame);
    expect(writer.desiredSize).toBe(0);
    await turns();
    expect(writer.desiredSize).toBe(0);
    await reader.read();
    await writer.ready;
    expect(writer.desiredSize).toBe(1000);
  });

  it('fails both streams with a ProtocolError, the readable one after the frames before it (§7.1.7)', async () => {
    const { reader, writer } = decoder();
    const written = writer.write(bytesOf(naiveEncode(1, 'good'), Buffer.of(0xf1, 0)));
    await expect(written).rejects.toMatchObject({ code: 'WS_ERR_RESERVED_BITS' });
    await expect(writer.closed).rejects.toBeInstanceOf(ProtocolError);
    expect((await reader.read()).value!.payloadText()).toBe('good');
    await expect(reader.read()).rejects.toMatchObject({ code: 'WS_ERR_RESERVED_BITS', closeCode: 1002 });
    await expect(reader.closed).rejects.toBeInstanceOf(ProtocolError);
  });

  it.each([
    ['a frame', Buffer.of(0x82, 5, 1)],
    ['a header', Buffer.of(0x82)],
    ['a message', naiveEncode(2, 'x', { isFinal: false })],
  ])('fails with WS_ERR_TRUNCATED where the bytes end inside %s (§7.1.5)', async (_what, bytes) => {
    await expect(decodeAll([new Uint8Array(bytes)])).rejects.toMatchObject({ code: 'WS_ERR_TRUNCATED' });
  });

  it('discards what comes behind a close frame (§1.4)', async () => {
    const frames = await decodeAll([bytesOf(naiveEncode(8, ''), Buffer.of(0xff, 0xff)), Uint8Array.of(0xff)]);
    expect(frames.map(({ opcode }) => opcode)).toEqual([8]);
  });

  it.each(['text', 7, undefined, null, {}])('refuses %o with a TypeError on both streams', async (chunk) => {
    const { reader, writer } = decoder();
    await expect(writer.write(chunk as never)).rejects.toBeInstanceOf(TypeError);
    await expect(reader.read()).rejects.toBeInstanceOf(TypeError);
    await expect(writer.closed).rejects.toBeInstanceOf(TypeError);
    await expect(reader.closed).rejects.toBeInstanceOf(TypeError);
  });

  it('checks its options', () => {
    expect(() => new FrameDecoderStream({ role: 'peer' as never })).toThrow(TypeError);
    expect(() => new FrameDecoderStream({ role: 'client', maxBufferedBytes: -1 })).toThrow(RangeError);
    expect(() => new FrameDecoderStream({ role: 'client', maxSliceBytes: 0 })).toThrow(RangeError);
  });
});
