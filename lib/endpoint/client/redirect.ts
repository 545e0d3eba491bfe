/**
 * Where a redirect may lead, and what goes along.
 *
 * Law: what proves who we are (credentials, cookies, a client certificate) goes to the origin it was given for and to
 * no other, and TLS is never left.
 *
 * @see RFC 6455 §4.1 ("redirects … the client MUST … follow the normal procedures"); RFC 9110 §15.4
 */

import { HandshakeError } from '../../errors.ts';
import type { FieldLine } from '../../handshake/field-grammar.ts';
import type { ResolvedConnectOptions } from '../endpoint-options.ts';
import { type ConnectTarget, parseConnectTarget } from './connect-target.ts';

/** What one try is made with. */
export interface Itinerary {
  readonly target: ConnectTarget;
  /** The caller's header fields. */
  readonly headers: readonly FieldLine[];
  readonly tls: ResolvedConnectOptions['tls'];
}

/** A response that is not a 101, as far as it matters here. */
interface Redirect {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What stays behind when the origin changes. `Host` names the old one. */
const PRIVATE_FIELDS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'host']);

/** Says whether a status with a Location leads elsewhere. */
export function isRedirect({ status, headers }: Redirect): boolean {
  return REDIRECTS.has(status) && headers.location !== undefined;
}

/**
 * Takes the next step of a journey.
 *
 * @throws HandshakeError `WS_ERR_REDIRECT` for a Location that is no WebSocket URL, or that leads out of TLS
 */
export function followRedirect(from: Itinerary, redirect: Redirect): Itinerary {
  const target = readLocation(from.target, redirect);
  if (from.target.isSecure && !target.isSecure) throw redirectError(redirect, 'it leads out of TLS');
  if (target.origin === from.target.origin) {
    return { ...from, target: { ...target, authorization: target.authorization ?? from.target.authorization } };
  }
  // A Unix socket is local: no server elsewhere may send us there.
  if (target.socketPath !== undefined) throw redirectError(redirect, 'it leads to a Unix socket');
  const headers = from.headers.filter(([name]) => !PRIVATE_FIELDS.has(name.toLowerCase()));
  return { target, headers, tls: withoutIdentity(from.tls) };
}

function readLocation(from: ConnectTarget, redirect: Redirect): ConnectTarget {
  try {
    return parseConnectTarget(resolveLocation(from, redirect.headers.location ?? ''));
  } catch (cause) {
    throw redirectError(redirect, 'its Location cannot be followed', cause);
  }
}

function resolveLocation({ url, socketPath, path }: ConnectTarget, location: string): URL {
  if (socketPath === undefined) return withoutFragment(new URL(location, url));
  // Behind a Unix socket the request path is a part of the URL's path, so the Location is resolved on a stage of its own.
  const stage = withoutFragment(new URL(location, `http://localhost${path}`));
  if (stage.host !== 'localhost') return stage;
  return new URL(`${url.protocol}//${url.pathname.split(':')[0]}:${stage.pathname}${stage.search}`);
}

/** A Location may have a fragment (RFC 9110 §10.2.2), which is not for the server. */
function withoutFragment(url: URL): URL {
  url.hash = '';
  return url;
}

function withoutIdentity(tls: Itinerary['tls']): Itinerary['tls'] {
  if (tls === undefined) return undefined;
  const { cert: _cert, key: _key, pfx: _pfx, passphrase: _passphrase, servername: _servername, ...rest } = tls;
  return rest;
}

/** Makes the error for a redirect that is not followed. */
export function redirectError({ status, headers }: Redirect, reason: string, cause?: unknown): HandshakeError {
  const message = `the server redirects with status ${status}, and ${reason}`;
  return new HandshakeError('WS_ERR_REDIRECT', status, message, cause === undefined ? { headers } : { headers, cause });
}
