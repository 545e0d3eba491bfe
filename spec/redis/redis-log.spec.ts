import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { resolveHistory } from '../../lib/fanout/backplane/memory-log.ts';
import { parseTold, RedisLog } from '../../lib/redis/redis-log.ts';
import { createPublisher } from '../support/broker-rules.ts';
import { requireClient, startBroker } from '../support/brokers.ts';

const { createClient } = requireClient('redis');

async function setUp(history: object) {
  const redis = await startBroker('redis');
  const client = createClient({ url: redis.url });
  await client.connect();
  onTestFinished(() => client.destroy());
  const log = new RedisLog(client.sendCommand.bind(client), 'p:', resolveHistory(history));
  return { client, log };
}

describe('a log in Redis', () => {
  it('keeps no more than it is to, and no longer', async () => {
    const { client, log } = await setUp({ maxMessages: 3, maxAgeMs: 60_000 });
    const write = createPublisher();
    await client.xAdd('p:log:x', '1-0', { m: 'from long ago' });
    await log.append('x', [write('a'), write('b')]);
    const { entries } = await log.read('x', undefined, 10);
    expect(entries.map(({ bytes }) => `${bytes.subarray(16)}`)).toEqual(['a', 'b']);
    await log.append('x', ['c', 'd', 'e'].map(write));
    expect(await client.xLen('p:log:x')).toBe(3);
    expect(await client.pTTL('p:log:x')).toBeGreaterThan(50_000);
    // How far a publisher has come is forgotten in time.
    const [key] = await client.keys('p:sequence:*:x');
    expect(await client.ttl(key)).toBeGreaterThan(80_000);
  });

  it('has a place of its own when all of it has gone', async () => {
    const { client, log } = await setUp({});
    const write = createPublisher();
    await log.append('x', [write('a')]);
    const place = await log.newest('x');
    await client.xTrim('p:log:x', 'MAXLEN', 0);
    expect(await log.newest('x')).toBe(place);
    expect(await log.read('x', place, 10)).toEqual({ entries: [], isGap: false });
    await log.append('x', [write('b')]);
    expect((await log.read('x', place, 10)).isGap).toBe(false);
    await client.del('p:log:x');
    expect((await log.read('x', place, 10)).isGap).toBe(true);
    await vi.waitFor(async () => expect(await log.newest('x')).toBe('0-0'));
  });
});

it.each([
  ['1-0 0-0 bytes and more', { id: '1-0', previous: '0-0', bytes: Buffer.from('bytes and more') }],
  ['1-0 0-0 ', { id: '1-0', previous: '0-0', bytes: Buffer.alloc(0) }],
  ['1-0 0-0', undefined],
  ['', undefined],
  ['a b c', undefined],
  ['1-0 99999999999999999999-0 c', undefined],
])('parses what is told: %j', (text, expected) => {
  expect(parseTold(Buffer.from(text))).toEqual(expected);
});
