/**
 * Makes one extended CONNECT on a session of HTTP/2, and gives what came back, in the shape of an answer of HTTP/1.1.
 *
 * @see RFC 8441 §5
 */

import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { HandshakeError } from '../../errors.ts';
import { isAcceptance } from '../../handshake/client-handshake.ts';
import { type FieldLine, groupFields } from '../../handshake/field-grammar.ts';
import { type Answer, type ResponseHead, readBody } from '../client/client-request.ts';
import type { Itinerary } from '../client/redirect.ts';
import type { ResolvedConnectOptions } from '../endpoint-options.ts';
import type { HandshakeDeadline } from '../server/handshake-deadline.ts';
import { explainHttp2, leaseSession } from './http2-session.ts';
import { asTransport } from './http2-transport.ts';

/**
 * Sends an extended CONNECT and waits for the answer.
 *
 * @param lines the header fields, all of them, pseudo-header fields first
 * @throws HandshakeError where there is no answer in HTTP/2, the system's error where there is no session, and what
 * `deadline` gives up with, as a rejection; no stream is left then, nor a session of ours
 */
export async function requestStream(
  itinerary: Itinerary,
  lines: readonly FieldLine[],
  options: ResolvedConnectOptions,
  deadline: HandshakeDeadline,
): Promise<Answer> {
  const { session, release } = await leaseSession(itinerary, options, deadline);
  let stream: ClientHttp2Stream | undefined;
  try {
    stream = openStream(session, lines);
    const message = await deadline.race(readHead(stream));
    assertSize(message, options.maxHeaderBytes);
    if (isAcceptance(message.statusCode ?? 0, true)) {
      if (stream.destroyed) release();
      else stream.once('close', release);
      return { message, socket: stream, head: Buffer.alloc(0) };
    }
    const body = await deadline.race(readBody(stream));
    stream.destroy();
    release();
    return { message, body };
  } catch (error) {
    stream?.destroy();
    release();
    throw error;
  }
}

function openStream(session: ClientHttp2Session, lines: readonly FieldLine[]): ClientHttp2Stream {
  try {
    const groups = Object.entries(groupFields(lines.flat()) as Record<string, string[]>);
    // One value is no list: Bun takes none for a pseudo-header field.
    const fields = groups.map(([name, values]) => [name, values.length === 1 ? values[0] : values] as const);
    return asTransport(session.request(Object.fromEntries(fields), { endStream: false }));
  } catch (error) {
    // The session has ended meanwhile.
    throw explainHttp2(error as Error);
  }
}

function readHead(stream: ClientHttp2Stream): Promise<ResponseHead> {
  return new Promise((resolve, reject) => {
    // Node gives the fields as they came, too; its types do not know.
    const onResponse = (headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]): void => {
      const fields = Object.entries(headers).filter(([name]) => !name.startsWith(':'));
      const statusCode = Number(headers[':status']);
      resolve({ statusCode, httpVersion: '2.0', headers: Object.fromEntries(fields), rawHeaders });
    };
    stream.once('response', onResponse as (headers: IncomingHttpHeaders) => void);
    stream.once('error', (error) => reject(resetError(error)));
    stream.once('close', () => reject(resetError()));
  });
}

function resetError(cause?: Error | undefined): HandshakeError {
  const details = cause === undefined ? {} : { cause };
  return new HandshakeError('WS_ERR_HANDSHAKE', 0, 'the server gave no answer and reset the stream', details);
}

function assertSize({ statusCode = 0, rawHeaders }: ResponseHead, maxHeaderBytes: number): void {
  const size = rawHeaders.reduce((sum, text) => sum + text.length + ': '.length, 0);
  if (size <= maxHeaderBytes) return;
  throw new HandshakeError('WS_ERR_HANDSHAKE', statusCode, `the head has more than ${maxHeaderBytes} bytes`);
}
