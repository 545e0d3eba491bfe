import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { StreamFace } from '../../../lib/connection/faces/stream-face.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';

function setUp(): { stream: Duplex; face: StreamFace } {
  const stream = new Duplex({
    objectMode: true,
    readableHighWaterMark: 1,
    read() {},
    write: (_chunk, _encoding, callback) => callback(),
  });
  return { stream, face: new StreamFace(stream) };
}

describe('the face of a stream', () => {
  it('takes back what was read ahead', () => {
    const { face } = setUp();
    const frame = WsFrame.text('ahead');
    expect(face.takeAhead()).toBeUndefined();
    expect(face.push(frame)).toBe(false);
    expect(face.takeAhead()).toBe(frame);
    expect(face.takeAhead()).toBeUndefined();
  });

  it('asks when read() had nothing, until it is given something, and while data flows', () => {
    const { stream, face } = setUp();
    expect(face.isAsking).toBe(false);
    face.asked();
    expect(face.isAsking).toBe(true);
    face.push(WsFrame.text('a'));
    expect(face.isAsking).toBe(false);
    stream.read();
    expect(face.isAsking).toBe(false);
    stream.on('data', () => {});
    expect([face.isFlowing, face.isAsking]).toEqual([true, true]);
    stream.destroy();
    expect(face.isDestroyed).toBe(true);
  });

  it('knows whether somebody reads, though he may have stopped for a while', () => {
    const ways: [(stream: Duplex) => unknown, boolean][] = [
      [() => {}, false],
      [(stream) => stream.resume(), true],
      [(stream) => stream.pause(), false],
      [(stream) => stream.on('data', () => {}), true],
      [(stream) => stream.on('data', () => {}).pause(), true],
      [(stream) => stream.on('readable', () => {}), true],
      [(stream) => stream.pipe(new PassThrough()), true],
      [(stream) => stream.unpipe(stream.pipe(new PassThrough())), false],
    ];
    for (const [read, isRead] of ways) {
      const { stream, face } = setUp();
      read(stream);
      expect(face.isRead).toBe(isRead);
      stream.destroy();
    }
  });

  it('knows whether something is piped into it', () => {
    const { stream, face } = setUp();
    const source = new PassThrough();
    expect(face.isPipedInto).toBe(false);
    source.pipe(stream);
    expect(face.isPipedInto).toBe(true);
    source.unpipe(stream);
    expect(face.isPipedInto).toBe(false);
  });

  it('ends both sides when nobody reads and nobody pipes', async () => {
    const { stream, face } = setUp();
    face.endReading(Promise.resolve(), () => new Error('not wanted'));
    await once(stream, 'close');
    expect([stream.readableEnded, stream.writableFinished, stream.errored]).toEqual([true, true, null]);
  });

  it('leaves the writing side to what is piped into it, and tells that when all is over', async () => {
    const { stream, face } = setUp();
    const source = new PassThrough();
    source.pipe(stream);
    const error = new Error('it is over');
    const seen = once(stream, 'error');
    let over!: () => void;
    face.endReading(new Promise<void>((resolve) => (over = resolve)), () => error);
    await once(stream, 'end');
    expect(stream.writableEnded).toBe(false);
    over();
    expect(await seen).toEqual([error]);
    source.destroy();
  });

  it('is given nothing when it is gone, though somebody listens', async () => {
    const { stream, face } = setUp();
    const got: unknown[] = [];
    stream.on('data', (frame) => got.push(frame));
    await new Promise((resolve) => setImmediate(resolve));
    expect(face.push(WsFrame.text('a'))).toBe(true);
    stream.destroy();
    face.gone();
    expect([face.push(WsFrame.text('b')), got.length]).toEqual([false, 1]);
  });
});
