/**
 * Makes a WebSocket connection of a request that came to somebody else's server, or over a bare connection. Here the
 * paths of a socket begin that no {@link WsServer} watches.
 */

import { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { type ResolvedUpgradeOptions, resolveUpgradeOptions, type UpgradeOptions } from '../endpoint-options.ts';
import { acceptUpgrade, reportRefusal, slowRefusal, type Upgrade, watchUpgrade } from './accept-upgrade.ts';
import { lateHeadRefusal, parseHead } from './head-parser.ts';
import { Refusal, sendRefusal } from './refusal.ts';
import { SocketWatch } from './socket-watch.ts';

/**
 * Accepts a WebSocket handshake over a bare connection: TCP, TLS, or any Duplex of bytes.
 *
 * @param socket the connection; it may be paused or flow, and it is ours from now on
 * @param bytes what was already read from it, from the first byte of the request on; the rest is read as needed
 * @param options who may connect, and the limits of the connection
 * @returns the connection; `null` where the handshake was refused, which was then answered with its HTTP status and
 * told to `options.onRefused`, or where the socket is dead
 * @throws TypeError, RangeError for wrong arguments, as a rejection, and nothing else
 * @see RFC 6455 §4.2
 */
export function wsUpgrade<Context = unknown>(
  socket: Duplex,
  bytes: Uint8Array,
  options?: UpgradeOptions<Context> | undefined,
): Promise<WsConnection<Context> | null>;
/**
 * Accepts a WebSocket handshake in the `'upgrade'` event of an HTTP server. Call it in the event itself: a socket that
 * fails while nobody listens ends the process.
 *
 * @param request the request
 * @param socket its socket, ours from now on
 * @param head the bytes behind the request that were already read
 */
export function wsUpgrade<Context = unknown>(
  request: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
  options?: UpgradeOptions<Context> | undefined,
): Promise<WsConnection<Context> | null>;
export async function wsUpgrade(
  first: Duplex | IncomingMessage,
  second: Uint8Array | Duplex,
  third?: Uint8Array | UpgradeOptions | undefined,
  fourth?: UpgradeOptions | undefined,
): Promise<WsConnection | null> {
  if (second instanceof Uint8Array) {
    assertDuplex(first);
    return upgradeRaw(first, second, resolveUpgradeOptions(third as UpgradeOptions | undefined));
  }
  assertDuplex(second);
  if (!(first instanceof IncomingMessage)) throw new TypeError('request must be an IncomingMessage of node:http');
  if (!(third instanceof Uint8Array)) throw new TypeError('head must be a Uint8Array');
  const options = resolveUpgradeOptions(fourth);
  const upgrade: Upgrade = { message: first, socket: second, head: third };
  return acceptUpgrade(upgrade, options, watchUpgrade(second, options.handshakeTimeoutMs));
}

/** Asks for the methods, not the class: streams of other packages are Duplexes too. */
function assertDuplex(value: unknown): asserts value is Duplex {
  const stream = value as Partial<Duplex> | null | undefined;
  const isDuplex = typeof stream?.read === 'function' && typeof stream.write === 'function';
  if (!isDuplex) throw new TypeError('socket must be a Duplex');
}

async function upgradeRaw(
  socket: Duplex,
  bytes: Uint8Array,
  options: ResolvedUpgradeOptions,
): Promise<WsConnection | null> {
  const watch = new SocketWatch(socket, options.handshakeTimeoutMs, lateHeadRefusal);
  const { parsed, release } = parseHead(socket, bytes, options.maxHeaderBytes);
  const result = await Promise.race([watch.interrupted, parsed]);
  release();
  if (result !== null && !(result instanceof Refusal)) {
    watch.lateRefusal = slowRefusal;
    return acceptUpgrade(result.upgrade, options, watch, { admit: () => (result.isUpgrade ? undefined : unlike()) });
  }
  if (result === null || !socket.writable) socket.destroy();
  else {
    sendRefusal(socket, result);
    reportRefusal(result, options);
  }
  watch.release();
  return null;
}

/** The answer where Node's parser and our rules read a request differently: what follows it might be HTTP. */
function unlike(): Refusal {
  return new Refusal(400, 'the request does not ask for an upgrade', { code: 'WS_ERR_HANDSHAKE' });
}
