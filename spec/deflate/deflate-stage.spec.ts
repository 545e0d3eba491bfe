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

  it('takes only frames', async () => {
    const { error } = await put(create(new DeflatePool()), ['text' as unknown as WsFrame]);
    expect(error).toBeInstanceOf(TypeError);
  });
});
