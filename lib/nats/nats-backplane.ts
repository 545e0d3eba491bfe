/**
 * A backplane over NATS, through the npm package `@nats-io/transport-node`, which is yours to install.
 */
import { Backplane } from '../fanout/backplane/backplane.ts';
import type { BackplaneSettings } from '../fanout/backplane/backplane-options.ts';
import { NatsBroker } from './nats-broker.ts';
import { createNatsConnect, type NatsConnection } from './nats-connection.ts';

/** Where NATS is. */
export interface NatsBackplaneOptions extends BackplaneSettings {
  /**
   * A connection of yours, which stays yours: it is not closed. Make it with `maxReconnectAttempts: -1`: when it gives up,
   * so does the backplane.
   */
  readonly connection?: NatsConnection | undefined;
  /** Or servers: `'nats://host:4222'`, one or many; the package is then loaded here. */
  readonly servers?: string | readonly string[] | undefined;
  /** What all subjects begin with. Default `'wspipe.'`. */
  readonly prefix?: string | undefined;
}

/**
 * Makes a backplane over NATS. It connects by itself, and again: `'connected'` and `'disconnected'` tell.
 *
 * @returns a promise that does not wait for NATS
 * @throws TypeError, RangeError for options that cannot be; WsError (`WS_ERR_PACKAGE_MISSING`); as a rejection
 */
export async function natsBackplane(options: NatsBackplaneOptions): Promise<Backplane> {
  if (typeof options !== 'object' || options === null) throw new TypeError('The options must be an object');
  const { connection, servers, prefix = 'wspipe.', ...settings } = options;
  if ((connection === undefined) === (servers === undefined)) throw new TypeError('Give either connection or servers');
  if (connection !== undefined && typeof connection?.publish !== 'function') {
    throw new TypeError('connection must be a connection of @nats-io/transport-node');
  }
  if (servers !== undefined && typeof servers !== 'string' && !Array.isArray(servers)) {
    throw new TypeError('servers must be a string, or a list of them');
  }
  if (typeof prefix !== 'string' || /[\s*>]/.test(prefix)) throw new TypeError('prefix must be the start of a subject');
  const connect = connection === undefined ? await createNatsConnect(servers!) : async () => connection;
  return new Backplane({ ...settings, broker: new NatsBroker(connect, prefix, connection !== undefined) });
}
