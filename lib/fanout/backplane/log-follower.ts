/**
 * Follows the log of one channel: each entry once, in order. What the broker tells is checked against the chain of
 * places; where a link is missing, the log is read until there is no more, and only then is what is told trusted again.
 * So nothing needs to be held meanwhile.
 */
import type { BrokerLog, LogEntry } from './broker.ts';

/** Entries that are read at a time. */
export const PAGE_LENGTH = 500;

/** What a follower tells. */
export interface FollowerHandlers {
  entered(entry: LogEntry): void;
  /** A link is missing: `catchUp` is due. */
  behind(): void;
}

export class LogFollower {
  readonly #log: BrokerLog;
  readonly #channel: string;
  readonly #handlers: FollowerHandlers;
  #position = '';
  #isLive = false;
  /** Told while the log was read. */
  #hasMore = false;
  #awaited: { readonly place: string; readonly reached: () => void }[] = [];

  constructor(log: BrokerLog, channel: string, handlers: FollowerHandlers) {
    this.#log = log;
    this.#channel = channel;
    this.#handlers = handlers;
  }

  /** Whether it has its place. */
  get hasBegun(): boolean {
    return this.#position !== '';
  }

  /** The place of the last entry that it has come to; `''` before it has begun. */
  get position(): string {
    return this.#position;
  }

  /** Takes its place at the end of the log, where it has none. */
  async begin(): Promise<void> {
    if (!this.hasBegun) this.#position = await this.#log.newest(this.#channel);
  }

  /**
   * Reads until there is no more; call it once what is appended will be told.
   *
   * @param isStale whether somebody else is at it by now
   */
  async catchUp(isStale: () => boolean): Promise<void> {
    this.#isLive = false;
    do {
      this.#hasMore = false;
      // Where there is a gap, the sequences of the publishers tell how much is missing.
      const { entries } = await this.#log.read(this.#channel, this.#position, PAGE_LENGTH);
      if (isStale()) return;
      for (const entry of entries) this.#enter(entry);
      if (entries.length === PAGE_LENGTH) this.#hasMore = true;
    } while (this.#hasMore);
    this.#isLive = true;
  }

  /** The broker told of an entry. */
  appended(entry: LogEntry): void {
    if (!this.#isLive) this.#hasMore = true;
    else if (entry.previous === this.#position) this.#enter(entry);
    else if (this.#log.compare(entry.id, this.#position) > 0) {
      this.#isLive = false;
      this.#handlers.behind();
    }
  }

  /** What is told now is not followed: the broker has gone. */
  pause(): void {
    this.#isLive = false;
  }

  /** Waits until it has come to a place. The promise is kept, too, where it gives up. */
  reach(place: string): Promise<void> {
    if (this.#isAt(place)) return Promise.resolve();
    return new Promise((reached) => this.#awaited.push({ place, reached }));
  }

  /** Lets go of those who wait. */
  stop(): void {
    this.#isLive = false;
    for (const { reached } of this.#awaited.splice(0)) reached();
  }

  #enter(entry: LogEntry): void {
    this.#position = entry.id;
    this.#handlers.entered(entry);
    if (this.#awaited.length === 0) return;
    const here = this.#awaited.filter(({ place }) => this.#isAt(place));
    this.#awaited = this.#awaited.filter((waiting) => !here.includes(waiting));
    for (const { reached } of here) reached();
  }

  #isAt(place: string): boolean {
    return this.#log.compare(place, this.#position) <= 0;
  }
}
