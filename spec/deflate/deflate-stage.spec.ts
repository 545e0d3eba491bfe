import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DeflatePool } from '../../lib/deflate/deflate-pool.ts';
import { FrameDeflater } from '../../lib/deflate/frame-deflater.ts';
import { FrameInflater } from '../../lib/deflate/frame-inflater.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { compressed, noise, prose, put } from '../vectors/deflate.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Both stages, each with something to do that takes several turns. */
const stages = [
  ['an inflater', (pool: DeflatePool) => new FrameInflater({ pool }), () => largeFrame],
  ['a deflater', (pool: DeflatePool) => new FrameDeflater({ pool }), () => WsFrame.binary(noise(600_000))],
] as const;
let largeFrame: WsFrame;

describe.each(stages)('%s', (_name, create, large) => {
  it.each([0, 1, 2, 3])('destroyed after %i turns gives everything back and emits nothing more', async (turns) => {
    const { frames } = await put(new FrameDeflater(), [WsFrame.binary(Buffer.alloc(3_000_000))]);
    largeFrame = compressed(frames[0]!.payload);
    const pool = new DeflatePool();
    const stage = create(pool);
    let count = 0;
    stage.on('data', () => count++);
    const told: unknown[] = [];
    stage.write(large(), (error) => told.push(error?.name));
    stage.write(WsFrame.ping(), (error) => told.push(error?.name));
    for (let i = 0; i < turns; i++) await turn();
    stage.destroy();
    const atDestroy = count;
    for (let i = 0; i < 5; i++) await turn();
    expect([count, pool.bytes, told.length]).toEqual([atDestroy, 0, 2]);
    expect(stage.read()).toBeNull();
  });

  it('destroyed by who reads emits nothing more', async () => {
    const pool = new DeflatePool();
    const stage = create(pool);
    let count = 0;
    stage.on('data', () => {
      count++;
      stage.destroy();
    });
    for (let i = 0; i < 4; i++) stage.write(WsFrame.ping());
    await turn();
    expect([count, pool.bytes]).toEqual([1, 0]);
  });

  it('at its end gives everything back', async () => {
    const pool = new DeflatePool();
    const { error } = await put(create(pool), [WsFrame.binary(prose(1000))]);
    expect([error, pool.bytes]).toEqual([undefined, 0]);
  });

  it('passes a fragment of no message as it is: sequence is judged by others', async () => {
    const { frames, error } = await put(create(new DeflatePool()), [new WsFrame(0, Buffer.from('stray'))]);
    expect(error).toBeUndefined();
    expect(frames.map((frame) => [frame.opcode, frame.rsv, frame.payloadText()])).toEqual([[0, 0, 'stray']]);
  });

  it('takes only frames', async () => {
    const { error } = await put(create(new DeflatePool()), ['text' as unknown as WsFrame]);
    expect(error).toBeInstanceOf(TypeError);
  });
});

describe('two stages with one pool', () => {
  const packed = (text: string): Buffer =>
    deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

  it('let each other keep what rests, until both are gone', async () => {
    const pool = new DeflatePool();
    const [one, other] = [new FrameInflater({ pool }), new FrameInflater({ pool })];
    for (const stage of [one, other]) {
      stage.write(compressed(packed('some text')));
      await stage[Symbol.asyncIterator]().next();
    }
    const bytes = pool.bytes;
    one.destroy();
    await turn();
    expect(pool.bytes).toBe(bytes);
    other.destroy();
    await turn();
    expect(pool.bytes).toBe(0);
  });

  it('take nothing from each other in the middle of a message, though it rested before', async () => {
    const pool = new DeflatePool({ maxBytes: 1 });
    const [one, other] = [new FrameInflater({ pool }), new FrameInflater({ pool })];
    const out: string[] = [];
    one.on('data', (frame: WsFrame) => out.push(frame.payloadText()));
    other.resume();
    const bytes = packed('a text of more than one byte');
    one.write(compressed(packed('before')));
    await turn();
    one.write(compressed(bytes.subarray(0, 5), 2, false));
    await turn();
    other.write(compressed(packed('in between')));
    await turn();
    one.write(compressed(bytes.subarray(5), 0, true));
    await turn();
    expect(out.join('')).toBe('beforea text of more than one byte');
    one.destroy();
    other.destroy();
  });
});
