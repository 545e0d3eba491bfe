/**
 * A handshake that is refused is answered in full: status, fields, a body that a person can read, and a graceful end,
 * so that the peer sees the answer and not a reset. A refusal is written to a socket once, and the socket is gone soon
 * after, whatever the peer does.
 */

import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WheelTimer } from '../../connection/time/wheel-timer.ts';
import { HandshakeError, type HandshakeErrorCode } from '../../errors.ts';
import { type CallerHeaders, formatCallerHeaders } from '../../handshake/caller-headers.ts';
import type { FieldLine } from '../../handshake/field-grammar.ts';

/** What a refusal may say beside its status. */
export interface RefuseOptions {
  /** Further fields of the answer; `Content-Type` takes the place of `text/plain`. */
  readonly headers?: CallerHeaders | undefined;
  /** The body of the answer. Default: the words that go with the status. */
  readonly body?: string | Uint8Array | undefined;
}

/** The answer to a handshake that is not accepted. {@link refuse} makes it for `authorize`. */
export class Refusal {
  readonly status: number;
  readonly lines: readonly FieldLine[];
  readonly body: string | Uint8Array | undefined;
  /** The option whose limit was reached, where it was one. */
  readonly limit: string | undefined;
  readonly #message: string;
  readonly #code: HandshakeErrorCode;
  readonly #cause: unknown;

  constructor(
    status: number,
    message: string,
    details: {
      readonly lines?: readonly FieldLine[] | undefined;
      readonly body?: string | Uint8Array | undefined;
      readonly code?: HandshakeErrorCode | undefined;
      readonly cause?: unknown;
      readonly limit?: string | undefined;
    } = {},
  ) {
    this.status = status;
    this.lines = details.lines ?? [];
    this.body = details.body;
    this.limit = details.limit;
    this.#message = message;
    this.#code = details.code ?? 'WS_ERR_HANDSHAKE_REFUSED';
    this.#cause = details.cause;
  }

  /** @internal makes a refusal of what a handshake threw: an error of its own says the answer, any other one is ours, a 500. */
  static from(thrown: unknown): Refusal {
    if (thrown instanceof Refusal) return thrown;
    return new Refusal(500, 'the server failed while it judged the handshake', { cause: thrown });
  }

  /** @internal makes a refusal of a request that breaks the rules. */
  static fromError(error: HandshakeError): Refusal {
    return new Refusal(error.status, error.message, { lines: Object.entries(error.headers), code: error.code });
  }

  /** What the peer is told. A cause of ours is not its business. */
  get text(): string | Uint8Array {
    return this.body ?? `${STATUS_CODES[this.status] ?? this.status}: ${this.#message}\n`;
  }

  /** What `onRefused` and the diagnostics channel are told. */
  toError(): HandshakeError {
    const headers: Record<string, string> = Object.create(null);
    for (const [name, value] of this.lines) headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
    const cause = this.#cause === undefined ? {} : { cause: this.#cause };
    return new HandshakeError(this.#code, this.status, this.#message, { headers, body: this.body, ...cause });
  }
}

/**
 * Refuses a handshake, as the result of `authorize`.
 *
 * @param status 300 to 599
 * @param options `headers` and `body` of the answer
 * @throws RangeError for another status; TypeError for header fields that HTTP does not allow, or that frame the answer
 * @see RFC 6455 §4.2.2
 */
export function refuse(status: number, options: RefuseOptions = {}): Refusal {
  if (!Number.isInteger(status) || status < 300 || status > 599) {
    throw new RangeError(`the status of a refusal must be 300 to 599, not ${String(status)}`);
  }
  const { headers, body } = options;
  if (body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw new TypeError('the body of a refusal must be a string or a Uint8Array');
  }
  return new Refusal(status, 'the handshake was refused', { lines: formatCallerHeaders(headers), body });
}

/**
 * ms in which a peer may read the answer and end its side. Closing at once would reset the connection where the peer's
 * bytes are unread, and a reset takes the answer along (RFC 9112 §9.6).
 */
const LINGER_MS = 1000;

/**
 * Writes a refusal and ends the socket. The socket is destroyed when the peer has ended too, and after a second at the
 * latest. What the peer still sends is thrown away. The socket needs no listener of anybody's meanwhile.
 *
 * @param isHead whether the request's method is HEAD, whose answers have no body
 */
export function sendRefusal(socket: Duplex, refusal: Refusal, isHead: boolean = false): void {
  socket.on('error', ignore);
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const timer = new WheelTimer(() => socket.destroy());
  timer.start(LINGER_MS);
  socket.once('close', () => timer.stop());
  const destroyWhenBothEnded = (): void => {
    if (socket.readableEnded && socket.writableFinished) socket.destroy();
  };
  socket.once('end', destroyWhenBothEnded).once('finish', destroyWhenBothEnded);
  socket.end(formatRefusal(refusal, isHead));
  socket.resume();
}

function formatRefusal(refusal: Refusal, isHead: boolean): Buffer {
  const body = Buffer.from(refusal.text as string);
  const names = new Set(refusal.lines.map(([name]) => name.toLowerCase()));
  const lines = refusal.lines.filter(([name]) => name.toLowerCase() !== 'connection');
  // "a sender of Upgrade MUST also send an 'Upgrade' connection option in the Connection header field" (RFC 9110 §7.8)
  lines.unshift(['Connection', names.has('upgrade') ? 'close, Upgrade' : 'close']);
  if (!names.has('content-type')) lines.push(['Content-Type', 'text/plain; charset=utf-8']);
  lines.push(['Content-Length', String(body.length)]);
  const reason = STATUS_CODES[refusal.status] ?? '';
  return Buffer.concat([formatHead(`HTTP/1.1 ${refusal.status} ${reason}`, lines), isHead ? Buffer.alloc(0) : body]);
}

/** Writes the head of an HTTP/1.1 message. Field values are Latin-1, as Node reads and writes them. */
export function formatHead(startLine: string, lines: readonly FieldLine[]): Buffer {
  const fields = lines.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${startLine}\r\n${fields.join('')}\r\n`, 'latin1');
}

function ignore(): void {}
