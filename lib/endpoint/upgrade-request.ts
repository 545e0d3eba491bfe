/**
 * Decides about one upgrade request: is it in order, is it wanted, and what is the answer?
 *
 * Law: the cheap questions come first, and those that run the caller's code come last. Whatever a peer sends and
 * whatever the caller's functions throw, the result is an agreement or a refusal.
 */

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { HandshakeError } from '../errors.ts';
import { acceptExtensions } from '../handshake/extension-negotiation.ts';
import { type FieldLine, groupFields, parseTokenList } from '../handshake/field-grammar.ts';
import { isOriginAllowed } from '../handshake/origin.ts';
import {
  formatResponse,
  type HandshakeRequest,
  readRequest,
  type ServerHandshake,
  selectProtocol,
} from '../handshake/server-handshake.ts';
import type { WsRequest } from '../options.ts';
import { openExtensions, type WsNegotiatedExtensions } from '../stream/ws-extension.ts';
import type { ResolvedUpgradeOptions } from './endpoint-options.ts';
import { Refusal } from './refusal.ts';

/** A handshake that is accepted: what the 101 says, and what the connection will know. */
export interface Agreement {
  readonly lines: readonly FieldLine[];
  readonly protocol: string;
  readonly extensions: WsNegotiatedExtensions;
  readonly request: WsRequest;
  readonly context: unknown;
}

/** A further question to a request that is in order: a server's path and capacity. Undefined lets it pass. */
export type Admission = (request: WsRequest) => Refusal | undefined;

/** Node's SHA-1, as the pure rules of the handshake want it. */
export const sha1 = (text: string): string => createHash('sha1').update(text).digest('base64');

/** Makes what the caller's functions and the connection see of a request. It holds nothing of the socket. */
export function describeRequest(request: IncomingMessage, socket: Duplex): WsRequest {
  const { url = '', headers, httpVersion } = request;
  const lines = groupFields(request.rawHeaders)['sec-websocket-protocol'] ?? [];
  // Newer Nodes wrap the socket of a request with a body; the raw form's request has a socket that is none.
  const remoteAddress = addressOf(socket) ?? addressOf(request.socket);
  return { url, headers, remoteAddress, protocols: parseTokenList(lines) ?? [], httpVersion };
}

function addressOf(socket: Duplex & { readonly remoteAddress?: string | undefined }): string | undefined {
  return socket.remoteAddress;
}

/**
 * Judges a request. It never rejects.
 *
 * @param message the request as Node's parser gave it
 * @param request the same, as the caller's functions see it
 * @see RFC 6455 §4.2.2
 */
export async function negotiate(
  message: IncomingMessage,
  request: WsRequest,
  options: ResolvedUpgradeOptions,
  admit: Admission | undefined,
): Promise<Agreement | Refusal> {
  if (measureHead(message) > options.maxHeaderBytes) {
    return new Refusal(431, `the head has more than ${options.maxHeaderBytes} bytes`, { limit: 'maxHeaderBytes' });
  }
  if (message.rawHeaders.length / 2 > options.maxHeaderCount) {
    return new Refusal(431, `the head has more than ${options.maxHeaderCount} fields`, { limit: 'maxHeaderCount' });
  }
  const { method = '', httpVersion, url } = message;
  // Not `message.headers`: they merge lines, and leave out those beyond the server's `maxHeadersCount`.
  const asked = { method, httpVersion, url: url ?? '', headers: groupFields(message.rawHeaders) };
  const handshake = readHandshake(asked);
  if (handshake instanceof Refusal) return handshake;
  try {
    const refusal = admit?.(request) ?? (await judgeOrigin(handshake, asked, request, options));
    return refusal ?? (await agree(handshake, request, options));
  } catch (error) {
    return Refusal.from(error);
  }
}

function readHandshake(asked: HandshakeRequest): ServerHandshake | Refusal {
  try {
    return readRequest(asked);
  } catch (error) {
    return error instanceof HandshakeError ? Refusal.fromError(error) : Refusal.from(error);
  }
}

/** The size of a head in bytes, as it is written without needless spaces. */
function measureHead({ method = '', url = '', rawHeaders }: IncomingMessage): number {
  const requestLine = method.length + ' '.length + url.length + ' HTTP/1.1\r\n'.length;
  return rawHeaders.reduce((sum, text) => sum + text.length + ': '.length, requestLine + '\r\n'.length);
}

async function judgeOrigin(
  { origin, host }: ServerHandshake,
  asked: HandshakeRequest,
  request: WsRequest,
  { origins }: ResolvedUpgradeOptions,
): Promise<Refusal | undefined> {
  if (origin === undefined) return undefined;
  // Only `true` allows: what is merely truthy may be a mistake.
  const isAllowed =
    typeof origins === 'function'
      ? (await origins(origin, request)) === true
      : isOriginAllowed(origin, host, origins, asked);
  return isAllowed ? undefined : new Refusal(403, 'this origin may not connect');
}

async function agree(
  { key, protocols, extensions: offers }: ServerHandshake,
  request: WsRequest,
  options: ResolvedUpgradeOptions,
): Promise<Agreement | Refusal> {
  const context = await options.authorize?.(request);
  if (context instanceof Refusal) return context;
  const protocol = await chooseProtocol(protocols, request, options);
  const headers = await options.responseHeaders?.(request);
  const negotiated = acceptExtensions(offers, options.extensions);
  const answer = { key, protocols, protocol, headers, extensions: negotiated.header || undefined };
  const lines = formatResponse(answer, sha1);
  // Last, for stages are made to be used; and here, where what an extension throws is still a refusal.
  return { lines, protocol: protocol ?? '', extensions: openExtensions(negotiated), request, context };
}

async function chooseProtocol(
  offered: readonly string[],
  request: WsRequest,
  options: ResolvedUpgradeOptions,
): Promise<string | undefined> {
  if (offered.length === 0) return undefined;
  if (options.selectProtocol === undefined) return selectProtocol(offered, options.protocols);
  return (await options.selectProtocol(offered, request)) ?? undefined;
}
