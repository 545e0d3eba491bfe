/**
 * What is different where a WebSocket begins on a stream of HTTP/2: a CONNECT with `:protocol` takes the place of the GET
 * that asks for an upgrade, a 2xx that of the 101, and the fields that make sure of both are not there. Everything else
 * is judged by the rules of RFC 6455.
 *
 * Law: `:authority` is read as a Host field, and nobody is ever connected to what it names.
 *
 * @see RFC 8441
 */

import { HandshakeError } from '../errors.ts';
import { type FieldLine, type HeaderFields, isVisible, parseAuthority, singleValue } from './field-grammar.ts';
import type { HandshakeRequest } from './server-handshake.ts';

/**
 * "An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header fields. This includes the
 * Connection header field and those listed as having connection-specific semantics" (RFC 9113 §8.2.2)
 */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings', 'te'],
]);

/** Says whether a field is about one connection of HTTP/1.1, and stands in no message of HTTP/2. */
export function isConnectionField(name: string): boolean {
  return CONNECTION_FIELDS.has(name.toLowerCase());
}

/** Where a request over HTTP/2 stands as far as its pseudo-header fields say. */
export type TunnelKind = 'websocket' | 'other' | 'plain';

/**
 * Says what a CONNECT of HTTP/2 asks for: a WebSocket, another protocol, or, without `:protocol`, a tunnel to somewhere.
 *
 * @see RFC 8441 §4, §5
 */
export function readTunnelKind(protocol: string | undefined): TunnelKind {
  if (protocol === undefined) return 'plain';
  // "recipients SHOULD use case-insensitive comparison when matching each protocol-name to supported protocols" (RFC 9110
  // §7.8), whose registry is that of :protocol too (RFC 8441 §4).
  return protocol.toLowerCase() === 'websocket' ? 'websocket' : 'other';
}

/** Says whether a request is an extended CONNECT, in order or not. */
export function isExtendedConnect({ method, httpVersion, headers }: HandshakeRequest): boolean {
  return method === 'CONNECT' && httpVersion.startsWith('2') && headers[':protocol'] !== undefined;
}

/**
 * Judges what an extended CONNECT has in the place of the request line, Host, Upgrade, Connection and
 * Sec-WebSocket-Key.
 *
 * @returns the authority, to be taken for a Host field
 * @throws HandshakeError with the status to answer: 501 for another protocol than `websocket`, 400 for the rest
 * @see RFC 8441 §4, §5
 */
export function readExtendedConnect({ url, headers }: HandshakeRequest): string {
  // "The :protocol pseudo-header field MUST be included in the CONNECT request, and it MUST have a value of 'websocket'
  // to initiate a WebSocket connection on an HTTP/2 stream." (RFC 8441 §5) "If a server […] receives an Extended CONNECT
  // request with a ':protocol' value that is unknown or is not supported, the server SHOULD respond to the request with a
  // 501 (Not Implemented) status code." (RFC 9220 §3)
  if (readTunnelKind(singleValue(headers[':protocol'])) !== 'websocket') refuse(501, 'its :protocol is not websocket');
  // "On requests that contain the :protocol pseudo-header field, the :scheme and :path pseudo-header fields of the target
  // URI (see Section 5) MUST also be included." (§4)
  // "The scheme of the target URI MUST be 'https' for 'wss'-schemed WebSockets and 'http' for 'ws'-schemed WebSockets." (§5)
  const scheme = singleValue(headers[':scheme']);
  if (scheme !== 'https' && scheme !== 'http') refuse(400, 'its :scheme is neither https nor http');
  if (!url.startsWith('/') || !isVisible(url)) refuse(400, 'its :path is not a path');
  // "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used" (RFC 6455 §3)
  if (url.includes('#')) refuse(400, 'its :path has a fragment');
  assertNoConnectionFields(headers);
  return readAuthority(headers);
}

function assertNoConnectionFields(headers: HeaderFields): void {
  // "[RFC6455] requires the use of Connection and Upgrade header fields that are not part of HTTP/2. They MUST NOT be
  // included in the CONNECT request defined here." (RFC 8441 §5)
  const name = Object.keys(headers).find(isConnectionField);
  if (name !== undefined) refuse(400, `it has the field ${name}, which HTTP/2 has not`);
}

function readAuthority(headers: HeaderFields): string {
  // "[RFC6455] requires the use of a Host header field that is also not part of HTTP/2. The Host information is conveyed
  // as part of the :authority pseudo-header field, which is required on every HTTP/2 transaction." (RFC 8441 §5)
  const authority = singleValue(headers[':authority']);
  if (authority === undefined || parseAuthority(authority) === null) refuse(400, 'one valid :authority is needed');
  // "A server SHOULD treat a request as malformed if it contains a Host header field that identifies an entity that
  // differs from the entity in the ':authority' pseudo-header field." (RFC 9113 §8.3.1)
  const isSame = headers.host === undefined || singleValue(headers.host)?.toLowerCase() === authority.toLowerCase();
  if (!isSame) refuse(400, 'its Host is not its :authority');
  return authority;
}

function refuse(status: number, message: string): never {
  throw new HandshakeError('WS_ERR_HANDSHAKE', status, `the extended CONNECT is not in order: ${message}`);
}

/**
 * Writes the fields of an extended CONNECT: the pseudo-header fields first, and all names in lower case.
 *
 * @param lines the other fields of the request; a Host field becomes `:authority`
 * @throws TypeError for a field of the caller's that HTTP/2 does not have
 * @see RFC 8441 §5
 */
export function formatExtendedConnect(
  { isSecure, path, host }: { readonly isSecure: boolean; readonly path: string; readonly host: string },
  lines: readonly FieldLine[],
): FieldLine[] {
  const fields = lines.map(([name, value]): FieldLine => [name.toLowerCase(), value]);
  const alien = fields.find(([name]) => isConnectionField(name));
  if (alien !== undefined) throw new TypeError(`HTTP/2 has no header field ${alien[0]}`);
  const authority = fields.find(([name]) => name === 'host')?.[1] ?? host;
  return [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':scheme', isSecure ? 'https' : 'http'],
    [':authority', authority],
    [':path', path],
    ...fields.filter(([name]) => name !== 'host'),
  ];
}
