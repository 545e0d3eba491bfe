/**
 * Makes one HTTP request that asks for an upgrade, and gives what came back. It knows HTTP and sockets; what the answer
 * means is decided elsewhere.
 */

import { type IncomingMessage, request as requestPlain } from 'node:http';
import { type RequestOptions, request as requestSecure } from 'node:https';
import type { Duplex, Readable } from 'node:stream';
import { HandshakeError } from '../../errors.ts';
import type { FieldLine } from '../../handshake/field-grammar.ts';
import type { ResolvedConnectOptions } from '../endpoint-options.ts';
import type { HandshakeDeadline } from '../server/handshake-deadline.ts';
import { addressOf, openSocket } from './client-socket.ts';
import type { Itinerary } from './redirect.ts';

/** An answer as Node's parser gives it, as far as it matters here. */
export type ResponseHead = Pick<IncomingMessage, 'statusCode' | 'httpVersion' | 'headers' | 'rawHeaders'>;

/** The server's answer: with a socket where it accepted, else with the beginning of its body. */
export type Answer =
  | { readonly message: ResponseHead; readonly socket: Duplex; readonly head: Buffer }
  | { readonly message: ResponseHead; readonly socket?: undefined; readonly body: string };

/** Bytes of a refusal's body that are kept: enough for what a person reads. */
const MAX_BODY_BYTES = 4096;
/** ms that are waited for it. */
const BODY_TIMEOUT_MS = 1000;

/**
 * Sends a request and waits for the answer.
 *
 * @param lines the header fields, all of them
 * @throws HandshakeError for an answer that is no HTTP, the system's error where there is none, and what `deadline`
 * gives up with, as a rejection; no socket is left then
 */
export async function requestUpgrade(
  itinerary: Itinerary,
  lines: readonly FieldLine[],
  options: ResolvedConnectOptions,
  deadline: HandshakeDeadline,
): Promise<Answer> {
  const { message, upgraded } = await sendRequest(itinerary, lines, options, deadline);
  if (upgraded !== undefined) return { message, ...upgraded };
  try {
    return { message, body: await deadline.race(readBody(message)) };
  } finally {
    message.destroy();
  }
}

interface Response {
  readonly message: IncomingMessage;
  readonly upgraded?: { readonly socket: Duplex; readonly head: Buffer };
}

function sendRequest(
  itinerary: Itinerary,
  lines: readonly FieldLine[],
  options: ResolvedConnectOptions,
  deadline: HandshakeDeadline,
): Promise<Response> {
  const { target, tls } = itinerary;
  const makeRequest = target.isSecure ? requestSecure : requestPlain;
  const request = makeRequest({
    // An agent of node:https looks for what TLS takes among the options of the request.
    ...(tls as RequestOptions | undefined),
    ...addressOf(target),
    ...connectorOf(itinerary, options),
    path: target.path,
    headers: lines.flat(),
    maxHeaderSize: options.maxHeaderBytes,
  });
  const response = new Promise<Response>((resolve, reject) => {
    request.on('error', (error) => reject(explain(error)));
    request.on('response', (message) => resolve({ message }));
    request.on('upgrade', (message, socket, head) => {
      // Until the connection has the socket, nobody else listens.
      socket.on('error', ignore);
      resolve({ message, upgraded: { socket, head } });
    });
  });
  request.end();
  return deadline.race(response, () => {
    request.destroy();
    // It may have been upgraded just before.
    response.then(({ upgraded }) => upgraded?.socket.destroy(), ignore);
  });
}

/** Chooses who makes the socket. Without an agent, no pool keeps a hand on it. */
function connectorOf(itinerary: Itinerary, { agent, createConnection }: ResolvedConnectOptions): RequestOptions {
  if (createConnection !== undefined) return { ...(agent && { agent }), createConnection } as RequestOptions;
  return agent === undefined ? { createConnection: () => openSocket(itinerary, 'http/1.1') } : { agent };
}

/** Reads the beginning of a body; what follows is not worth the wait. It never rejects. */
export async function readBody(message: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  const timer = setTimeout(() => message.destroy(), BODY_TIMEOUT_MS);
  try {
    for await (const chunk of message as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      if (chunks.reduce((sum, { length }) => sum + length, 0) >= MAX_BODY_BYTES) break;
    }
  } catch {
    // A body that is cut says what it says; the status is known.
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString();
}

/** Errors of Node's parser are about the peer's answer; all others are the system's, and stay as they are. */
function explain(error: Error & { readonly code?: string | undefined }): Error {
  if (!error.code?.startsWith('HPE_')) return error;
  return new HandshakeError('WS_ERR_HANDSHAKE', 0, 'the answer is no HTTP, or its head is too large', { cause: error });
}

function ignore(): void {}
