/**
 * Redis as a broker, over two connections: one subscribes, one does all else. Without history what is published goes by
 * pub/sub; with history it goes through a stream for each name.
 */
import type { Broker, BrokerHandlers } from '../fanout/backplane/broker.ts';
import type { ResolvedHistoryOptions } from '../fanout/backplane/memory-log.ts';
import { isRefusal, type RedisClient, type RedisClientSource, type RedisListener } from './redis-client.ts';
import { parseTold, RedisLog } from './redis-log.ts';

/** How soon a client that has given up is made to go on, in ms. */
const REOPEN_MS = 1000;

export class RedisBroker implements Broker {
  readonly log: RedisLog | undefined;
  readonly #prefix: string;
  readonly #commander: RedisClient;
  readonly #subscriber: RedisClient;
  readonly #listeners = new Map<string, RedisListener>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #handlers: BrokerHandlers | undefined;
  #isConnected = false;

  constructor(source: RedisClientSource, prefix: string, history: ResolvedHistoryOptions | undefined) {
    this.#prefix = prefix;
    // What was not sent when the connection broke is ours to send again, in its order.
    this.#commander = source.duplicate({ disableOfflineQueue: true }) as RedisClient;
    this.#subscriber = source.duplicate({ disableOfflineQueue: true }) as RedisClient;
    const send = this.#commander.sendCommand.bind(this.#commander);
    this.log = history === undefined ? undefined : new RedisLog(send, prefix, history);
  }

  start(handlers: BrokerHandlers): void {
    this.#handlers = handlers;
    for (const client of [this.#commander, this.#subscriber]) {
      client.on('ready', () => this.#ready());
      client.on('error', (error) => this.#lost(error));
      client.on('terminated', () => this.#reopen(client));
      this.#open(client);
    }
  }

  async publish(name: string, batch: readonly Uint8Array[]): Promise<boolean> {
    try {
      if (this.log !== undefined) await this.log.append(name, batch);
      else
        await Promise.all(batch.map((bytes) => this.#commander.sendCommand(['PUBLISH', this.#channelOf(name), bytes])));
      return true;
    } catch (error) {
      if (isRefusal(error)) throw error;
      return false;
    }
  }

  async subscribe(name: string): Promise<void> {
    let listener = this.#listeners.get(name);
    if (listener === undefined) {
      listener = this.#createListener(name);
      this.#listeners.set(name, listener);
    }
    await this.#subscriber.subscribe(this.#channelOf(name), listener, true);
  }

  async unsubscribe(name: string): Promise<void> {
    const listener = this.#listeners.get(name);
    this.#listeners.delete(name);
    if (listener !== undefined) await this.#subscriber.unsubscribe(this.#channelOf(name), listener, true);
  }

  async close(): Promise<void> {
    this.#handlers = undefined;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const client of [this.#commander, this.#subscriber]) client.destroy();
  }

  #channelOf(name: string): string {
    return this.log?.keyOf(name) ?? `${this.#prefix}now:${name}`;
  }

  #createListener(name: string): RedisListener {
    if (this.log === undefined) return (message) => this.#handlers?.message(name, message);
    return (message) => {
      const entry = parseTold(message);
      if (entry === undefined) this.#handlers?.malformed(name, 'it names no place in the log');
      else this.#handlers?.appended(name, entry);
    };
  }

  #open(client: RedisClient): void {
    // What goes wrong is told by events.
    client.connect().catch(() => {});
  }

  /** The strategy of the caller's client may be to give up; ours is not. */
  #reopen(client: RedisClient): void {
    if (this.#handlers === undefined) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#open(client);
    }, REOPEN_MS);
    this.#timers.add(timer);
  }

  #ready(): void {
    if (this.#isConnected || !this.#commander.isReady || !this.#subscriber.isReady) return;
    this.#isConnected = true;
    this.#handlers?.connected();
  }

  #lost(error: Error): void {
    if (this.#isConnected && this.#commander.isReady && this.#subscriber.isReady) return;
    this.#isConnected = false;
    this.#handlers?.disconnected(error);
  }
}
