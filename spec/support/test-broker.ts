/** Brokers in memory that do what a test says: they are cut, refuse, hold their answers, and give anything to anybody. */
import { onTestFinished } from 'vitest';
import { Backplane } from '../../lib/fanout/backplane/backplane.ts';
import type { BackplaneSettings } from '../../lib/fanout/backplane/backplane-options.ts';
import type { Broker, BrokerHandlers } from '../../lib/fanout/backplane/broker.ts';
import { type MemoryHistoryOptions, MemoryLog } from '../../lib/fanout/backplane/memory-log.ts';

/** What all brokers of a test are connected to. */
export class TestHub {
  readonly brokers: TestBroker[] = [];
  readonly log: MemoryLog | undefined;
  /** How far each publisher has come in the log. */
  readonly #sequences = new Map<string, number>();

  constructor(history?: MemoryHistoryOptions | undefined) {
    this.log = history === undefined ? undefined : new MemoryLog(history);
  }

  /** Another process: a backplane with a broker of its own, connected. */
  join(settings: BackplaneSettings = {}): { backplane: Backplane; broker: TestBroker } {
    const broker = new TestBroker(this);
    const backplane = new Backplane({ ...settings, broker });
    onTestFinished(() => backplane.close());
    broker.restore();
    return { backplane, broker };
  }

  /** Gives bytes to all who have subscribed, and are connected. */
  send(channel: string, bytes: Uint8Array): void {
    const copy = Buffer.from(bytes);
    if (this.log === undefined) {
      for (const broker of this.brokers) broker.hear(channel, (handlers) => handlers.message(channel, copy));
      return;
    }
    const publisher = copy.toString('hex', 2, 10);
    const sequence = copy.length < 16 ? 1 : copy.readUIntBE(10, 6);
    if (sequence <= (this.#sequences.get(publisher + channel) ?? 0)) return;
    this.#sequences.set(publisher + channel, sequence);
    const entry = this.log.append(channel, copy);
    for (const broker of this.brokers) broker.hear(channel, (handlers) => handlers.appended(channel, entry));
  }
}

export class TestBroker implements Broker {
  readonly hub: TestHub;
  /** What was asked of it, in order. */
  readonly story: string[] = [];
  readonly subscribed: Set<string> = new Set();
  maxMessageBytes: number | undefined;
  /** Takes the place of what it does with a batch. */
  onPublish: ((batch: readonly Uint8Array[], publish: () => void) => Promise<boolean>) | undefined;
  onSubscribe: (() => Promise<void>) | undefined;
  /** Its messages do not come. */
  isDeaf = false;
  handlers: BrokerHandlers | undefined;
  isConnected = false;

  constructor(hub: TestHub) {
    this.hub = hub;
    hub.brokers.push(this);
  }

  get log(): Broker['log'] {
    const { log } = this.hub;
    if (log === undefined) return undefined;
    return {
      newest: (channel) => this.#reach(() => log.newest(channel)),
      read: (channel, after, limit) => this.#reach(() => log.read(channel, after, limit)),
      placeBefore: (channel, messages) => this.#reach(() => log.placeBefore(channel, messages)),
      compare: (one, other) => log.compare(one, other),
    };
  }

  start(handlers: BrokerHandlers): void {
    this.handlers = handlers;
  }

  cut(error?: Error): void {
    this.isConnected = false;
    this.subscribed.clear();
    this.handlers?.disconnected(error);
  }

  restore(): void {
    this.isConnected = true;
    this.handlers?.connected();
  }

  hear(channel: string, tell: (handlers: BrokerHandlers) => void): void {
    if (this.isConnected && !this.isDeaf && this.subscribed.has(channel)) tell(this.handlers!);
  }

  async publish(channel: string, batch: readonly Uint8Array[]): Promise<boolean> {
    this.story.push(`publish ${channel} ${batch.length}`);
    const publish = (): void => {
      for (const bytes of batch) this.hub.send(channel, bytes);
    };
    if (this.onPublish !== undefined) return this.onPublish(batch, publish);
    if (!this.isConnected) return false;
    publish();
    return true;
  }

  async subscribe(channel: string): Promise<void> {
    this.story.push(`subscribe ${channel}`);
    await this.onSubscribe?.();
    if (!this.isConnected) throw new Error('not connected');
    this.subscribed.add(channel);
  }

  async unsubscribe(channel: string): Promise<void> {
    this.story.push(`unsubscribe ${channel}`);
    this.subscribed.delete(channel);
  }

  async close(): Promise<void> {
    this.story.push('close');
    this.isConnected = false;
    this.handlers = undefined;
  }

  async #reach<T>(read: () => Promise<T>): Promise<T> {
    if (!this.isConnected) throw new Error('not connected');
    return read();
  }
}
