/**
 * NATS as a broker: core NATS, at most once, one subject for each name.
 */
import type { Broker, BrokerHandlers } from '../fanout/backplane/broker.ts';
import type { NatsConnect, NatsConnection } from './nats-connection.ts';

/** How soon a connection that could not be made, or is over for good, is made anew, in ms. */
const REOPEN_MS = 500;

interface Status {
  readonly type: string;
  readonly error?: (Error & { readonly operation?: string; readonly subject?: string }) | undefined;
}

export class NatsBroker implements Broker {
  readonly #prefix: string;
  readonly #connect: NatsConnect;
  /** Whether the connection is the caller's, who ends it. */
  readonly #isBorrowed: boolean;
  readonly #subscriptions = new Map<string, { unsubscribe(): void }>();
  /** Subjects that we were told we may not publish on. */
  readonly #forbidden = new Map<string, Error>();
  #connection: NatsConnection | undefined;
  #statuses: (AsyncIterable<Status> & { stop?: () => void }) | undefined;
  #handlers: BrokerHandlers | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(connect: NatsConnect, prefix: string, isBorrowed: boolean) {
    this.#connect = connect;
    this.#prefix = prefix;
    this.#isBorrowed = isBorrowed;
  }

  get maxMessageBytes(): number | undefined {
    return this.#connection?.info?.max_payload;
  }

  start(handlers: BrokerHandlers): void {
    this.#handlers = handlers;
    void this.#open();
  }

  async publish(name: string, batch: readonly Uint8Array[]): Promise<boolean> {
    const subject = this.#subjectOf(name);
    try {
      for (const bytes of batch) this.#connection!.publish(subject, bytes);
      await this.#connection!.flush();
    } catch {
      return false;
    }
    // A refusal comes before the answer to the flush, but is told by a loop of its own.
    await new Promise(setImmediate);
    const error = this.#forbidden.get(subject);
    if (error === undefined) return true;
    this.#forbidden.delete(subject);
    throw error;
  }

  async subscribe(name: string): Promise<void> {
    // The client subscribes again by itself: a second subscription would be given everything twice.
    if (!this.#subscriptions.has(name)) this.#subscriptions.set(name, this.#listen(name));
    await this.#connection!.flush();
    await new Promise(setImmediate);
    if (!this.#subscriptions.has(name)) throw new Error(`NATS does not let us subscribe to ${this.#subjectOf(name)}`);
  }

  async unsubscribe(name: string): Promise<void> {
    this.#subscriptions.get(name)?.unsubscribe();
    this.#subscriptions.delete(name);
  }

  async close(): Promise<void> {
    this.#handlers = undefined;
    clearTimeout(this.#timer);
    this.#statuses?.stop?.();
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#subscriptions.clear();
    if (!this.#isBorrowed) await this.#connection?.close().catch(() => {});
  }

  /** A subject is made of words with dots between, and knows wildcards: a name is one word. */
  #subjectOf(name: string): string {
    return this.#prefix + encodeURIComponent(name).replace(/[.*]/g, (sign) => (sign === '.' ? '%2E' : '%2A'));
  }

  #listen(name: string): { unsubscribe(): void } {
    return this.#connection!.subscribe(this.#subjectOf(name), {
      callback: (error, { data }) => {
        if (error === null) this.#handlers?.message(name, data);
        else this.#subscriptions.delete(name);
      },
    });
  }

  async #open(): Promise<void> {
    try {
      const connection = await this.#connect();
      if (this.#handlers === undefined) {
        if (!this.#isBorrowed) await connection.close();
        return;
      }
      this.#connection = connection;
      await this.#follow(connection);
    } catch (error) {
      this.#handlers?.disconnected(error as Error);
    }
    if (this.#handlers !== undefined && !this.#isBorrowed) this.#timer = setTimeout(() => void this.#open(), REOPEN_MS);
  }

  /** Follows a connection until it is over for good. */
  async #follow(connection: NatsConnection): Promise<void> {
    this.#subscriptions.clear();
    const statuses: AsyncIterable<Status> = connection.status();
    this.#statuses = statuses;
    // Whether it is there now is known by its answer, not by what has been told of it.
    connection.flush().then(
      () => this.#handlers?.connected(),
      () => {},
    );
    for await (const { type, error } of statuses) {
      if (type === 'disconnect') this.#handlers?.disconnected();
      else if (type === 'reconnect') this.#handlers?.connected();
      else if (error?.operation === 'publish') this.#forbidden.set(error.subject ?? '', error);
    }
    this.#handlers?.disconnected((await connection.closed()) as Error | undefined);
  }
}
