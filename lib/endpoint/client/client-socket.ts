/**
 * Makes the socket of a client. Here alone it is said whose certificate is right, so it is said always.
 */

import type { RequestOptions } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectTarget } from './connect-target.ts';
import type { Itinerary } from './redirect.ts';

/** Where a socket goes, in the words of `node:http`. */
export function addressOf({
  socketPath,
  hostname,
  port,
}: ConnectTarget): Pick<RequestOptions, 'host' | 'port' | 'socketPath'> {
  return socketPath === undefined ? { host: hostname, port } : { socketPath };
}

/**
 * Opens a TCP or TLS socket, or one to a Unix socket.
 *
 * @param protocol what is spoken on it, by its ALPN name
 */
export function openSocket({ target, tls }: Itinerary, protocol: 'http/1.1' | 'h2'): Socket {
  const { hostname, port, socketPath } = target;
  const address = socketPath === undefined ? { host: hostname, port } : { path: socketPath };
  if (!target.isSecure) return connectTcp(address);
  // "the client MUST use the Server Name Indication extension" (§4.1), which takes names only (RFC 6066 §3).
  const servername = isIP(hostname) === 0 ? hostname : '';
  return connectTls({ servername, ALPNProtocols: [protocol], ...tls, ...address });
}
