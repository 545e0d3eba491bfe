/**
 * The HTTP server of our own. It lets upgrades through and nothing else: every other request is told to upgrade.
 *
 * Law: a socket that comes in either becomes an upgrade or is gone within `handshakeTimeoutMs`, however slowly or
 * strangely its peer speaks.
 */

import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { ListenOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';
import { Crowd } from '../../connection/crowd.ts';
import type { FieldLine } from '../../handshake/field-grammar.ts';
import type { ResolvedServerOptions } from '../endpoint-options.ts';
import { slowRefusal, type Upgrade } from '../upgrade/accept-upgrade.ts';
import { lateHeadRefusal, refuseUnparsed } from '../upgrade/head-parser.ts';
import { Refusal, sendRefusal } from '../upgrade/refusal.ts';
import { SocketWatch } from '../upgrade/socket-watch.ts';

/** What a door tells to whom it belongs. */
export interface DoorEvents {
  /** A socket came, the last of so many that are no connections yet. @returns a refusal where there is no room for it */
  readonly onArrival: (address: string | undefined, pendingCount: number) => Refusal | undefined;
  /** A socket that came is gone, or is a connection now. */
  readonly onDeparture: (address: string | undefined) => void;
  /** A request to upgrade came. The watch over its socket is handed over. */
  readonly onUpgrade: (upgrade: Upgrade, watch: SocketWatch) => void;
  /** A peer was answered with a refusal before there was a request to upgrade. */
  readonly onRefused: (refusal: Refusal) => void;
  /** The system refused something to the listening socket, such as another file descriptor. */
  readonly onError: (error: Error) => void;
}

const kVisitor: unique symbol = Symbol('wspipe.visitor');

/** The socket of a visitor. */
type VisitorSocket = Duplex & { [kVisitor]?: Visitor | undefined };

/** A socket that has not become a connection. */
interface Visitor {
  readonly socket: VisitorSocket;
  /** The watch over the socket, until its request is handed over or answered. */
  watch: SocketWatch | undefined;
  readonly address: string | undefined;
  /** Whether it was refused. It is on its way out, and nobody waits for its room. */
  isAnswered: boolean;
  /** Whether it was answered before anything was heard of it. */
  isTurnedAway: boolean;
  readonly forget: () => void;
}

/** A TCP socket on which TLS is being negotiated. */
interface Greeting {
  readonly socket: Socket;
  readonly address: string | undefined;
  readonly begunAt: number;
}

/** Listens, parses, and answers whoever does not upgrade. */
export class FrontDoor {
  readonly server: Server;
  readonly #options: ResolvedServerOptions;
  readonly #events: DoorEvents;
  readonly #visitors: Crowd<Visitor> = new Crowd();
  /** TCP sockets on which TLS is being negotiated, by the peer's address: the TLS socket that follows has the same. */
  readonly #greeting: Map<string, Greeting> = new Map();
  /** Visitors that were answered: they are on their way out. */
  #answeredCount = 0;

  constructor(options: ResolvedServerOptions, events: DoorEvents) {
    this.#options = options;
    this.#events = events;
    this.server = options.tls === undefined ? this.#createPlain() : this.#createSecure(options.tls);
    // The size limits the head. By default, Node would silently leave out what comes behind 2000 fields.
    this.server.maxHeadersCount = 0;
    this.server
      .on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => this.#hand({ message, socket, head }))
      .on('connect', (message: IncomingMessage) => this.#answer(message.socket, methodRefusal()))
      .on('request', (message: IncomingMessage) => this.#onRequest(message))
      .on('checkExpectation', (message: IncomingMessage) => this.#onRequest(message))
      .on('clientError', (error: Error, socket: Duplex) => this.#onClientError(error, socket));
  }

  /** Begins to listen; rejects with the system's error. */
  listen(where: number | ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(where as ListenOptions, () => {
        this.server.off('error', reject).on('error', this.#events.onError);
        resolve();
      });
    });
  }

  /** Stops to listen. The promise is kept when the last socket is gone, those of connections included. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      // The error that it was closed before is no news.
      this.server.close(() => resolve());
    });
  }

  /** Destroys the sockets on which nothing was asked yet. Those that are being answered end by themselves. */
  turnAway(): void {
    for (const { socket, watch } of this.#visitors) if (watch !== undefined) socket.destroy();
    for (const { socket } of this.#greeting.values()) socket.destroy();
  }

  /** Destroys every socket that is no connection. */
  destroy(): void {
    this.turnAway();
    for (const { socket } of this.#visitors) socket.destroy();
  }

  /** Lets go of a socket, because it is a connection now. */
  release(socket: Duplex): void {
    visitorOf(socket)?.forget();
  }

  /** Counts a socket no longer, because its handshake was refused. */
  dismiss(socket: Duplex): void {
    const visitor = visitorOf(socket);
    if (visitor === undefined || visitor.isAnswered) return;
    visitor.isAnswered = true;
    this.#answeredCount += 1;
    this.#events.onDeparture(visitor.address);
  }

  #createPlain(): Server {
    return createServer(this.#httpOptions()).on('connection', (socket) => this.#receive(socket));
  }

  #createSecure(tls: TlsOptions): Server {
    const { handshakeTimeoutMs: handshakeTimeout } = this.#options;
    const server = createSecureServer({ handshakeTimeout, ...tls, ...this.#httpOptions() });
    server.on('connection', (socket: Socket) => this.#beginTls(socket));
    return server.on('secureConnection', (socket) => {
      const greeting = this.#endTls(peerOf(socket));
      const spentMs = greeting === undefined ? 0 : performance.now() - greeting.begunAt;
      this.#receive(socket, Math.max(1, handshakeTimeout - spentMs));
    });
  }

  #beginTls(socket: Socket): void {
    const peer = peerOf(socket);
    const address = socket.remoteAddress;
    this.#greeting.set(peer, { socket, address, begunAt: performance.now() });
    socket.once('close', () => this.#endTls(peer));
    const refusal = this.#events.onArrival(address, this.#pendingCount);
    if (refusal === undefined) return;
    // Who speaks TLS would not understand an answer.
    socket.destroy();
    this.#events.onRefused(refusal);
  }

  #endTls(peer: string): Greeting | undefined {
    const greeting = this.#greeting.get(peer);
    if (this.#greeting.delete(peer)) this.#events.onDeparture(greeting?.address);
    return greeting;
  }

  /** How many sockets are neither connections nor on their way out. */
  get #pendingCount(): number {
    return this.#visitors.size - this.#answeredCount + this.#greeting.size;
  }

  /** Lets a socket in, or turns it away at once where there is no room. */
  #receive(socket: Socket, timeoutMs?: number | undefined): void {
    const visitor = this.#greet(socket, timeoutMs);
    const refusal = this.#events.onArrival(socket.remoteAddress, this.#pendingCount);
    if (refusal === undefined) return;
    visitor.isTurnedAway = true;
    this.#answer(socket, refusal);
  }

  #httpOptions(): ServerOptions {
    // Node would look for slow requests every 30 s. Our watch has a timer for each, and looks at `authorize` too.
    return { maxHeaderSize: this.#options.maxHeaderBytes, headersTimeout: 0, requestTimeout: 0 };
  }

  #greet(socket: Socket, timeoutMs: number = this.#options.handshakeTimeoutMs): Visitor {
    const watch = new SocketWatch(socket, timeoutMs, lateHeadRefusal);
    const address = socket.remoteAddress;
    const forget = (): void => {
      if (!this.#visitors.delete(visitor)) return;
      visitor.socket[kVisitor] = undefined;
      socket.off('close', forget);
      if (visitor.isAnswered) this.#answeredCount -= 1;
      else this.#events.onDeparture(address);
    };
    const visitor: Visitor = { socket, watch, address, isAnswered: false, isTurnedAway: false, forget };
    this.#visitors.add(visitor);
    visitor.socket[kVisitor] = visitor;
    socket.on('close', forget);
    watch.whenInterrupted((refusal) => {
      if (refusal !== null && visitor.watch === watch) this.#answer(socket, refusal);
    });
    return visitor;
  }

  #hand(upgrade: Upgrade): void {
    // With a body, newer Nodes give a stream in place of the socket.
    const { socket } = upgrade.message;
    const visitor = visitorOf(socket);
    const watch = visitor?.watch;
    if (visitor?.isTurnedAway === true) {
      // It was answered, and is to have the time to read that.
      upgrade.socket.resume();
      return;
    }
    if (visitor === undefined || watch === undefined) {
      // An earlier request was answered, and the answer said that it is the last one.
      upgrade.socket.destroy();
      return;
    }
    visitor.watch = undefined;
    watch.lateRefusal = slowRefusal;
    this.#events.onUpgrade(upgrade, watch);
  }

  #onRequest(message: IncomingMessage): void {
    message.resume();
    this.#answer(message.socket, upgradeRefusal(), message.method === 'HEAD');
  }

  #onClientError(error: Error & { code?: string }, socket: Duplex): void {
    // Other errors are of the socket or of TLS: nobody is there who would understand an answer.
    if (error.code?.startsWith('HPE_')) this.#answer(socket, refuseUnparsed(error));
    else socket.destroy();
  }

  /** Answers once: what a peer sends behind that is not looked at. */
  #answer(socket: Duplex, refusal: Refusal, isHead: boolean = false): void {
    const visitor = visitorOf(socket);
    if (visitor?.watch === undefined) return;
    const { watch } = visitor;
    visitor.watch = undefined;
    this.dismiss(socket);
    sendRefusal(socket, refusal, isHead);
    watch.release();
    this.#events.onRefused(refusal);
  }
}

function visitorOf(socket: VisitorSocket): Visitor | undefined {
  return socket[kVisitor];
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function upgradeRefusal(): Refusal {
  const lines: FieldLine[] = [['Upgrade', 'websocket']];
  return new Refusal(426, 'this is a WebSocket endpoint', { lines, code: 'WS_ERR_HANDSHAKE' });
}

function methodRefusal(): Refusal {
  const lines: FieldLine[] = [['Allow', 'GET']];
  return new Refusal(405, 'a WebSocket handshake is a GET request', { lines, code: 'WS_ERR_HANDSHAKE' });
}
