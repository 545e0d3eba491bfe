/**
 * A backplane over Redis 7 or later, through the npm package `redis`, which is yours to install.
 */
import { Backplane } from '../fanout/backplane/backplane.ts';
import type { BackplaneSettings } from '../fanout/backplane/backplane-options.ts';
import { type HistoryOptions, resolveHistory } from '../fanout/backplane/memory-log.ts';
import { RedisBroker } from './redis-broker.ts';
import { createRedisClient, type RedisClientSource } from './redis-client.ts';

/** Where Redis is, and what it keeps. */
export interface RedisBackplaneOptions extends BackplaneSettings {
  /**
   * A client of yours, connected or not. It is not used itself, and stays yours: two connections are made with its
   * settings, by its `duplicate()`.
   */
  readonly client?: RedisClientSource | undefined;
  /** Or a URL: `'redis://user:password@host:6379/0'`; the package `redis` is then loaded here. */
  readonly url?: string | undefined;
  /** What the names of all keys and channels begin with. Default `'wspipe/'`. */
  readonly prefix?: string | undefined;
  /** Keeps what is published in a stream for each name. Default: nothing is kept. All processes should say the same. */
  readonly history?: HistoryOptions | undefined;
}

/**
 * Makes a backplane over Redis. It connects by itself, and again: `'connected'` and `'disconnected'` tell.
 *
 * @returns a promise that does not wait for Redis
 * @throws TypeError, RangeError for options that cannot be; WsError (`WS_ERR_PACKAGE_MISSING`); as a rejection
 */
export async function redisBackplane(options: RedisBackplaneOptions): Promise<Backplane> {
  if (typeof options !== 'object' || options === null) throw new TypeError('The options must be an object');
  const { client, url, prefix = 'wspipe/', history, ...settings } = options;
  if ((client === undefined) === (url === undefined)) throw new TypeError('Give either client or url');
  if (url !== undefined && typeof url !== 'string') throw new TypeError('url must be a string');
  if (client !== undefined && typeof client?.duplicate !== 'function')
    throw new TypeError('client must have duplicate()');
  if (typeof prefix !== 'string') throw new TypeError('prefix must be a string');
  const kept = history === undefined ? undefined : resolveHistory(history);
  const broker = new RedisBroker(client ?? (await createRedisClient(url!)), prefix, kept);
  return new Backplane({ ...settings, broker });
}
