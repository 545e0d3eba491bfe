import { describe, expect, it } from 'vitest';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { WS_SEND_BUFFER } from '../../lib/protocol/sizes.ts';
import { FrameEncoderStream, type FrameEncoderStreamOptions } from '../../lib/web/frame-encoder-stream.ts';
import { turns } from '../support/endpoints.ts';
import { naiveDecode, naiveEncode, type WireFrame } from '../support/naive-peer.ts';

function encoder(options?: Partial<FrameEncoderStreamOptions>) {
  const { readable, writable } = new FrameEncoderStream({ role: 'server', ...options });
  return { reader: readable.getReader(), writer: writable.getWriter() };
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return chunks;
    chunks.push(value as Uint8Array);
  }
}

function framesOf(chunks: readonly Uint8Array[]): WireFrame[] {
  let bytes = Buffer.concat(chunks);
  const frames: WireFrame[] = [];
  for (let found = naiveDecode(bytes); found !== undefined; found = naiveDecode(bytes)) {
    frames.push(found.frame);
    bytes = bytes.subarray(found.length);
  }
  expect(bytes).toHaveLength(0);
  return frames;
}

describe('FrameEncoderStream', () => {
  it.each([0, 1, 125, 126, 65_535, 65_536, 300_000])('encodes a frame of %i bytes (§5.2)', async (size) => {
    const { reader, writer } = encoder();
    const payload = new Uint8Array(size).map((_byte, index) => index);
    void writer.write(WsFrame.binary(payload));
    void writer.close();
    const chunks = await readAll(reader);
    expect(Buffer.concat(chunks).equals(naiveEncode(2, payload))).toBe(true);
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThanOrEqual(WS_SEND_BUFFER);
  });

  it('masks as a client, with a fresh key each and never in the payload itself (§5.3)', async () => {
    const { reader, writer } = encoder({ role: 'client' });
    const payload = new Uint8Array(20).fill(0x55);
    for (let count = 0; count < 3; count++) void writer.write(WsFrame.binary(payload));
    void writer.close();
    const chunks = await readAll(reader);
    const frames = framesOf(chunks);
    expect(frames.map(({ isMasked, payload: sent }) => [isMasked, sent.equals(payload)])).toEqual([
      [true, true],
      [true, true],
      [true, true],
    ]);
    expect(payload).toEqual(new Uint8Array(20).fill(0x55));
    const keys = [0, 1, 2].map((index) => Buffer.concat(chunks).readUInt32BE(index * 26 + 2));
    expect(new Set(keys).size).toBe(3);
  });

  it('puts the frames that are written in one turn into one chunk', async () => {
    const { reader, writer } = encoder();
    const first = reader.read();
    for (let count = 0; count < 100; count++) void writer.write(WsFrame.text(`message ${count}`));
    const { value } = await first;
    expect(framesOf([value as Uint8Array])).toHaveLength(100);
    // Its own buffer, of about its own size: a reader may transfer it.
    expect(value!.buffer.byteLength).toBeLessThan(value!.length + 100 * 14);
  });

  it('gives each chunk a buffer of its own', async () => {
    const { reader, writer } = encoder();
    void writer.write(WsFrame.binary(new Uint8Array(200_000)));
    void writer.close();
    const chunks = await readAll(reader);
    expect(chunks).toHaveLength(4);
    expect(new Set(chunks.map(({ buffer }) => buffer)).size).toBe(4);
  });

  it('hands a frame over as soon as it is encoded, and resolves its write, with nothing behind it', async () => {
    const { reader, writer } = encoder();
    const payload = Uint8Array.of(1, 2, 3);
    const written = writer.write(WsFrame.binary(payload));
    const { value } = await reader.read();
    await written;
    payload.fill(9);
    expect([...(value as Uint8Array)]).toEqual([0x82, 3, 1, 2, 3]);
  });

  it('encodes nothing before it is read, and no more than is read of a large frame', async () => {
    const { reader, writer } = encoder();
    let isWritten = false;
    void writer.write(WsFrame.binary(new Uint8Array(200_000))).then(() => {
      isWritten = true;
    });
    for (let count = 0; count < 3; count++) {
      await turns();
      expect(isWritten).toBe(false);
      expect((await reader.read()).value).toHaveLength(WS_SEND_BUFFER);
    }
    await reader.read();
    await turns();
    expect(isWritten).toBe(true);
  });

  it('tells a writer when there is room, counted in bytes', async () => {
    const { reader, writer } = encoder({ maxBufferedBytes: 1000 });
    void writer.write(WsFrame.binary(new Uint8Array(986)));
    expect(writer.desiredSize).toBe(0);
    await reader.read();
    await writer.ready;
    expect(writer.desiredSize).toBe(1000);
  });

  it('sends what was written before a close, and refuses what comes behind it', async () => {
    const { reader, writer } = encoder();
    void writer.write(WsFrame.text('last'));
    void writer.close();
    await expect(writer.write(WsFrame.text('late'))).rejects.toBeInstanceOf(TypeError);
    const frames = framesOf(await readAll(reader));
    expect(frames.map(({ payload }) => payload.toString())).toEqual(['last']);
  });

  it('ends where nothing was written', async () => {
    const { reader, writer } = encoder();
    void writer.close();
    expect(await readAll(reader)).toEqual([]);
  });

  it.each(['text', new Uint8Array(1), { payload: { length: 1 } }, undefined])(
    'refuses %o with a TypeError',
    async (chunk) => {
      const { reader, writer } = encoder();
      await expect(writer.write(chunk as never)).rejects.toBeInstanceOf(TypeError);
      await expect(reader.read()).rejects.toBeInstanceOf(TypeError);
      await expect(writer.closed).rejects.toBeInstanceOf(TypeError);
      await expect(reader.closed).rejects.toBeInstanceOf(TypeError);
    },
  );

  it('fails where a payload is taken away while it is on its way', async () => {
    const { reader, writer } = encoder();
    const payload = new Uint8Array(200_000);
    const written = writer.write(WsFrame.binary(payload));
    await reader.read();
    structuredClone(payload.buffer, { transfer: [payload.buffer] });
    await expect(Promise.all([reader.read(), written])).rejects.toBeInstanceOf(TypeError);
    await expect(written).rejects.toBeInstanceOf(TypeError);
    await expect(writer.closed).rejects.toBeInstanceOf(TypeError);
    await expect(reader.closed).rejects.toBeInstanceOf(TypeError);
  });

  it('checks its options', () => {
    expect(() => new FrameEncoderStream({ role: 'peer' as never })).toThrow(TypeError);
    expect(() => new FrameEncoderStream({ role: 'client', maxBufferedBytes: 1.5 })).toThrow(RangeError);
  });
});
