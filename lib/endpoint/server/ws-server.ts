/**
 * A WebSocket server: it owns an HTTP server, or shares somebody else's, and hands out the connections.
 *
 * Law: no peer makes it throw, reject, or emit `'error'`. A handshake that fails is answered with its HTTP status and
 * never handed out; a connection that stands is handed out once, and waits until somebody takes it.
 */

import { EventEmitter } from 'node:events';
import type { AddressInfo, ListenOptions } from 'node:net';
import { abortable } from '../../connection/abortable.ts';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { createAbortError } from '../../errors.ts';
import { broadcast, type ConnectionFilter } from '../../fanout/broadcast.ts';
import type { Message } from '../../fanout/prepared-frame.ts';
import { count, MAX_TIMER_MS } from '../../options.ts';
import { WS_CLOSE_GOING_AWAY } from '../../protocol/close-code.ts';
import { encodeClosePayload } from '../../protocol/close-payload.ts';
import { resolveServerOptions, type ServerOptions } from '../endpoint-options.ts';
import { reportRefusal, type Upgrade, watchUpgrade } from '../upgrade/accept-upgrade.ts';
import { describeRequest } from '../upgrade/upgrade-request.ts';
import { type AttachableServer, attachTo } from './attachment.ts';
import { FrontDoor } from './front-door.ts';
import { Lobby, type ServerStats } from './lobby.ts';
import { type ConnectionHandler, echo, serveConnections } from './serve.ts';

const DEADLINE_MS = 10_000;

/** How {@link WsServer.close} says good-bye. */
export interface ServerCloseOptions {
  /** The close code for every connection. Default 1001, going away. */
  readonly code?: number | undefined;
  /** The reason beside it, at most 123 bytes of UTF-8. Default `''`. */
  readonly reason?: string | undefined;
  /** ms after which the connections that are left are destroyed. Default 10,000. */
  readonly deadlineMs?: number | undefined;
  /** Gives the patience up: destroys what is left, and rejects with an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
}

/** The events of a {@link WsServer}. */
export interface WsServerEvents<Context = unknown> {
  /** A connection stands. With a listener, connections are not queued for `accept()`. */
  readonly connection: [connection: WsConnection<Context>];
  /** A handler given to `serve()` threw. Without a listener, a process warning says so. */
  readonly handlerError: [error: unknown, connection: WsConnection<Context>];
  /** The system refused something to the listening socket. Without a listener, a process warning says so. */
  readonly error: [error: Error];
}

/**
 * Accepts WebSocket connections.
 *
 * Take them with `accept()`, with `for await`, with `serve()`, or with the `'connection'` event. What `authorize` gives
 * is the type of their `context`.
 */
export class WsServer<Context = unknown> extends EventEmitter<WsServerEvents<Context>> {
  /** What the caller has asked for; `undefined` is no limit to an echo. */
  readonly #maxMessageBytes: number | undefined;
  readonly #lobby: Lobby;
  #host!: AttachableServer;
  /** The HTTP server of our own, where there is one. */
  #door: FrontDoor | undefined;
  /** Lets go of the HTTP server: closes our own, leaves somebody else's. */
  #release: () => void = () => {};
  /** Kept when the HTTP server of our own has ended. */
  #ended: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #port = 0;

  private constructor(options: ServerOptions<Context> | undefined) {
    super();
    this.#lobby = new Lobby(resolveServerOptions(options), this);
    this.#maxMessageBytes = options?.maxMessageBytes;
  }

  /**
   * Listens on a port.
   *
   * @param where a port (0 for any that is free), or what Node's `listen` takes: `{ port, host }`, `{ path }` and so on;
   * an abort of its `signal` stops the server
   * @returns the server, when it listens
   * @throws TypeError, RangeError for wrong arguments, AbortError, and the system's error (EADDRINUSE, EACCES …), as a
   * rejection
   */
  static override async bind<Context = unknown>(
    where: number | ListenOptions,
    options?: ServerOptions<Context> | undefined,
  ): Promise<WsServer<Context>> {
    const isListenable = typeof where === 'number' || (typeof where === 'object' && where !== null);
    if (!isListenable) throw new TypeError('bind needs a port or listen options');
    const signal = typeof where === 'object' ? where.signal : undefined;
    if (signal?.aborted) throw createAbortError(signal);
    const server = new WsServer<Context>(options);
    const { options: resolved } = server.#lobby;
    const door = new FrontDoor(resolved, {
      onUpgrade: (upgrade, watch) => server.#lobby.enter(upgrade, watch, { door }),
      onArrival: (address, pendingCount) => server.#lobby.arrive(address, pendingCount),
      onDeparture: (address) => server.#lobby.depart(address),
      onRefused: (refusal) => reportRefusal(refusal, resolved),
      onError: (error) => server.#onError(error),
    });
    await door.listen(where);
    server.#door = door;
    const onAbort = (): void => server.stop();
    signal?.addEventListener('abort', onAbort);
    server.#standOn(door.server, () => {
      signal?.removeEventListener('abort', onAbort);
      server.#ended = door.close();
    });
    return server;
  }

  /**
   * Serves the upgrades of an HTTP server that stands already. Requests for other paths are left alone where somebody
   * else listens for upgrades, and are answered with 404 where nobody does.
   *
   * @param httpServer a server of node:http or node:https, or of node:http2, where extended CONNECTs (RFC 8441) are
   * served beside upgrades; attach before it listens, as its sessions are told so when they begin
   * @throws TypeError, RangeError for wrong arguments
   */
  static attach<Context = unknown>(
    httpServer: AttachableServer,
    options?: Omit<ServerOptions<Context>, 'tls'> | undefined,
  ): WsServer<Context> {
    if (typeof httpServer?.on !== 'function') throw new TypeError('attach needs an HTTP server');
    const server = new WsServer<Context>(options);
    const lobby = server.#lobby;
    const { handshakeTimeoutMs } = lobby.options;
    const take = (upgrade: Upgrade): boolean => {
      const verdict = lobby.judgePath(describeRequest(upgrade.message, upgrade.socket));
      if (verdict === 'other') return false;
      lobby.enter(upgrade, watchUpgrade(upgrade.socket, handshakeTimeoutMs), { verdict });
      return true;
    };
    server.#standOn(httpServer, attachTo(httpServer, take));
    return server;
  }

  /** The connections that stand, queued ones included. It changes as they come and go. */
  get connections(): ReadonlySet<WsConnection<Context>> {
    return this.#lobby.connections as ReadonlySet<WsConnection<Context>>;
  }

  /** What the server counts, at this moment. */
  get stats(): ServerStats {
    return this.#lobby.stats;
  }

  /** Whether new connections are taken: true until `stop()`, `close()` or `drop()`. */
  get running(): boolean {
    return this.#lobby.isOpen;
  }

  /** The port, also after the server has stopped; 0 where there is none. */
  get port(): number {
    const address = this.#host.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
    return this.#port;
  }

  /** Whether the server is bound to an address. */
  isValid(): boolean {
    return this.running && this.#host.listening;
  }

  /** The address it listens on, as Node's `server.address()` gives it; null when it does not listen. */
  address(): AddressInfo | string | null {
    return this.#host.address();
  }

  /**
   * Waits for the next connection.
   *
   * @param options `signal` ends the wait with an `AbortError`; no connection is lost by that
   * @returns null after the server has stopped and the connections that were waiting are handed out
   * @throws AbortError, as a rejection, and nothing else
   */
  accept(options: { signal?: AbortSignal | undefined } = {}): Promise<WsConnection<Context> | null> {
    return this.#lobby.queue.take(options.signal) as Promise<WsConnection<Context> | null>;
  }

  /** Hands out connection by connection until the server has stopped. Leaving the loop stops nothing. */
  async *[Symbol.asyncIterator](): AsyncGenerator<WsConnection<Context>, void, undefined> {
    for (let connection: WsConnection<Context> | null; (connection = await this.accept()) !== null; ) yield connection;
  }

  /**
   * Runs `handler` for every connection, all at once. When it returns, its connection is closed with 1000; when it
   * throws, with 1011, and the event `'handlerError'` tells of it.
   *
   * @param options an abort of `signal` closes the server, and then resolves
   * @returns a promise that is kept when the server has stopped and its connections have ended
   */
  async serve(handler: ConnectionHandler<Context>, options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    if (typeof handler !== 'function') throw new TypeError('serve needs a function');
    await serveConnections(this, handler as ConnectionHandler, options.signal);
  }

  /** Echoes text and binary on every connection, all at once, streamed, so of any size; ends as `serve()` does. */
  runEcho(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    // Of any size, unless a limit was asked for.
    return this.serve((connection) => echo(connection, this.#maxMessageBytes), options);
  }

  /**
   * Sends one message to all connections, or to those that `filter` picks: at once to all who have room. It is encoded
   * once, and compressed once for each set of parameters. Nothing is dropped in silence: what a slow one has not taken
   * waits in its own queue, and when that comes to `maxQueuedBytes`, it is failed with 1013.
   *
   * @returns a promise of the number of connections that it was sent on, kept when all have room for more. Wait for it
   * before the next broadcast, and the slowest one sets the pace; a peer that does not read at all is cut by `heartbeat`
   * @throws TypeError for what is no message, or where a connection is inside a message of raw fragments; as a rejection,
   * when all others have been sent it
   */
  broadcast(message: Message, filter?: ConnectionFilter<Context> | undefined): Promise<number> {
    return broadcast(this.connections, message, filter as ConnectionFilter);
  }

  /** Takes no new connections; handshakes under way get a 503. Connections that stand go on. */
  stop(): void {
    if (!this.running) return;
    // Remembers the port, which the HTTP server is about to forget.
    void this.port;
    this.#lobby.close();
    this.#release();
  }

  /**
   * Stops, closes all connections with a closing handshake, and destroys what is left of them at the deadline. An HTTP
   * server of our own is closed; one that was attached to is let go.
   *
   * @returns a promise that is kept when all has ended; calling it again gives the same
   * @throws TypeError, RangeError for a code, reason or deadline that cannot be, as a rejection; AbortError when `signal`
   * aborts, which destroys what is left
   */
  async close(options: ServerCloseOptions = {}): Promise<void> {
    const { code = WS_CLOSE_GOING_AWAY, reason = '' } = options;
    encodeClosePayload(code, reason);
    const deadlineMs = count('deadlineMs', options.deadlineMs, DEADLINE_MS, MAX_TIMER_MS);
    this.#closing ??= this.#closeAll(code, reason, deadlineMs);
    if (options.signal?.aborted) this.drop();
    const closing = this.#closing;
    await abortable<void>(options.signal, (resolve) => {
      void closing.then(resolve);
      return () => this.drop();
    });
  }

  /** Destroys all connections now. */
  drop(): void {
    this.stop();
    this.#lobby.queue.clear();
    this.#door?.destroy();
    for (const connection of this.connections) connection.forceClose();
  }

  /** As {@link WsServer.drop}. */
  [Symbol.dispose](): void {
    this.drop();
  }

  /** As {@link WsServer.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #standOn(host: AttachableServer, release: () => void): void {
    this.#host = host;
    const onClose = (): void => this.stop();
    host.on('close', onClose);
    this.#release = () => {
      host.off('close', onClose);
      release();
    };
  }

  #onError(error: Error): void {
    if (this.listenerCount('error') > 0) this.emit('error', error);
    else process.emitWarning(error);
  }

  async #closeAll(code: number, reason: string, deadlineMs: number): Promise<void> {
    this.stop();
    this.#lobby.queue.clear();
    this.#door?.turnAway();
    const timer = setTimeout(() => this.drop(), deadlineMs);
    await Promise.all([...this.connections].map((connection) => connection.close(code, reason)));
    await this.#ended;
    clearTimeout(timer);
  }
}

/** Listens on a port: the same as {@link WsServer.bind}. */
export function wsServer<Context = unknown>(
  where: number | ListenOptions,
  options?: ServerOptions<Context> | undefined,
): Promise<WsServer<Context>> {
  return WsServer.bind(where, options);
}
