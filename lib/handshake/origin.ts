/**
 * Which pages may open a connection. A browser sends cookies along with any handshake and lets any page begin one, so
 * the Origin field is all that tells a server's own page from a foreign one.
 *
 * Law: an origin passes only where it is understood in full. Everything else is refused: `null`, userinfo, a path, an
 * unknown scheme. No part of an origin is ever compared by prefix or suffix.
 *
 * @see RFC 6455 §10.2; RFC 6454 §6.2 (serialization)
 */

import { type Authority, parseAuthority } from './field-grammar.ts';
import type { HandshakeRequest } from './server-handshake.ts';

/**
 * Decides about a request with an Origin field: `'*'` allows all; a list allows the origins in it, each as a browser
 * writes it (`'https://example.com'`, `'http://localhost:5173'`, or `'null'` for sandboxed pages and files); a function
 * decides for itself, at once (for what needs a promise there is `authorize`). Only `true` allows.
 */
export type OriginPolicy = '*' | readonly string[] | ((origin: string, request: HandshakeRequest) => boolean);

interface Origin {
  readonly scheme: string;
  readonly hostname: string;
  /** The port as written, or the default of the scheme; undefined where the scheme has none. */
  readonly port: number | undefined;
}

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['http', 80],
  ['https', 443],
]);

const originOf = (scheme: string, { hostname, port }: Authority): Origin => ({
  scheme,
  hostname,
  port: port ?? DEFAULT_PORTS.get(scheme),
});

/** Reads a serialized origin, `scheme "://" host [ ":" port ]`; null for anything else, `'null'` included. */
function parseOrigin(text: string): Origin | null {
  const separator = text.indexOf('://');
  const scheme = text.slice(0, Math.max(separator, 0));
  if (!/^[a-z][a-z\d+\-.]*$/i.test(scheme)) return null;
  const authority = parseAuthority(text.slice(separator + 3));
  return authority && originOf(scheme.toLowerCase(), authority);
}

/**
 * Says whether a request may go on, judged by its Origin field.
 *
 * "Servers that are not intended to process input from any web page but only for certain sites SHOULD verify the
 * |Origin| field is an origin they expect." (§10.2)
 *
 * A page whose name was made to resolve to this server (DNS rebinding) is of the same host; a server that nobody
 * outside should reach, such as one on localhost, is safer with a list.
 *
 * @param origin the Origin field; undefined, as from programs that are no browser, always passes
 * @param host the Host field of the same request
 * @param policy the policy; undefined allows pages of the same host and port over http or https, where a port that is
 * not written is the default port of the origin's scheme
 * @param request what a function as policy is given
 * @see RFC 6455 §10.2
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string,
  policy: OriginPolicy | undefined,
  request: HandshakeRequest,
): boolean {
  if (origin === undefined || policy === '*') return true;
  if (policy === undefined) return isSameHost(origin, host);
  // A promise is truthy: an async function must not allow everything.
  if (typeof policy === 'function') return policy(origin, request) === true;
  return policy.some((entry) => isSameOrigin(entry, origin));
}

function isSameHost(originText: string, hostText: string): boolean {
  const origin = parseOrigin(originText);
  const host = parseAuthority(hostText);
  if (origin === null || host === null) return false;
  const defaultPort = DEFAULT_PORTS.get(origin.scheme);
  if (defaultPort === undefined) return false;
  return origin.hostname === host.hostname && origin.port === (host.port ?? defaultPort);
}

function isSameOrigin(leftText: string, rightText: string): boolean {
  if (leftText === 'null') return rightText === 'null';
  const left = parseOrigin(leftText);
  const right = parseOrigin(rightText);
  if (left === null || right === null) return false;
  return left.scheme === right.scheme && left.hostname === right.hostname && left.port === right.port;
}

/**
 * Checks a policy once, where the option is read: an entry that no browser would ever send is a mistake to be told,
 * not one to be refused for ever in silence.
 *
 * @throws TypeError for a policy of another kind, and for an entry that is no serialized origin (a bare host, a path, a
 * closing slash)
 */
export function assertOriginPolicy(policy: OriginPolicy | undefined): void {
  if (policy === undefined || policy === '*' || typeof policy === 'function') return;
  if (!Array.isArray(policy)) throw new TypeError("origins must be '*', a list of origins, or a function");
  for (const entry of policy) {
    if (entry !== 'null' && (typeof entry !== 'string' || parseOrigin(entry) === null)) {
      throw new TypeError(`origins: ${JSON.stringify(entry)} is not an origin such as 'https://example.com'`);
    }
  }
}
