/**
 * Where a server's connections come in: handshakes that are being judged, connections that stand, and the line of those
 * that wait to be taken.
 *
 * Law: a connection that stands is handed out exactly once, to a listener of `'connection'`, or else to who asks first.
 */

import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { Crowd } from '../../connection/crowd.ts';
import { kOver } from '../../connection/faces/stream-face.ts';
import { addTraffic, NO_TRAFFIC, type TrafficStats } from '../../connection/road/traffic-stats.ts';
import type { WsConnection } from '../../connection/ws-connection.ts';
import type { HandshakeError } from '../../errors.ts';
import type { WsRequest } from '../../options.ts';
import type { ResolvedServerOptions } from '../endpoint-options.ts';
import { acceptUpgrade, type Upgrade } from '../upgrade/accept-upgrade.ts';
import { Refusal } from '../upgrade/refusal.ts';
import type { SocketWatch } from '../upgrade/socket-watch.ts';
import { AcceptQueue } from './accept-queue.ts';
import { AddressBook } from './address-book.ts';

/** What a server counts. */
export interface ServerStats {
  /** Connections that are open or closing now. */
  readonly connections: number;
  /** Those among them that wait for `accept()`. */
  readonly queued: number;
  /** Handshakes that are being judged now. */
  readonly pending: number;
  /** Handshakes that succeeded since the server began. */
  readonly accepted: number;
  /** Requests that were answered with something else than 101 since the server began. */
  readonly refused: number;
  /** The same by the status of the answer. */
  readonly refusedByStatus: Readonly<Record<number, number>>;
  /** What all its connections have received since it began, those that are over included; `bufferedBytes` is what waits now. */
  readonly received: TrafficStats;
  /** Likewise what they have sent. */
  readonly sent: TrafficStats;
}

/** Whether a request is for this server; a refusal where that could not be told. */
export type PathVerdict = 'ours' | 'other' | Refusal;

/** Where sockets came in that are announced here. */
export interface Door {
  /** It is a connection now. */
  release(socket: Duplex): void;
  /** Its handshake was refused, unless it was released before. */
  dismiss(socket: Duplex): void;
}

const kLobby: unique symbol = Symbol('wspipe.lobby');

/** A connection of a server. Its method is one function for all, which finds the lobby here. */
type Guest = WsConnection & { [kLobby]?: Lobby | undefined; [kOver]?: () => void };

/** The way of a connection from its request to who takes it. */
export class Lobby {
  readonly queue: AcceptQueue<WsConnection> = new AcceptQueue();
  readonly connections: Crowd<WsConnection> = new Crowd();
  readonly options: ResolvedServerOptions;
  readonly #emitter: EventEmitter;
  /** The watches over handshakes that are being judged. */
  readonly #pending: Crowd<SocketWatch> = new Crowd();
  /** Who is there by address, where that is limited. */
  readonly #book: AddressBook | undefined;
  #isOpen = true;
  #acceptedCount = 0;
  readonly #refusedByStatus: Map<number, number> = new Map();
  /** What connections have received and sent that are over. */
  #received = NO_TRAFFIC;
  #sent = NO_TRAFFIC;

  /** @param emitter who emits `'connection'` */
  constructor(options: ResolvedServerOptions, emitter: EventEmitter) {
    this.options = { ...options, onRefused: (error) => this.#onRefused(options, error) };
    this.#emitter = emitter;
    this.#book = AddressBook.create(options.maxConnectionsPerAddress);
    emitter.on('newListener', (event) => {
      if (event === 'connection') process.nextTick(() => this.#announceQueued());
    });
  }

  /** Whether handshakes may still succeed. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** What is counted; it asks each connection, which takes about a microsecond. */
  get stats(): ServerStats {
    const standing = [...this.connections].map(({ stats }) => stats);
    return {
      connections: this.connections.size,
      queued: this.queue.size,
      pending: this.#pending.size,
      accepted: this.#acceptedCount,
      refused: [...this.#refusedByStatus.values()].reduce((sum, count) => sum + count, 0),
      refusedByStatus: Object.fromEntries(this.#refusedByStatus),
      received: standing.reduce((sum, { received }) => addTraffic(sum, received), this.#received),
      sent: standing.reduce((sum, { sent }) => addTraffic(sum, sent), this.#sent),
    };
  }

  /** Refuses the handshakes under way, and all that may come. */
  close(): void {
    this.#isOpen = false;
    for (const watch of this.#pending) watch.cancel(stoppedRefusal());
    this.queue.end();
  }

  /**
   * Somebody comes, who may become a connection.
   *
   * @param pendingCount how many there are of those, this one included
   * @returns a refusal where there is no room; either way {@link depart} is owed
   */
  arrive(address: string | undefined, pendingCount: number): Refusal | undefined {
    const { maxPendingHandshakes } = this.options;
    this.#book?.enter(address);
    if (this.#book?.isCrowded(address) === true) {
      return new Refusal(429, 'too many connections from one address', { limit: 'maxConnectionsPerAddress' });
    }
    if (pendingCount <= maxPendingHandshakes) return undefined;
    return new Refusal(503, 'too many handshakes are under way', { limit: 'maxPendingHandshakes' });
  }

  /** Who has arrived is gone, or has become a connection. */
  depart(address: string | undefined): void {
    this.#book?.leave(address);
  }

  /**
   * Judges a request, and hands out the connection.
   *
   * @param known `verdict`, where the path was judged already; `door`, where the request's socket was announced with
   * {@link arrive}: it is told what has become of it
   */
  enter(
    upgrade: Upgrade,
    watch: SocketWatch,
    known: { readonly verdict?: PathVerdict | undefined; readonly door?: Door | undefined },
  ): void {
    this.#pending.add(watch);
    const { socket } = upgrade.message;
    const { remoteAddress } = socket;
    const { door } = known;
    const crowd = door === undefined ? this.arrive(remoteAddress, this.#pending.size) : undefined;
    const leave = (): void => {
      if (this.#pending.delete(watch) && door === undefined) this.depart(remoteAddress);
    };
    const welcome = (connection: WsConnection): void => {
      leave();
      door?.release(socket);
      this.#welcome(connection);
    };
    const admit = (request: WsRequest): Refusal | undefined => this.#admit(request, known.verdict) ?? crowd;
    const accepted = acceptUpgrade(upgrade, this.options, watch, { admit, welcome });
    const dismiss = (connection: WsConnection | null): void => {
      if (connection !== null) return;
      leave();
      door?.dismiss(socket);
    };
    if (accepted instanceof Promise) void accepted.then(dismiss);
    else dismiss(accepted);
  }

  /** Says whether a request is for this server; a `path` function that throws makes it ours, to be refused. */
  judgePath(request: WsRequest): PathVerdict {
    const { path } = this.options;
    if (path === undefined) return 'ours';
    if (typeof path === 'string') return request.url.split('?', 1)[0] === path ? 'ours' : 'other';
    try {
      return path(request) === true ? 'ours' : 'other';
    } catch (error) {
      return Refusal.from(error);
    }
  }

  /** Judges a request that is in order: is it for us, and is there room? */
  #admit(request: WsRequest, known: PathVerdict | undefined): Refusal | undefined {
    if (!this.#isOpen) return stoppedRefusal();
    const verdict = known ?? this.judgePath(request);
    if (verdict === 'other') return new Refusal(404, 'nothing is served here');
    if (verdict instanceof Refusal) return verdict;
    const { maxConnections, acceptQueue } = this.options;
    // The handshake in question is among the pending ones.
    if (this.connections.size + this.#pending.size > maxConnections) {
      return new Refusal(503, 'too many connections', { limit: 'maxConnections' });
    }
    if (this.#emitter.listenerCount('connection') > 0) return undefined;
    const waitingCount = this.queue.size + this.#pending.size - this.queue.waiting;
    if (waitingCount <= acceptQueue) return undefined;
    return new Refusal(503, 'too many connections wait', { limit: 'acceptQueue' });
  }

  #welcome(connection: WsConnection): void {
    this.#acceptedCount += 1;
    this.connections.add(connection);
    this.#book?.enter(connection.request?.remoteAddress);
    const guest: Guest = connection;
    guest[kLobby] = this;
    guest[kOver] = Lobby.#onOver;
    if (this.#emitter.listenerCount('connection') === 0) this.queue.push(connection);
    else process.nextTick(() => this.#announce(connection));
  }

  static #onOver(this: Guest): void {
    this[kLobby]!.#forget(this);
  }

  #forget(connection: WsConnection): void {
    this.connections.delete(connection);
    const { received, sent } = connection.stats;
    this.#received = addTraffic(this.#received, { ...received, bufferedBytes: 0 });
    this.#sent = addTraffic(this.#sent, { ...sent, bufferedBytes: 0 });
    this.#book?.leave(connection.request?.remoteAddress);
  }

  /** Emits from outside any promise, so that a listener that throws is an uncaught exception, as with any emitter. */
  #announce(connection: WsConnection): void {
    if (!this.#emitter.emit('connection', connection)) this.queue.push(connection);
  }

  #announceQueued(): void {
    while (this.#emitter.listenerCount('connection') > 0) {
      const connection = this.queue.shift();
      if (connection === undefined) return;
      this.#emitter.emit('connection', connection);
    }
  }

  #onRefused({ onRefused }: ResolvedServerOptions, error: HandshakeError): void {
    this.#refusedByStatus.set(error.status, (this.#refusedByStatus.get(error.status) ?? 0) + 1);
    onRefused?.(error);
  }
}

function stoppedRefusal(): Refusal {
  return new Refusal(503, 'the server has stopped');
}
