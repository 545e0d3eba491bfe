/**
 * What a broker's adapter is: this is all that has to be written to span processes over another broker. Envelopes,
 * sequence numbers, queues, retries, what comes twice and what never comes are the {@link Backplane}'s business.
 *
 * What an adapter owes:
 *
 * 1. **Order.** What one `publish` gives, and what one gives after another was kept, reaches each subscriber in that
 *    order, or not at all. (The same message may reach it twice: the backplane tells.)
 * 2. **Truth.** `publish` is kept with `true` only when the broker has taken all of the batch. Where that is not known,
 *    it is `false`, and the batch is given again.
 * 3. **Return.** It connects by itself, and again whenever the connection is lost, for as long as it is not closed, and
 *    tells `connected` and `disconnected` in turn. What was under way at `disconnected` need not settle.
 * 4. **Subscriptions** are the backplane's to restore: at each `connected` it subscribes again to all that it needs,
 *    also where the client does so itself. To subscribe twice is to subscribe once.
 * 5. **Confirmation.** `subscribe` is kept when what is published from then on will come.
 * 6. **Calm.** Nothing throws or rejects but what is said here; after `close` nothing is told any more, and nothing is
 *    left: no socket, no timer, no listener on a client of the caller's.
 *
 * With a `log`, in addition:
 *
 * 7. **One order.** Each channel is a log: what is published is appended to it, and told to subscribers as entries, each
 *    with its id and the id of the one before.
 * 8. **Once.** A batch, or a part of it, that is given again is not appended again. The first 16 bytes of a message are
 *    its envelope: publisher and sequence, which grows, tell.
 */

/** What an adapter tells. */
export interface BrokerHandlers {
  /** The broker can be reached: publish and subscribe. */
  connected(): void;
  /** It cannot. What was under way is given again. */
  disconnected(error?: Error | undefined): void;
  /** Something came on a channel that was subscribed to. The bytes are the backplane's own. */
  message(channel: string, bytes: Uint8Array): void;
  /** Something was appended to the log of a channel that was subscribed to. */
  appended(channel: string, entry: LogEntry): void;
  /** Something came on a channel that the adapter can make nothing of. */
  malformed(channel: string, reason: string): void;
}

/** A message in a log. */
export interface LogEntry {
  /** Its place in the log, in the broker's own terms. */
  readonly id: string;
  /** The place of the one before. */
  readonly previous: string;
  readonly bytes: Uint8Array;
}

/** A part of a log. */
export interface LogPage {
  /** Oldest first. */
  readonly entries: readonly LogEntry[];
  /** Whether something may be gone between the place that was asked for and the first entry. */
  readonly isGap: boolean;
}

/** The history of channels. All of these reject where the broker cannot be reached. */
export interface BrokerLog {
  /** The place of the newest entry; a log in which nothing is has one too. */
  newest(channel: string): Promise<string>;
  /**
   * Reads up to `limit` entries behind a place. Places may come from anywhere, also from a page: one that is none, or
   * that the log has never had, is a gap before the oldest entry.
   *
   * @param after undefined is before the oldest
   */
  read(channel: string, after: string | undefined, limit: number): Promise<LogPage>;
  /** Gives the place behind which the newest `count` entries stand; undefined where there are no more than these. */
  placeBefore(channel: string, count: number): Promise<string | undefined>;
  /** @returns below 0 where the first stands before the second, 0 where it is the same, above 0 where it stands behind */
  compare(one: string, other: string): number;
}

/** A broker, as a {@link Backplane} uses it. */
export interface Broker {
  /** Where it has one, everything goes through it. */
  readonly log?: BrokerLog | undefined;
  /** The largest message that it takes, in bytes; it may be known only once it is connected. Default: no limit of its own. */
  readonly maxMessageBytes?: number | undefined;
  /** Connects. Called once. */
  start(handlers: BrokerHandlers): void;
  /**
   * Publishes messages, in order. Not called again for a channel before it is kept or the broker has gone.
   *
   * @returns a promise of whether the broker has taken them. Where it is `false` they are given again, in a while or when
   * the broker is back. It rejects where they will never be taken, and why.
   */
  publish(channel: string, batch: readonly Uint8Array[]): Promise<boolean>;
  /** Rejects where it cannot be subscribed to now: it is tried again in a while, or when the broker is back. */
  subscribe(channel: string): Promise<void>;
  /** Only called for what is subscribed to. */
  unsubscribe(channel: string): Promise<void>;
  /** Ends it. Called once. */
  close(): Promise<void>;
}
