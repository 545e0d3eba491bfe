/**
 * Reads an HTTP request from any Duplex with Node's own parser: an `http.Server` that never listens is given a stand-in
 * for the socket. So Node never touches the socket itself: it leaves no listener and no timer there, and cannot
 * destroy it. The stand-in hands over what is needed, and what it was given too much comes back as `head`.
 */

import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import type { Upgrade } from './accept-upgrade.ts';
import { Refusal } from './refusal.ts';

/** Gives the parser the bytes of a socket, one chunk at a time, and swallows what it would answer. */
class HeadSource extends Duplex {
  readonly #socket: Duplex;
  #first: Uint8Array | undefined;
  #isWanted = false;
  #isReleased = false;

  constructor(socket: Duplex, bytes: Uint8Array) {
    // Nothing is taken in advance: what is in the socket stays there until it is needed.
    super({ allowHalfOpen: true, readableHighWaterMark: 0 });
    this.#socket = socket;
    this.#first = bytes.length === 0 ? undefined : bytes;
    this.on('error', () => {});
    // Without a listener, a socket that flows would lose what it reads from here on.
    socket.pause();
    socket.on('readable', this.#pull).on('end', this.#pull).on('close', this.#pull);
  }

  /** Lets go of the socket; gives back the bytes that the parser did not take. */
  release(): Buffer[] {
    this.#isReleased = true;
    this.#socket.off('readable', this.#pull).off('end', this.#pull).off('close', this.#pull);
    const rest: Buffer[] = [];
    for (let chunk: Buffer | null; (chunk = this.read()) !== null; ) rest.push(chunk);
    if (this.#first !== undefined) rest.push(Buffer.from(this.#first));
    this.destroy();
    return rest;
  }

  override _read(): void {
    this.#isWanted = !this.#isReleased;
    this.#pull();
  }

  override _write(_chunk: unknown, _encoding: string, callback: () => void): void {
    callback();
  }

  readonly #pull = (): void => {
    if (!this.#isWanted) return;
    const chunk = this.#first ?? (this.#socket.read() as Buffer | null);
    const isOver = chunk === null && (this.#socket.readableEnded || this.#socket.destroyed);
    if (chunk === null && !isOver) return;
    this.#first = undefined;
    this.#isWanted = false;
    this.push(chunk);
  };
}

/** What the parser made of the bytes. */
export interface ParsedHead {
  readonly upgrade: Upgrade;
  /** Whether the parser saw the request as one that upgrades, so that what follows it is no HTTP. */
  readonly isUpgrade: boolean;
}

/**
 * Reads one request. It waits until there is one; a time limit and a look at the socket's errors are the caller's.
 *
 * @param bytes what was already read from the socket
 * @returns a refusal where the bytes are no HTTP request, or end before there is one
 */
export function parseHead(socket: Duplex, bytes: Uint8Array, maxHeaderBytes: number): PendingHead {
  const source = new HeadSource(socket, bytes);
  const parsed = new Promise<ParsedHead | Refusal>((resolve) => {
    const settle = (message: IncomingMessage, isUpgrade: boolean, head: Uint8Array = Buffer.alloc(0)): void => {
      message.on('error', () => {});
      resolve({ isUpgrade, upgrade: { message, socket, head: Buffer.concat([head, ...source.release()]) } });
    };
    const server = createServer({ maxHeaderSize: maxHeaderBytes, requireHostHeader: false });
    server.maxHeadersCount = 0;
    server.on('upgrade', (message, _stream, head) => settle(message, true, head));
    server.on('connect', (message) => settle(message, false));
    server.on('request', (message) => settle(message, false));
    server.on('checkExpectation', (message) => settle(message, false));
    server.on('clientError', (error) => resolve(refuseUnparsed(error)));
    source.once('close', () => resolve(new Refusal(400, 'this is no HTTP request', { code: 'WS_ERR_HANDSHAKE' })));
    server.emit('connection', source);
  });
  return { parsed, release: () => source.release() };
}

/** A head that is being read. `release` lets go of the socket, in any case and as often as you like. */
export interface PendingHead {
  readonly parsed: Promise<ParsedHead | Refusal>;
  readonly release: () => void;
}

/** The answer to bytes that Node's parser rejects. */
export function refuseUnparsed(error: Error & { readonly code?: string | undefined }): Refusal {
  const details = { code: 'WS_ERR_HANDSHAKE', cause: error } as const;
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return new Refusal(431, 'the head is too large', { ...details, limit: 'maxHeaderBytes' });
  }
  return new Refusal(400, 'this is no HTTP request', details);
}

/** The answer to a head that does not arrive in time. */
export function lateHeadRefusal(): Refusal {
  const details = { code: 'WS_ERR_HANDSHAKE_TIMEOUT', limit: 'handshakeTimeoutMs' } as const;
  return new Refusal(408, 'the request did not arrive in time', details);
}
