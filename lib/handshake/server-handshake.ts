/**
 * The server's half of the opening handshake: reads a request, and writes the fields of the answer that accepts it.
 *
 * Law: a request is in order or it is refused with the HTTP status that says why; nothing is repaired. Whether it is
 * wanted (origin, path, authorization, limits) is not decided here.
 *
 * @see RFC 6455 §4.2
 */

import { HandshakeError } from '../errors.ts';
import { computeAccept, isKey, type Sha1 } from './accept-key.ts';
import { type CallerHeaders, formatCallerHeaders, formatExtensionsField } from './caller-headers.ts';
import { isExtendedConnect, readExtendedConnect } from './extended-connect.ts';
import {
  type ExtensionOffer,
  type FieldLine,
  type HeaderFields,
  includesToken,
  isToken,
  isVisible,
  parseAuthority,
  parseExtensions,
  parseTokenList,
  parseUpgrade,
  singleValue,
} from './field-grammar.ts';

/** An HTTP request as far as a handshake looks at it. */
export interface HandshakeRequest {
  readonly method: string;
  /** `'1.1'`, as Node's `IncomingMessage.httpVersion`. */
  readonly httpVersion: string;
  /** The request target as it was sent. */
  readonly url: string;
  readonly headers: HeaderFields;
}

/** What a request that is in order asks for. */
export interface ServerHandshake {
  /** Undefined over HTTP/2, which has none. */
  readonly key: string | undefined;
  readonly host: string;
  /** The Origin field as it was sent; undefined where there is none, which says that no browser sent it. */
  readonly origin: string | undefined;
  /** The offered subprotocols, all different, in the client's order of preference. */
  readonly protocols: readonly string[];
  /** The offered extensions, in the client's order of preference; the same one may be offered several times. */
  readonly extensions: readonly ExtensionOffer[];
}

/** What the 101 says, or over HTTP/2 the 200. */
export interface ServerAnswer {
  /** The key of the request; undefined over HTTP/2, which has none. */
  readonly key: string | undefined;
  /** The subprotocols of the request. */
  readonly protocols: readonly string[];
  /** The chosen subprotocol, one of `protocols`; undefined for none. */
  readonly protocol?: string | undefined;
  /** The accepted extensions, as the value of `Sec-WebSocket-Extensions`; undefined for none. */
  readonly extensions?: string | undefined;
  /** Further fields. */
  readonly headers?: CallerHeaders | undefined;
}

// "A server MUST send an Upgrade header field in a 426 response" (RFC 9110 §15.5.22), and "a sender of Upgrade MUST also
// send an 'Upgrade' connection option in the Connection header field" (RFC 9110 §7.8).
const UPGRADE_FIELDS = { Upgrade: 'websocket', Connection: 'Upgrade' };

function refuse(status: number, message: string, headers: Readonly<Record<string, string>> = {}): never {
  throw new HandshakeError('WS_ERR_HANDSHAKE', status, message, { headers });
}

/**
 * Reads the opening handshake of a client.
 *
 * "If the server, while reading the handshake, finds that the client did not send a handshake that matches the
 * description below […] the server MUST stop processing the client's handshake and return an HTTP response with an
 * appropriate error code (such as 400 Bad Request)." (§4.2.1)
 *
 * @throws HandshakeError with the status and the fields to answer: 405 for another method than GET; 505 for another
 * HTTP than 1.x; 426 where no upgrade to WebSocket is asked for, or another version of it than 13; 400 for the rest; for
 * an extended CONNECT of HTTP/2, 501 for another protocol, and 400 for the rest
 * @see RFC 6455 §4.2.1; RFC 8441 §5
 */
export function readRequest(request: HandshakeRequest): ServerHandshake {
  const { headers } = request;
  const isHttp2 = isExtendedConnect(request);
  const host = isHttp2 ? readExtendedConnect(request) : readUpgrade(request);
  assertNoBody(headers);
  // It comes before the key: other versions have other keys.
  assertVersion(headers, isHttp2);
  return {
    host,
    // "Implementations using this extended CONNECT to bootstrap WebSockets do not do the processing of the
    // Sec-WebSocket-Key and Sec-WebSocket-Accept header fields of [RFC6455] as that functionality has been superseded by
    // the :protocol pseudo-header field." (RFC 8441 §5)
    key: isHttp2 ? undefined : readKey(headers),
    origin: readOrigin(headers),
    protocols: readProtocols(headers),
    extensions: readExtensions(headers),
  };
}

/** Judges what only a request of HTTP/1.1 has. @returns the host */
function readUpgrade(request: HandshakeRequest): string {
  assertRequestLine(request);
  const host = readHost(request.headers);
  assertUpgrade(request.headers);
  return host;
}

function assertRequestLine({ method, httpVersion, url }: HandshakeRequest): void {
  // "An HTTP/1.1 or higher GET request" (§4.2.1). A method's name is case-sensitive (RFC 9110 §9.1).
  if (method !== 'GET') refuse(405, 'a WebSocket handshake is a GET request', { Allow: 'GET' });
  // HTTP/1.0 is of a major version that we do speak, so 505 would be wrong: the request is, and 400 says so. HTTP/2 has
  // no Upgrade at all (RFC 9113 §8.6); WebSockets over it begin with an extended CONNECT (RFC 8441).
  if (!httpVersion.startsWith('1.')) refuse(505, 'a WebSocket handshake is an HTTP/1.1 request');
  if (httpVersion === '1.0') refuse(400, 'a WebSocket handshake needs HTTP/1.1');
  // "including a 'Request-URI' that should be interpreted as a /resource name/" (§4.2.1), which begins with a slash.
  // The absolute form, which the RFC allows besides, is for proxies: taken as a path, it leads elsewhere.
  if (!url.startsWith('/') || !isVisible(url)) refuse(400, 'the request target is not a path');
  // "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used" (§3)
  if (url.includes('#')) refuse(400, 'the request target has a fragment');
}

function readHost(headers: HeaderFields): string {
  // "A |Host| header field containing the server's authority." (§4.2.1) "A server MUST respond with a 400 (Bad Request)
  // status code to any HTTP/1.1 request message that lacks a Host header field and to any request message that
  // contains more than one Host header field line or a Host header field with an invalid field value" (RFC 9112 §3.2)
  const host = singleValue(headers.host);
  if (host === undefined || parseAuthority(host) === null) refuse(400, 'one valid Host field is needed');
  return host;
}

function assertUpgrade(headers: HeaderFields): void {
  // "An |Upgrade| header field containing the value 'websocket', treated as an ASCII case-insensitive value." (§4.2.1)
  const protocols = parseUpgrade(headers.upgrade ?? []);
  if (protocols === null) refuse(400, 'the Upgrade field is malformed');
  if (!includesToken(protocols, 'websocket')) refuse(426, 'this is a WebSocket endpoint', UPGRADE_FIELDS);
  // "A |Connection| header field that includes the token 'Upgrade', treated as an ASCII case-insensitive value."
  const options = parseTokenList(headers.connection ?? []);
  if (options === null || !includesToken(options, 'upgrade')) refuse(400, 'the Connection field does not say Upgrade');
}

function assertNoBody(headers: HeaderFields): void {
  // What follows the head is frames. A body would be read as frames by one side and as HTTP by the other.
  const length = headers['content-length'];
  const hasLength = length !== undefined && singleValue(length) !== '0';
  if (hasLength || headers['transfer-encoding'] !== undefined) refuse(400, 'a WebSocket handshake has no body');
}

function assertVersion(headers: HeaderFields, isHttp2: boolean): void {
  // "A |Sec-WebSocket-Version| header field, with a value of 13." (§4.2.1) "If this version does not match a version
  // understood by the server, the server MUST abort the WebSocket handshake […] and instead send an appropriate HTTP
  // error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header field indicating the version(s) the
  // server is capable of understanding." (§4.2.2) A 426 has an Upgrade field, which HTTP/2 has not.
  if (singleValue(headers['sec-websocket-version']) === '13') return;
  const fields = isHttp2 ? {} : UPGRADE_FIELDS;
  refuse(isHttp2 ? 400 : 426, 'the WebSocket version must be 13', { ...fields, 'Sec-WebSocket-Version': '13' });
}

function readKey(headers: HeaderFields): string {
  // "A |Sec-WebSocket-Key| header field with a base64-encoded value that, when decoded, is 16 bytes in length."
  // (§4.2.1) It "MUST NOT appear more than once in an HTTP request" (§11.3.1).
  const key = singleValue(headers['sec-websocket-key']);
  if (key === undefined || !isKey(key)) refuse(400, 'one Sec-WebSocket-Key of 16 bytes in base64 is needed');
  return key;
}

function readOrigin(headers: HeaderFields): string | undefined {
  // Two origins would leave open which of them is judged.
  const origin = singleValue(headers.origin);
  if (headers.origin !== undefined && origin === undefined) refuse(400, 'the Origin field is repeated');
  return origin;
}

function readProtocols(headers: HeaderFields): string[] {
  const lines = headers['sec-websocket-protocol'];
  if (lines === undefined) return [];
  // Sec-WebSocket-Protocol-Client = 1#token (§4.3)
  const protocols = parseTokenList(lines);
  if (protocols === null || protocols.length === 0) refuse(400, 'the Sec-WebSocket-Protocol field is malformed');
  // "The elements that comprise this value […] MUST all be unique strings." (§4.1)
  if (new Set(protocols).size < protocols.length) refuse(400, 'a subprotocol is offered twice');
  return protocols;
}

function readExtensions(headers: HeaderFields): ExtensionOffer[] {
  const lines = headers['sec-websocket-extensions'];
  if (lines === undefined) return [];
  // "If a value is received by either the client or the server during negotiation that does not conform to the ABNF
  // below, the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_." (§9.1)
  const extensions = parseExtensions(lines);
  if (extensions === null || extensions.length === 0) refuse(400, 'the Sec-WebSocket-Extensions field is malformed');
  return extensions;
}

/**
 * Chooses the subprotocol that the server likes best among those that the client offered.
 *
 * @param offered what the client offered
 * @param preferred the server's own subprotocols, the best one first
 * @returns undefined where they have none in common; the connection then has no subprotocol
 * @see RFC 6455 §4.2.2
 */
export function selectProtocol(offered: readonly string[], preferred: readonly string[]): string | undefined {
  const known = new Set(offered);
  return preferred.find((protocol) => known.has(protocol));
}

/**
 * Writes the fields of the response that accepts a handshake: of the 101, or of the 200 over HTTP/2.
 *
 * @throws TypeError for a protocol that was not offered, for malformed extensions, for a further field that is
 * malformed or that the handshake writes itself
 * @see RFC 6455 §4.2.2; RFC 8441 §5
 */
export function formatResponse(answer: ServerAnswer, sha1: Sha1): FieldLine[] {
  const { key, protocols, protocol, extensions, headers } = answer;
  const lines: FieldLine[] =
    key === undefined
      ? []
      : [
          ['Upgrade', 'websocket'],
          ['Connection', 'Upgrade'],
          ['Sec-WebSocket-Accept', computeAccept(key, sha1)],
        ];
  if (protocol !== undefined) {
    // "The value chosen MUST be derived from the client's handshake, specifically by selecting one of the values from
    // the |Sec-WebSocket-Protocol| field" (§4.2.2)
    if (!protocols.includes(protocol) || !isToken(protocol)) {
      throw new TypeError(`the client did not offer the subprotocol ${JSON.stringify(protocol)}`);
    }
    lines.push(['Sec-WebSocket-Protocol', protocol]);
  }
  if (extensions !== undefined) lines.push(formatExtensionsField(extensions));
  return [...lines, ...formatCallerHeaders(headers)];
}
