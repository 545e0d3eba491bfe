/**
 * Opens a WebSocket connection: one HTTP request, or several where redirects are followed, and the judgement of §4.1.
 *
 * @see RFC 6455 §4.1
 */

import type { Duplex } from 'node:stream';
import { publishHandshake } from '../../connection/diagnostics.ts';
import { WsConnection } from '../../connection/ws-connection.ts';
import { HandshakeError } from '../../errors.ts';
import { createKey } from '../../handshake/accept-key.ts';
import { formatCallerHeaders } from '../../handshake/caller-headers.ts';
import { formatRequest, readResponse } from '../../handshake/client-handshake.ts';
import { formatExtendedConnect } from '../../handshake/extended-connect.ts';
import { confirmExtensions, offerExtensions } from '../../handshake/extension-negotiation.ts';
import { type FieldLine, groupFields } from '../../handshake/field-grammar.ts';
import { openExtensions } from '../../stream/ws-extension.ts';
import { type ConnectOptions, type ResolvedConnectOptions, resolveConnectOptions } from '../endpoint-options.ts';
import { requestStream } from '../http2/http2-request.ts';
import { HandshakeDeadline } from '../server/handshake-deadline.ts';
import { prepareSocket } from '../upgrade/accept-upgrade.ts';
import { sha1 } from '../upgrade/upgrade-request.ts';
import { type ResponseHead, requestUpgrade } from './client-request.ts';
import { parseConnectTarget } from './connect-target.ts';
import { followRedirect, type Itinerary, isRedirect, redirectError } from './redirect.ts';

/**
 * Connects to a WebSocket server.
 *
 * @param url `ws:`, `wss:`, `http:`, `https:`, or `ws+unix:///path/to.sock:/request/path`; a user and password in it
 * become an Authorization field
 * @param options subprotocols, header fields, limits, and how the socket is made
 * @returns the connection, as a promise that rejects
 * - with a `TypeError` or `RangeError` for a URL or an option that cannot be,
 * - with a `HandshakeError` where the server refuses (`WS_ERR_HANDSHAKE_REFUSED`: `status`, `headers`, and up to 4 KiB of
 *   its `body`), breaks the RFC (`WS_ERR_HANDSHAKE`), redirects too often or to where we will not follow
 *   (`WS_ERR_REDIRECT`), or is too slow (`WS_ERR_HANDSHAKE_TIMEOUT`),
 * - with an `AbortError`,
 * - or with the system's error and its `code` (ECONNREFUSED, ENOTFOUND, those of TLS …).
 * @see RFC 6455 §4.1
 */
export async function connect(url: string | URL, options?: ConnectOptions | undefined): Promise<WsConnection> {
  const resolved = resolveConnectOptions(options);
  const itinerary = {
    target: parseConnectTarget(url),
    headers: formatCallerHeaders(resolved.headers),
    tls: resolved.tls,
  };
  // Mistakes of the caller's are told before anything is opened.
  const question = ask(itinerary, resolved);
  const deadline = new HandshakeDeadline(resolved.handshakeTimeoutMs, resolved.signal);
  const ended = publishHandshake(() => ({ role: 'client', url: itinerary.target.url.href }));
  try {
    const connection = await travel(itinerary, question, resolved, deadline);
    ended?.({ connection });
    return connection;
  } catch (error) {
    ended?.({ error: error as Error });
    throw error;
  } finally {
    deadline.release();
  }
}

/** What is asked at one address. */
interface Question {
  /** Undefined over HTTP/2, which has none. */
  readonly key: string | undefined;
  readonly lines: readonly FieldLine[];
}

function ask(itinerary: Itinerary, options: ResolvedConnectOptions): Question {
  const key = options.http2 === undefined ? createKey() : undefined;
  const lines = formatLines(itinerary, key, options);
  return { key, lines: key === undefined ? formatExtendedConnect(itinerary.target, lines) : lines };
}

/** Tries one address after the other until one of them does not redirect. */
async function travel(
  start: Itinerary,
  firstQuestion: Question,
  options: ResolvedConnectOptions,
  deadline: HandshakeDeadline,
): Promise<WsConnection> {
  let itinerary = start;
  let question = firstQuestion;
  for (let redirectCount = 0; ; redirectCount += 1) {
    deadline.assertGoing();
    const { key, lines } = question;
    const request = options.http2 === undefined ? requestUpgrade : requestStream;
    const answered = await request(itinerary, lines, options, deadline);
    const { message } = answered;
    if (answered.socket !== undefined) return establish(message, answered.socket, answered.head, key, options);
    const answer = { status: message.statusCode ?? 0, headers: joinHeaders(message) };
    if (!isRedirect(answer)) throw refusedError(answer, answered.body);
    if (redirectCount >= options.maxRedirects) throw redirectError(answer, 'more redirects are not followed');
    const next = followRedirect(itinerary, answer);
    if (typeof options.http2 === 'object' && next.target.origin !== itinerary.target.origin) {
      throw redirectError(answer, 'it leads away from the session');
    }
    itinerary = next;
    question = ask(itinerary, options);
  }
}

/** Writes all header fields of a request. What the caller says takes the place of what the URL says. */
function formatLines(
  { target, headers }: Itinerary,
  key: string | undefined,
  options: ResolvedConnectOptions,
): FieldLine[] {
  const { protocols, origin } = options;
  const extensions = offerExtensions(options.extensions) || undefined;
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  for (const name of ['host', 'authorization']) {
    if (headers.filter((line) => line[0].toLowerCase() === name).length > 1) {
      throw new TypeError(`a request has one ${name} field`);
    }
  }
  const lines: FieldLine[] = names.has('host') ? [] : [['Host', target.host]];
  if (target.authorization !== undefined && !names.has('authorization')) {
    lines.push(['Authorization', target.authorization]);
  }
  return [...lines, ...formatRequest({ key, protocols, extensions, origin, headers })];
}

function establish(
  message: ResponseHead,
  socket: Duplex,
  head: Uint8Array,
  key: string | undefined,
  { protocols, extensions: spoken, maxHeaderCount, connection }: ResolvedConnectOptions,
): WsConnection {
  const status = message.statusCode ?? 0;
  try {
    if (message.rawHeaders.length / 2 > maxHeaderCount) {
      throw new HandshakeError('WS_ERR_HANDSHAKE', status, `the answer has more than ${maxHeaderCount} fields`);
    }
    // "The method of the request MUST be GET, and the HTTP version MUST be at least 1.1" (§4.1), and an answer of 1.0
    // cannot switch protocols (RFC 9110 §15.2).
    if (key !== undefined && message.httpVersion !== '1.1') {
      throw new HandshakeError('WS_ERR_HANDSHAKE', status, `the server answered in HTTP/${message.httpVersion}`);
    }
    const asked = { key, protocols, extensionsOffered: spoken.map(({ name }) => name) };
    const answer = readResponse({ status, headers: groupFields(message.rawHeaders) }, asked, sha1);
    const extensions = openExtensions(confirmExtensions(answer.extensions, spoken));
    prepareSocket(socket);
    const response = { status, headers: message.headers };
    const { protocol } = answer;
    return new WsConnection('client', socket, { protocol, extensions, response, head }, connection);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function refusedError(answer: { status: number; headers: Readonly<Record<string, string>> }, body: string): Error {
  const { status, headers } = answer;
  // A 101 comes here where it does not say what it switches to.
  const code = status === 101 ? 'WS_ERR_HANDSHAKE' : 'WS_ERR_HANDSHAKE_REFUSED';
  return new HandshakeError(code, status, `the server answered with status ${status}`, { headers, body });
}

function joinHeaders({ headers }: ResponseHead): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value = '']) => [name, String(value)]));
}
