import { describe, expect, it, vi } from 'vitest';
import { resolveHistory } from '../../lib/fanout/backplane/memory-log.ts';
import { RedisBroker } from '../../lib/redis/redis-broker.ts';
import { type BrokerSubject, createPublisher, describeBroker } from '../support/broker-rules.ts';
import { requireClient, startBroker } from '../support/brokers.ts';

const { createClient } = requireClient('redis');

async function prepare(hasLog: boolean): Promise<BrokerSubject> {
  const redis = await startBroker('redis');
  const client = createClient({ url: redis.url, socket: { reconnectStrategy: 50 } });
  return {
    create: (maxMessages) => new RedisBroker(client, 'spec:', hasLog ? resolveHistory({ maxMessages }) : undefined),
    kill: () => redis.kill(),
    revive: () => redis.start(),
  };
}

describeBroker('Redis pub/sub', () => prepare(false), false);
describeBroker('Redis Streams', () => prepare(true), true);

const handlers = () => ({
  ...{ connected: vi.fn(), disconnected: vi.fn(), message: vi.fn(), appended: vi.fn(), malformed: vi.fn() },
});

describe('Redis, as a broker', () => {
  it('goes on where the strategy of a client is to give up', async () => {
    const redis = await startBroker('redis');
    const client = createClient({ url: redis.url, socket: { reconnectStrategy: false } });
    const broker = new RedisBroker(client, '', undefined);
    const told = handlers();
    broker.start(told);
    await vi.waitFor(() => expect(told.connected).toHaveBeenCalledTimes(1));
    await redis.kill();
    await vi.waitFor(() => expect(told.disconnected).toHaveBeenCalled());
    await redis.start();
    await vi.waitFor(() => expect(told.connected).toHaveBeenCalledTimes(2), { timeout: 10_000 });
    await broker.close();
  });

  it('rejects what Redis refuses for good, and not what it refuses for now', async () => {
    const redis = await startBroker('redis');
    const broker = new RedisBroker(createClient({ url: redis.url }), '', resolveHistory({}));
    const told = handlers();
    broker.start(told);
    await vi.waitFor(() => expect(told.connected).toHaveBeenCalled());
    const own = createClient({ url: redis.url });
    await own.connect();
    await own.set('log:x', 'no stream');
    const message = createPublisher()('a');
    await expect(broker.publish('x', [message])).rejects.toThrow(/WRONGTYPE/);
    await own.configSet('maxmemory', '1');
    expect(await broker.publish('y', [message])).toBe(false);
    await own.configSet('maxmemory', '0');
    expect(await broker.publish('y', [message])).toBe(true);
    own.destroy();
    await broker.close();
  });

  it('tells of what others write where only it should', async () => {
    const redis = await startBroker('redis');
    const broker = new RedisBroker(createClient({ url: redis.url }), '', resolveHistory({}));
    const told = handlers();
    broker.start(told);
    await vi.waitFor(() => expect(told.connected).toHaveBeenCalled());
    await broker.subscribe('x');
    const own = createClient({ url: redis.url });
    await own.connect();
    for (const text of ['hello', 'two words', '1-0 0-0']) await own.publish('log:x', text);
    await own.xAdd('log:x', '*', { their: 'entry' });
    await vi.waitFor(() => expect(told.malformed).toHaveBeenCalledTimes(3));
    const { entries } = await broker.log!.read('x', undefined, 10);
    expect(entries).toMatchObject([{ previous: '', bytes: Buffer.alloc(0) }]);
    expect(told.appended).not.toHaveBeenCalled();
    own.destroy();
    await broker.close();
  });
});
