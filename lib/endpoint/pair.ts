/**
 * Two connections that are connected to each other in memory: for tests, and for talking to a part of the same process
 * as if it were elsewhere. All that is true of a connection over TCP is true here, backpressure included.
 */

import { WsConnection } from '../connection/ws-connection.ts';
import { type ConnectionOptions, resolveConnectionOptions } from '../options.ts';
import { createMemoryDuplexes } from './memory-duplex.ts';

/** What both connections take, and what one of them takes in place of it. */
export interface PairOptions extends ConnectionOptions {
  /** The subprotocol that both have. Default `''`: none. */
  readonly protocol?: string | undefined;
  /** Options of the client that differ. */
  readonly client?: ConnectionOptions | undefined;
  /** Options of the server that differ. */
  readonly server?: ConnectionOptions | undefined;
}

/** Two ends of one connection. */
export interface WsPair {
  readonly client: WsConnection;
  readonly server: WsConnection;
}

/**
 * Makes two connected connections, both open at once.
 *
 * @param options limits and so on, for both or for each
 * @throws TypeError, RangeError for an option that cannot be
 */
export function createPair(options: PairOptions = {}): WsPair {
  const { client: clientOptions, server: serverOptions, ...shared } = options;
  const forClient = { ...shared, ...clientOptions };
  const forServer = { ...shared, ...serverOptions };
  // Both are checked before the first one exists.
  for (const each of [forClient, forServer]) resolveConnectionOptions(each);
  const [left, right] = createMemoryDuplexes();
  return { client: WsConnection.fromClient(left, forClient), server: WsConnection.fromServer(right, forServer) };
}
