/**
 * The session of HTTP/2 on whose stream a client connects: one of our own, which ends with its connection, or the
 * caller's, which is left as it is.
 *
 * Law: nothing is asked before the server has said that it takes extended CONNECTs.
 *
 * @see RFC 8441 §3
 */

import type { ClientRequestArgs } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import type { Duplex } from 'node:stream';
import { WheelTimer } from '../../connection/time/wheel-timer.ts';
import { HandshakeError } from '../../errors.ts';
import { addressOf, openSocket } from '../client/client-socket.ts';
import type { Itinerary } from '../client/redirect.ts';
import type { ResolvedConnectOptions } from '../endpoint-options.ts';
import type { HandshakeDeadline } from '../server/handshake-deadline.ts';

/** A session that may be used until it is released. */
export interface SessionLease {
  readonly session: ClientHttp2Session;
  readonly release: () => void;
}

/** ms in which a session of ours may end in peace before its socket is destroyed. */
const LINGER_MS = 1000;

/**
 * Gives a session that takes extended CONNECTs.
 *
 * @throws HandshakeError `WS_ERR_HTTP2` where the server does not speak HTTP/2 or takes none, TypeError for a session that
 * does not go with the URL, the system's error, and what `deadline` gives up with, as a rejection; no session of ours is
 * left then
 */
export async function leaseSession(
  itinerary: Itinerary,
  options: ResolvedConnectOptions,
  deadline: HandshakeDeadline,
): Promise<SessionLease> {
  const { http2 } = options;
  const lease =
    typeof http2 === 'object' ? { session: http2, release: ignore } : await open(itinerary, options, deadline);
  try {
    await deadline.race(untilReady(lease.session));
    if (lease.session === http2) assertFits(itinerary, http2);
    return lease;
  } catch (error) {
    lease.release();
    throw error;
  }
}

/** A session without TLS would make a `wss:` URL a lie. */
function assertFits({ target }: Itinerary, session: ClientHttp2Session): void {
  if (target.isSecure && !session.encrypted) throw new TypeError('a wss: URL needs a session over TLS');
}

async function open(
  itinerary: Itinerary,
  options: ResolvedConnectOptions,
  deadline: HandshakeDeadline,
): Promise<SessionLease> {
  // It takes 10 ms to load, so it is loaded where it is asked for.
  const { connect } = await deadline.race(import('node:http2'));
  const making = makeSocket(itinerary, options);
  const socket = await deadline.race(making, () => making.then((late) => late.destroy(), ignore));
  const { isSecure, host } = itinerary.target;
  const { maxHeaderBytes, maxHeaderCount } = options;
  const session = connect(`${isSecure ? 'https' : 'http'}://${host}`, {
    createConnection: () => socket,
    settings: { enablePush: false, maxHeaderListSize: Math.min(maxHeaderBytes, 0xffff_ffff) },
    // One of them is :status.
    maxHeaderListPairs: Math.min(maxHeaderCount + 1, 0x7fff_ffff),
  });
  // Its errors are told by who waits for it, and by the connection.
  session.on('error', ignore);
  return { session, release: () => end(session, socket) };
}

/** Makes the socket as the caller wants it; `createConnection` may return it, or call back. */
function makeSocket(itinerary: Itinerary, { createConnection }: ResolvedConnectOptions): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    if (createConnection === undefined) {
      resolve(openSocket(itinerary, 'h2'));
      return;
    }
    const { target, tls } = itinerary;
    const asked = { ...tls, ...addressOf(target), path: target.path } as ClientRequestArgs;
    const made = createConnection(asked, (error, socket) => (error ? reject(error) : resolve(socket!)));
    if (made) resolve(made);
  });
}

/** Ends a session of ours: the peer is told, and does not keep the socket by not answering. */
function end(session: ClientHttp2Session, socket: Duplex): void {
  if (session.connecting) socket.destroy();
  if (socket.destroyed) return;
  const timer = new WheelTimer(() => socket.destroy());
  timer.start(LINGER_MS);
  socket.once('close', () => timer.stop());
  session.close();
}

/** Those who wait for a session that is not ready yet wait together. */
const waits: WeakMap<ClientHttp2Session, Promise<void>> = new WeakMap();

function untilReady(session: ClientHttp2Session): Promise<void> {
  if (isReady(session)) return Promise.resolve();
  let wait = waits.get(session);
  if (wait === undefined) {
    const forget = (): boolean => waits.delete(session);
    waits.set(session, (wait = watchSettings(session)));
    wait.then(forget, forget);
  }
  return wait;
}

/**
 * "Upon receipt of SETTINGS_ENABLE_CONNECT_PROTOCOL with a value of 1, a client MAY use the Extended CONNECT" (§3). It may
 * come in the first SETTINGS or in a later one; behind the answer to a ping is all that the server has said so far.
 */
function watchSettings(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error | undefined): void => {
      session.off('connect', ask).off('remoteSettings', look).off('error', settle).off('close', onClose);
      if (isReady(session)) resolve();
      else reject(explainHttp2(error ?? unsupportedError('the server takes no WebSockets over HTTP/2')));
    };
    const look = (): void => {
      if (isReady(session)) settle();
    };
    const onClose = (): void => settle(unsupportedError('the session ended before it was known what the server takes'));
    const ask = (): void => {
      const protocol = session.alpnProtocol;
      if (protocol !== 'h2' && protocol !== 'h2c') settle(unsupportedError('the server does not speak HTTP/2'));
      else if (!session.ping((error) => settle(error ?? undefined))) settle(endedError());
    };
    session.on('connect', ask).on('remoteSettings', look).on('error', settle).on('close', onClose);
    if (hasEnded(session)) settle(endedError());
    else if (!session.connecting) ask();
  });
}

function hasEnded(session: ClientHttp2Session): boolean {
  return session.closed || session.destroyed;
}

function isReady(session: ClientHttp2Session): boolean {
  return !hasEnded(session) && !session.connecting && session.remoteSettings.enableConnectProtocol === true;
}

/** Node's errors about HTTP/2 are about the peer; all others are the system's, and stay as they are. */
export function explainHttp2(error: Error & { readonly code?: string | undefined }): Error {
  const isPeers = error.code?.startsWith('ERR_HTTP2_') || error.code?.endsWith('NO_APPLICATION_PROTOCOL');
  return isPeers ? unsupportedError('the server does not speak HTTP/2 as we do', error) : error;
}

function unsupportedError(message: string, cause?: Error | undefined): HandshakeError {
  return new HandshakeError('WS_ERR_HTTP2', 0, message, cause === undefined ? {} : { cause });
}

function endedError(): HandshakeError {
  return unsupportedError('the session has ended');
}

function ignore(): void {}
