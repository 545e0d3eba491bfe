import { expect, it } from 'vitest';
import { MemoryBroker } from '../../../lib/fanout/backplane/memory-broker.ts';
import { MemoryLog } from '../../../lib/fanout/backplane/memory-log.ts';

function setUp() {
  const told: string[] = [];
  const broker = new MemoryBroker(new MemoryLog({}));
  broker.start({
    connected: () => told.push('connected'),
    disconnected: () => told.push('disconnected'),
    message: () => told.push('message'),
    appended: (channel, { bytes }) => told.push(`${channel} ${bytes}`),
    malformed: () => told.push('malformed'),
  });
  return { told, broker };
}

it('is there in a turn of its own, and never away', async () => {
  const { told } = setUp();
  expect(told).toEqual([]);
  await Promise.resolve();
  expect(told).toEqual(['connected']);
});

it('appends what is published, and tells those who have subscribed', async () => {
  const { told, broker } = setUp();
  expect(await broker.publish('a', [Buffer.from('unheard')])).toBe(true);
  await broker.subscribe('a');
  await broker.publish('a', [Buffer.from('1'), Buffer.from('2')]);
  await broker.publish('b', [Buffer.from('elsewhere')]);
  await broker.unsubscribe('a');
  await broker.publish('a', [Buffer.from('later')]);
  expect(told).toEqual(['connected', 'a 1', 'a 2']);
  expect((await broker.log.read('a', undefined, 10)).entries).toHaveLength(4);
});

it('tells nothing after its end', async () => {
  const { told, broker } = setUp();
  await broker.subscribe('a');
  told.length = 0;
  await broker.close();
  expect(await broker.publish('a', [Buffer.from('1')])).toBe(true);
  expect(told).toEqual([]);
});
