/**
 * A broker for one process: it is never away, and has a log. What it is given comes back in a turn of its own, as from
 * any broker.
 */
import type { Broker, BrokerHandlers } from './broker.ts';
import type { MemoryLog } from './memory-log.ts';

export class MemoryBroker implements Broker {
  readonly log: MemoryLog;
  readonly #subscribed = new Set<string>();
  #handlers: BrokerHandlers | undefined;

  constructor(log: MemoryLog) {
    this.log = log;
  }

  start(handlers: BrokerHandlers): void {
    this.#handlers = handlers;
    queueMicrotask(() => this.#handlers?.connected());
  }

  async publish(channel: string, batch: readonly Uint8Array[]): Promise<boolean> {
    for (const bytes of batch) {
      const entry = this.log.append(channel, bytes);
      if (this.#subscribed.has(channel)) this.#handlers?.appended(channel, entry);
    }
    return true;
  }

  async subscribe(channel: string): Promise<void> {
    this.#subscribed.add(channel);
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#subscribed.delete(channel);
  }

  async close(): Promise<void> {
    this.#handlers = undefined;
  }
}
