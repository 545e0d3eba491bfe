/**
 * Reads a CONNECT of HTTP/2 as the request to upgrade that it stands for, so that all that judges one of HTTP/1.1 judges
 * this one.
 *
 * @see RFC 8441 §5
 */

import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Upgrade } from '../upgrade/accept-upgrade.ts';
import { Http2Answer } from './http2-answer.ts';

const NO_BYTES = new Uint8Array(0);

/** A request of HTTP/2 as Node's `'stream'` event gives it. */
export interface Http2Request {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value …, pseudo-header fields included. */
  readonly rawHeaders: readonly string[];
}

/**
 * Makes an upgrade of a request. Its stream is left as it is until it is answered.
 *
 * @returns undefined where the stream or its session is gone
 */
export function readHttp2Upgrade({ stream, headers, rawHeaders }: Http2Request): Upgrade | undefined {
  const { session } = stream;
  if (stream.destroyed || session === undefined || session.destroyed) return undefined;
  return {
    message: {
      method: headers[':method'],
      url: headers[':path'],
      httpVersion: '2.0',
      headers: plainFields(headers),
      rawHeaders: rawHeaders as string[],
      socket: session.socket,
    },
    socket: stream,
    head: NO_BYTES,
    answer: new Http2Answer(stream),
  };
}

/** The fields as `IncomingMessage.headers` would have them: without the pseudo-header fields, and `host` is `:authority`. */
function plainFields(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const fields: IncomingHttpHeaders = Object.create(null);
  fields.host = headers[':authority'];
  for (const [name, value] of Object.entries(headers)) if (!name.startsWith(':')) fields[name] = value;
  return fields;
}
