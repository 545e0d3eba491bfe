import { expect, it, onTestFinished, vi } from 'vitest';
import type { Backplane } from '../../lib/fanout/backplane/backplane.ts';
import { type NatsBackplaneOptions, natsBackplane } from '../../lib/nats/nats-backplane.ts';
import { requireClient, startBroker } from '../support/brokers.ts';

const { connect } = requireClient('@nats-io/transport-node');

it('joins processes over NATS, goes on while it is away, and tells what it takes to be too large', async () => {
  const nats = await startBroker('nats');
  const create = async (): Promise<Backplane> => {
    const connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const backplane = await natsBackplane({ connection });
    onTestFinished(async () => {
      await backplane.close();
      await connection.close();
    });
    return backplane;
  };
  const [one, other] = [await create(), await create()];
  const lines: string[] = [];
  const subscriptions = [one, other].map((backplane, index) =>
    backplane.subscribe('x', (message) => lines.push(`${index} ${message.payloadText()}`)),
  );
  await Promise.all(subscriptions.map(({ ready }) => ready));
  expect(await one.publish('x', 'a')).toBe(true);
  await vi.waitFor(() => expect(lines).toEqual(['0 a', '1 a']));
  const refused = vi.fn();
  one.on('refused', refused);
  expect(await one.publish('y', Buffer.alloc(1_048_576))).toBe(false);
  expect(refused.mock.calls[0]?.[0].error.code).toBe('WS_ERR_BACKPLANE_TOO_LARGE');
  await nats.kill();
  await vi.waitFor(() => expect([one.isConnected, other.isConnected]).toEqual([false, false]));
  const taken = one.publish('x', 'b');
  expect(lines.at(-1)).toBe('0 b');
  await nats.start();
  expect(await taken).toBe(true);
  await Promise.all(subscriptions.map(({ ready }) => ready));
  await one.publish('x', 'c');
  await vi.waitFor(() => expect(lines).toContain('1 c'));
  const missed = ['b'].filter((text) => !lines.includes(`1 ${text}`));
  expect(other.stats).toMatchObject({ lost: missed.length, duplicates: 0 });
});

it.each([
  [undefined],
  [{}],
  [{ servers: 7 }],
  [{ servers: 'x', connection: {} }],
  [{ connection: {} }],
  [{ servers: 'x', prefix: 'a b' }],
])('rejects %o', async (options) => {
  await expect(natsBackplane(options as NatsBackplaneOptions)).rejects.toThrow(TypeError);
});
