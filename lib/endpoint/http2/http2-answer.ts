/**
 * Answers an extended CONNECT of HTTP/2: with a 200 behind which frames follow, or with a refusal in full.
 *
 * Law: whatever the caller's fields are, the peer gets an answer, and nothing is thrown.
 *
 * @see RFC 8441 §5
 */

import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { WheelTimer } from '../../connection/time/wheel-timer.ts';
import { isConnectionField } from '../../handshake/extended-connect.ts';
import { type FieldLine, groupFields } from '../../handshake/field-grammar.ts';
import { Refusal } from '../upgrade/refusal.ts';
import { asTransport } from './http2-transport.ts';

/** How the answer to an upgrade is given, where it is not written to the socket as HTTP/1.1. */
export interface UpgradeAnswer {
  /** Accepts. @returns why that was not possible; nothing was sent then */
  accept(lines: readonly FieldLine[]): Refusal | undefined;
  /** Refuses, and sees the stream to its end. */
  refuse(refusal: Refusal): void;
}

/** ms in which a peer may take the answer before the stream is cut, or may end a stream that we have ended. */
const LINGER_MS = 1000;
/** Codes of RST_STREAM (RFC 9113 §7). */
const NO_ERROR = 0x0;
const CANCEL = 0x8;

/** The answer on a stream of HTTP/2. */
export class Http2Answer implements UpgradeAnswer {
  readonly #stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  accept(lines: readonly FieldLine[]): Refusal | undefined {
    try {
      this.#stream.respond(formatFields(200, lines));
      endFromBothSides(asTransport(this.#stream));
      return undefined;
    } catch (error) {
      return Refusal.from(error);
    }
  }

  refuse(refusal: Refusal): void {
    const stream = this.#stream.on('error', ignore);
    // One that the peer has reset is closed before it is destroyed.
    if (stream.closed || stream.destroyed || stream.headersSent) {
      stream.destroy();
      return;
    }
    const timer = new WheelTimer(() => stream.close(CANCEL));
    timer.start(LINGER_MS);
    // Nothing is to be read here (RFC 9113 §8.1, as below). In the turn in which it has finished, some Nodes would send the
    // RST_STREAM in its place.
    stream.once('finish', () => setImmediate(() => stream.close(NO_ERROR))).once('close', () => timer.stop());
    this.#respond(refusal);
    // Some statuses have no body, and have ended the stream.
    if (!stream.writableEnded) stream.end(Buffer.from(refusal.text as string));
    stream.resume();
  }

  #respond({ status, lines, text }: Refusal): void {
    const fields = formatFields(status, lines);
    fields['content-type'] ??= 'text/plain; charset=utf-8';
    fields['content-length'] = Buffer.byteLength(text);
    try {
      this.#stream.respond(fields);
    } catch {
      // A field that HTTP/2 has once only came twice: the status says the most of it.
      this.#stream.respond({ ':status': status });
    }
  }
}

/** Makes what Node takes, without the fields that HTTP/2 has not. */
function formatFields(status: number, lines: readonly FieldLine[]): OutgoingHttpHeaders {
  const spoken = lines.filter(([name]) => !isConnectionField(name));
  return { ':status': status, ...groupFields(spoken.flat()) } as OutgoingHttpHeaders;
}

function ignore(): void {}

/**
 * Ends a stream that its peer does not end behind our END_STREAM: Chromium 150 leaves it open as long as the page lives. It
 * is no cut: "A server MAY request that the client abort transmission of a request without error by sending a RST_STREAM
 * with an error code of NO_ERROR after sending a complete response" (RFC 9113 §8.1).
 */
function endFromBothSides(stream: ServerHttp2Stream): void {
  const timer = new WheelTimer(() => stream.close(NO_ERROR));
  stream.once('finish', () => timer.start(LINGER_MS)).once('close', () => timer.stop());
}
