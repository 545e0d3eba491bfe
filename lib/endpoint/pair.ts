/**
 * Two connections that are connected to each other in memory: for tests, and for talking to a part of the same process
 * as if it were elsewhere. All that is true of a connection over TCP is true here, backpressure included.
 */

import { WsConnection } from '../connection/ws-connection.ts';
import { acceptExtensions, confirmExtensions, offerExtensions } from '../handshake/extension-negotiation.ts';
import { type ConnectionOptions, resolveConnectionOptions } from '../options.ts';
import { openExtensions } from '../stream/ws-extension.ts';
import { type ExtensionOptions, resolveExtensions } from './extension-options.ts';
import { createMemoryDuplexes } from './memory-duplex.ts';

/** What one end takes. */
export interface PairEndOptions extends ConnectionOptions, ExtensionOptions {}

/** What both connections take, and what one of them takes in place of it. */
export interface PairOptions extends PairEndOptions {
  /** The subprotocol that both have. Default `''`: none. */
  readonly protocol?: string | undefined;
  /** Options of the client that differ. */
  readonly client?: PairEndOptions | undefined;
  /** Options of the server that differ. */
  readonly server?: PairEndOptions | undefined;
}

/** Two ends of one connection. */
export interface WsPair {
  readonly client: WsConnection;
  readonly server: WsConnection;
}

/**
 * Makes two connected connections, both open at once. Extensions are negotiated as in a handshake; permessage-deflate is
 * spoken where `perMessageDeflate` says so.
 *
 * @param options limits and so on, for both or for each
 * @throws HandshakeError where an extension of the client does not take what the server's answers
 * @throws TypeError, RangeError for an option that cannot be
 */
export function createPair(options: PairOptions = {}): WsPair {
  const { client: clientOptions, server: serverOptions, ...shared } = options;
  const forClient = { ...shared, ...clientOptions };
  const forServer = { ...shared, ...serverOptions };
  // Both are checked before the first one exists.
  for (const each of [forClient, forServer]) resolveConnectionOptions(each);
  const spoken = resolveExtensions(forClient, false);
  const accepted = acceptExtensions(offerExtensions(spoken), resolveExtensions(forServer, false));
  const confirmed = confirmExtensions(accepted.header, spoken);
  const [left, right] = createMemoryDuplexes();
  return {
    client: WsConnection.fromClient(left, { ...forClient, extensions: openExtensions(confirmed) }),
    server: WsConnection.fromServer(right, { ...forServer, extensions: openExtensions(accepted) }),
  };
}
