/**
 * The client's half of the opening handshake: writes the fields of the request, and judges the response.
 *
 * Law: a response is taken only when every one of the checks of §4.1 holds. A redirect or a demand for authorization is
 * no handshake any more: whoever holds the socket looks at the status before.
 *
 * @see RFC 6455 §4.1
 */

import { HandshakeError, type HandshakeErrorCode } from '../errors.ts';
import { computeAccept, isKey, type Sha1 } from './accept-key.ts';
import { type CallerHeaders, formatCallerHeaders, formatExtensionsField } from './caller-headers.ts';
import {
  type ExtensionOffer,
  type FieldLine,
  type HeaderFields,
  includesToken,
  isToken,
  isVisible,
  parseExtensions,
  parseTokenList,
  singleValue,
} from './field-grammar.ts';

/** What the request asks for. */
export interface ClientOffer {
  /** A fresh key from `createKey`; undefined over HTTP/2, which has none. */
  readonly key: string | undefined;
  /** Subprotocols, all different, the best one first. */
  readonly protocols?: readonly string[] | undefined;
  /** Offered extensions, as the value of `Sec-WebSocket-Extensions`; undefined for none. */
  readonly extensions?: string | undefined;
  /** The Origin field; undefined for none. */
  readonly origin?: string | undefined;
  /** Further fields. */
  readonly headers?: CallerHeaders | undefined;
}

/** An HTTP response as far as a handshake looks at it. */
export interface HandshakeResponse {
  readonly status: number;
  readonly headers: HeaderFields;
}

/** What was asked for, against which the response is held. */
export interface ClientExpectation {
  /** Undefined over HTTP/2. */
  readonly key: string | undefined;
  readonly protocols: readonly string[];
  /** The names of the offered extensions. */
  readonly extensionsOffered: readonly string[];
}

/** What the server agreed to. */
export interface ClientHandshake {
  /** The chosen subprotocol, `''` for none. */
  readonly protocol: string;
  readonly extensions: readonly ExtensionOffer[];
}

/**
 * Writes the fields of the request of an opening handshake, all but Host, which goes with the address, and over HTTP/2
 * all but the pseudo-header fields.
 *
 * @throws TypeError for a key that is not 16 bytes in base64, for a subprotocol that is no token or is given twice
 * (browsers: `SyntaxError`), for malformed extensions, for an origin with a space or a control character, and for a
 * further field that is malformed or that the handshake writes itself
 * @see RFC 6455 §4.1; RFC 8441 §5
 */
export function formatRequest(offer: ClientOffer): FieldLine[] {
  const { key, protocols = [], extensions, origin, headers } = offer;
  if (key !== undefined && !isKey(key)) throw new TypeError('the key must be 16 bytes in base64');
  const lines: FieldLine[] = [];
  if (key !== undefined) lines.push(['Upgrade', 'websocket'], ['Connection', 'Upgrade'], ['Sec-WebSocket-Key', key]);
  lines.push(['Sec-WebSocket-Version', '13']);
  if (protocols.length > 0) lines.push(['Sec-WebSocket-Protocol', formatProtocols(protocols)]);
  if (extensions !== undefined) lines.push(formatExtensionsField(extensions));
  if (origin !== undefined) lines.push(['Origin', formatOrigin(origin)]);
  return [...lines, ...formatCallerHeaders(headers, origin === undefined ? [] : ['origin'])];
}

function formatProtocols(protocols: readonly string[]): string {
  // "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to U+007E not
  // including separator characters as defined in [RFC2616] and MUST all be unique strings." (§4.1)
  for (const protocol of protocols) {
    if (typeof protocol !== 'string' || !isToken(protocol)) {
      throw new TypeError(`a subprotocol must be a token: ${JSON.stringify(protocol)}`);
    }
  }
  if (new Set(protocols).size < protocols.length) throw new TypeError('a subprotocol is given twice');
  return protocols.join(', ');
}

function formatOrigin(origin: string): string {
  if (typeof origin !== 'string' || !isVisible(origin)) {
    throw new TypeError('origin must be printable ASCII without spaces');
  }
  return origin;
}

/**
 * Judges the server's response to an opening handshake.
 *
 * A server that chooses none of the offered subprotocols is within the RFC; `protocol` is then `''`.
 *
 * @throws HandshakeError with the status and the fields that came: `WS_ERR_HANDSHAKE_REFUSED` where the status is not
 * 101 (2xx over HTTP/2), `WS_ERR_HANDSHAKE` where an answer with that status breaks the RFC
 * @see RFC 6455 §4.1; RFC 8441 §5
 */
export function readResponse(response: HandshakeResponse, expected: ClientExpectation, sha1: Sha1): ClientHandshake {
  const { key } = expected;
  // "If the status code received from the server is not 101, the client handles the response per HTTP procedures."
  if (!isAcceptance(response.status, key === undefined)) {
    fail(response, `the server answered with status ${response.status}`, 'WS_ERR_HANDSHAKE_REFUSED');
  }
  if (key !== undefined) {
    assertSwitched(response);
    assertAccept(response, computeAccept(key, sha1));
  }
  return {
    extensions: readExtensions(response, expected.extensionsOffered),
    protocol: readProtocol(response, expected.protocols),
  };
}

/**
 * Says whether a status accepts a handshake. To a CONNECT, "any 2xx (Successful) response indicates that the sender […]
 * will switch to tunnel mode" (RFC 9110 §9.3.6).
 */
export function isAcceptance(status: number, isHttp2: boolean): boolean {
  return isHttp2 ? status >= 200 && status <= 299 : status === 101;
}

function assertSwitched(response: HandshakeResponse): void {
  const { upgrade, connection = [] } = response.headers;
  // "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not an ASCII
  // case-insensitive match for the value 'websocket', the client MUST _Fail the WebSocket Connection_."
  if (!/^websocket$/i.test(singleValue(upgrade) ?? '')) fail(response, 'its Upgrade field is not websocket');
  // "If the response lacks a |Connection| header field or the |Connection| header field doesn't contain a token that is
  // an ASCII case-insensitive match for the value 'Upgrade', the client MUST _Fail the WebSocket Connection_."
  const options = parseTokenList(connection);
  if (options === null || !includesToken(options, 'upgrade'))
    fail(response, 'its Connection field does not say Upgrade');
}

function assertAccept(response: HandshakeResponse, accept: string): void {
  // "If the response lacks a |Sec-WebSocket-Accept| header field or the |Sec-WebSocket-Accept| contains a value other
  // than the base64-encoded SHA-1 of the concatenation of the |Sec-WebSocket-Key| […] but ignoring any leading and
  // trailing whitespace, the client MUST _Fail the WebSocket Connection_."
  const came = singleValue(response.headers['sec-websocket-accept']);
  if (came !== accept) fail(response, 'its Sec-WebSocket-Accept does not answer the key');
}

function readExtensions(response: HandshakeResponse, offered: readonly string[]): ExtensionOffer[] {
  const lines = response.headers['sec-websocket-extensions'];
  if (lines === undefined) return [];
  // The field may stand on several lines here as well (RFC 6455, erratum 3433).
  const extensions = parseExtensions(lines);
  if (extensions === null || extensions.length === 0) fail(response, 'its Sec-WebSocket-Extensions is malformed');
  // "If […] this header field indicates the use of an extension that was not present in the client's handshake (the
  // server has indicated an extension not requested by the client), the client MUST _Fail the WebSocket Connection_."
  const known = new Set(offered);
  if (!extensions.every(({ name }) => known.has(name))) fail(response, 'it names an extension that was not offered');
  return extensions;
}

function readProtocol(response: HandshakeResponse, offered: readonly string[]): string {
  const lines = response.headers['sec-websocket-protocol'];
  if (lines === undefined) return '';
  // "If […] this header field indicates the use of a subprotocol that was not present in the client's handshake […], the
  // client MUST _Fail the WebSocket Connection_." The field "MUST NOT appear more than once in an HTTP response" (§11.3.4).
  const protocol = singleValue(lines);
  if (protocol === undefined) fail(response, 'its Sec-WebSocket-Protocol field is repeated');
  if (!offered.includes(protocol)) fail(response, 'it names a subprotocol that was not offered');
  return protocol;
}

function fail(response: HandshakeResponse, reason: string, code: HandshakeErrorCode = 'WS_ERR_HANDSHAKE'): never {
  const { status } = response;
  throw new HandshakeError(code, status, `the handshake failed: ${reason}`, { headers: joinLines(response.headers) });
}

/** Makes one text of the lines of each field. `Object.fromEntries` makes own properties, of `__proto__` too. */
function joinLines(headers: HeaderFields): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, lines = []]) => [name, lines.join(', ')]));
}
