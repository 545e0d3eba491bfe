import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NatsBroker } from '../../lib/nats/nats-broker.ts';
import type { NatsConnection } from '../../lib/nats/nats-connection.ts';
import { createPublisher, describeBroker } from '../support/broker-rules.ts';
import { requireClient, startBroker } from '../support/brokers.ts';

const { connect } = requireClient('@nats-io/transport-node');

const dial = (url: string, options: object = {}): (() => Promise<NatsConnection>) => {
  const settings = { servers: url, noEcho: true, maxReconnectAttempts: -1, reconnectTimeWait: 50, ...options };
  return () => connect({ ...settings });
};

describeBroker(
  'NATS',
  async () => {
    const nats = await startBroker('nats');
    return {
      create: () => new NatsBroker(dial(nats.url, { noEcho: false }), 'spec.', false),
      kill: () => nats.kill(),
      revive: () => nats.start(),
    };
  },
  false,
);

const handlers = () => ({
  ...{ connected: vi.fn(), disconnected: vi.fn(), message: vi.fn(), appended: vi.fn(), malformed: vi.fn() },
});

describe('NATS, as a broker', () => {
  it('knows how large a message NATS takes', async () => {
    const nats = await startBroker('nats');
    const broker = new NatsBroker(dial(nats.url), 'spec.', false);
    onTestFinished(() => broker.close());
    expect(broker.maxMessageBytes).toBeUndefined();
    const told = handlers();
    broker.start(told);
    await vi.waitFor(() => expect(told.connected).toHaveBeenCalled());
    expect(broker.maxMessageBytes).toBe(1_048_576);
  });

  it('makes a connection anew that has given up, or could not be made', async () => {
    const nats = await startBroker('nats');
    await nats.kill();
    const broker = new NatsBroker(dial(nats.url, { reconnect: false }), 'spec.', false);
    onTestFinished(() => broker.close());
    const told = handlers();
    broker.start(told);
    await vi.waitFor(() => expect(told.disconnected).toHaveBeenCalled());
    await nats.start();
    await vi.waitFor(() => expect(told.connected).toHaveBeenCalledTimes(1), { timeout: 5000 });
    await broker.subscribe('x');
    await nats.kill();
    await nats.start();
    await vi.waitFor(() => expect(told.connected).toHaveBeenCalledTimes(2), { timeout: 5000 });
    await broker.subscribe('x');
    await broker.close();
  });

  it('says so where it may not publish or subscribe', async () => {
    const users =
      'authorization: { users: [{ user: u, password: p, permissions: { publish: "spec.a", subscribe: "spec.b" } }] }';
    const nats = await startBroker('nats', ['-c', await writeConfig(users)]);
    const broker = new NatsBroker(dial(nats.url, { user: 'u', pass: 'p' }), 'spec.', false);
    onTestFinished(() => broker.close());
    const told = handlers();
    broker.start(told);
    await vi.waitFor(() => expect(told.connected).toHaveBeenCalled());
    const write = createPublisher();
    expect(await broker.publish('a', [write('a')])).toBe(true);
    await expect(broker.publish('b', [write('b')])).rejects.toThrow(/permission/i);
    await expect(broker.subscribe('a')).rejects.toThrow('does not let us subscribe');
    await broker.subscribe('b');
    await broker.unsubscribe('b');
    await broker.unsubscribe('never subscribed to');
  });

  it('leaves a connection that is not its own as it was', async () => {
    const nats = await startBroker('nats');
    const connection = await dial(nats.url)();
    onTestFinished(() => connection.close());
    const broker = new NatsBroker(async () => connection, 'spec.', true);
    const told = handlers();
    broker.start(told);
    await vi.waitFor(() => expect(told.connected).toHaveBeenCalled());
    await broker.subscribe('x');
    await broker.close();
    expect(connection.isClosed()).toBe(false);
    await connection.flush();
  });

  it('closes what is connected only after its end', async () => {
    const nats = await startBroker('nats');
    const connection = await dial(nats.url)();
    const broker = new NatsBroker(async () => connection, 'spec.', false);
    broker.start(handlers());
    await broker.close();
    await vi.waitFor(() => expect(connection.isClosed()).toBe(true));
  });
});

async function writeConfig(text: string): Promise<string> {
  const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const folder = await mkdtemp(`${tmpdir()}/wspipe-nats-`);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(`${folder}/nats.conf`, text);
  return `${folder}/nats.conf`;
}
