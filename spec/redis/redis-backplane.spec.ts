import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Backplane } from '../../lib/fanout/backplane/backplane.ts';
import { type RedisBackplaneOptions, redisBackplane } from '../../lib/redis/redis-backplane.ts';
import { requireClient, startBroker } from '../support/brokers.ts';

const { createClient } = requireClient('redis');

/** Two processes' worth of backplanes over a Redis of their own. */
async function setUp(options: RedisBackplaneOptions = {}) {
  const redis = await startBroker('redis');
  const create = async (): Promise<Backplane> => {
    const backplane = await redisBackplane({ client: createClient({ url: redis.url }), ...options });
    onTestFinished(() => backplane.close());
    return backplane;
  };
  const [one, other] = [await create(), await create()];
  const lines: string[] = [];
  const subscriptions = [one, other].map((backplane, index) =>
    backplane.subscribe('x', (message) => lines.push(`${index} ${message.payloadText()}`)),
  );
  await Promise.all(subscriptions.map(({ ready }) => ready));
  return { redis, one, other, lines, subscriptions };
}

describe('a backplane over Redis', () => {
  it('goes on here while Redis is away, and gives it what waits when it is back', async () => {
    const { redis, one, other, lines, subscriptions } = await setUp();
    expect(await one.publish('x', 'a')).toBe(true);
    await vi.waitFor(() => expect(lines).toHaveLength(2));
    await redis.kill();
    await vi.waitFor(() => expect([one.isConnected, other.isConnected]).toEqual([false, false]));
    const taken = one.publish('x', 'b');
    expect(lines.at(-1)).toBe('0 b');
    await redis.start();
    expect(await taken).toBe(true);
    await Promise.all(subscriptions.map(({ ready }) => ready));
    await one.publish('x', 'c');
    await vi.waitFor(() => expect(lines).toContain('1 c'));
    // What came before the other was back is counted, and nothing else.
    const missed = ['a', 'b', 'c'].filter((text) => !lines.includes(`1 ${text}`));
    expect(other.stats.lost).toBe(missed.length);
    expect(other.stats).toMatchObject({ connects: 2, disconnects: 1, duplicates: 0 });
  });

  it('with history loses nothing', async () => {
    const { redis, one, lines } = await setUp({ history: {} });
    await one.publish('x', 'a');
    await redis.kill();
    const taken = ['b', 'c'].map((text) => one.publish('x', text));
    await redis.start();
    expect(await Promise.all(taken)).toEqual([true, true]);
    await vi.waitFor(() => expect(lines.toSorted()).toEqual(['0 a', '0 b', '0 c', '1 a', '1 b', '1 c']));
  });

  it('starts without Redis, and says so', async () => {
    const redis = await startBroker('redis');
    await redis.kill();
    const backplane = await redisBackplane({ client: createClient({ url: redis.url }) });
    onTestFinished(() => backplane.close());
    const error = await new Promise<Error | undefined>((resolve) => backplane.once('disconnected', resolve));
    expect(error?.message).toContain('ECONNREFUSED');
    const taken = backplane.publish('x', 'a');
    await redis.start();
    expect(await taken).toBe(true);
  });
});

it.each([
  [undefined],
  [{}],
  [{ url: 'redis://localhost', client: createClient() }],
  [{ url: 7 }],
  [{ client: {} }],
  [{ client: createClient(), prefix: 7 }],
  [{ client: createClient(), history: 7 }],
  [{ client: createClient(), whileAway: 'wait' }],
])('rejects %o', async (options) => {
  await expect(redisBackplane(options as RedisBackplaneOptions)).rejects.toThrow(TypeError);
});
