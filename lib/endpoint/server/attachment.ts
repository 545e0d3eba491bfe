/**
 * Shares one HTTP server among several WebSocket servers, and with whoever else listens for upgrades there. There is
 * one listener for all of ours, so each request has exactly one answer.
 */

import type { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Http2SecureServer, Http2Server } from 'node:http2';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { Http2Switch, isHttp2Server } from '../http2/http2-switch.ts';
import { reportRefusal, type Upgrade } from '../upgrade/accept-upgrade.ts';
import { Refusal, sendRefusal } from '../upgrade/refusal.ts';

/** An HTTP server whose upgrades can be served. */
export type AttachableServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer;

/** Takes an upgrade and answers it, or says that it is for somebody else. It does not throw. */
export type TakeUpgrade = (upgrade: Upgrade) => boolean;

/** By HTTP server; an entry lives as long as somebody is attached. */
const switchboards: WeakMap<EventEmitter, Switchboard> = new WeakMap();

class Switchboard {
  readonly #httpServer: EventEmitter;
  readonly #takers: Set<TakeUpgrade> = new Set();
  /** Where it speaks HTTP/2. */
  readonly #http2: Http2Switch | undefined;

  constructor(httpServer: EventEmitter) {
    this.#httpServer = httpServer;
    httpServer.on('upgrade', this.#onUpgrade);
    if (isHttp2Server(httpServer)) this.#http2 = new Http2Switch(httpServer, (upgrade) => this.#offer(upgrade));
  }

  add(take: TakeUpgrade): void {
    this.#takers.add(take);
  }

  remove(take: TakeUpgrade): void {
    this.#takers.delete(take);
    if (this.#takers.size > 0) return;
    this.#httpServer.off('upgrade', this.#onUpgrade);
    this.#http2?.release();
    switchboards.delete(this.#httpServer);
  }

  #offer(upgrade: Upgrade): boolean {
    for (const take of this.#takers) if (take(upgrade)) return true;
    return false;
  }

  readonly #onUpgrade = (message: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (this.#offer({ message, socket, head })) return;
    const isAlone = this.#httpServer.listenerCount('upgrade') === 1;
    if (!isAlone) return;
    const refusal = new Refusal(404, 'nothing is served here');
    sendRefusal(socket, refusal, message.method === 'HEAD');
    reportRefusal(refusal, {});
  };
}

/**
 * Begins to serve upgrades of an HTTP server. Where several want a request, the one that was attached first has it.
 *
 * @returns lets the HTTP server go
 */
export function attachTo(httpServer: AttachableServer, take: TakeUpgrade): () => void {
  const emitter: EventEmitter = httpServer;
  let switchboard = switchboards.get(emitter);
  if (switchboard === undefined) switchboards.set(emitter, (switchboard = new Switchboard(emitter)));
  switchboard.add(take);
  return () => switchboard.remove(take);
}
