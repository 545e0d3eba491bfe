/**
 * The little of the npm package `redis` that is used here, by its shape: whoever does not use Redis needs no types of it.
 */
import { loadPackage } from '../fanout/backplane/peer-package.ts';

/** A client of `redis`, as its `createClient` gives it. It is not used itself: its settings are. */
export interface RedisClientSource {
  duplicate(overrides?: Record<string, unknown>): unknown;
}

/** A connection to Redis. */
export interface RedisClient {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (error: Error) => void): unknown;
  sendCommand(args: readonly (string | Uint8Array)[], options?: object): Promise<unknown>;
  subscribe(channel: string, listener: RedisListener, isBuffer: true): Promise<unknown>;
  unsubscribe(channel: string, listener: RedisListener, isBuffer: true): Promise<unknown>;
}

/** Is given what was published on a channel. */
export type RedisListener = (message: Buffer, channel: Buffer) => void;

/** Makes a client that has the settings for a URL, and is not connected. */
export async function createRedisClient(url: string): Promise<RedisClientSource> {
  const { createClient } = await loadPackage('redis');
  // A broker that has gone silent is away: an answer to the pings is due within the timeout.
  const socket = { socketTimeout: 30_000 };
  return (createClient as (options: object) => RedisClientSource)({ url, socket, pingInterval: 10_000 });
}

/** The start of the errors that Redis answers and that pass: it is loading, full, or about to change its master. */
const PASSING = /^(?:LOADING|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MISCONF|OOM|NOREPLICAS|UNKILLABLE) /;

/** Whether Redis has refused a command, and will again. */
export function isRefusal(error: unknown): boolean {
  // Its answers begin with a code in capitals; what befalls a connection does not.
  return error instanceof Error && /^[A-Z]+ /.test(error.message) && !PASSING.test(error.message);
}
