/**
 * Gives one latecomer what it missed, and then joins it to those who are given what comes: nothing between is left out,
 * and nothing comes twice. The log is read up to the place that its follower has reached, and no further; where both meet
 * the latecomer joins, in the same turn.
 */
import type { BrokerLog, LogEntry, LogPage } from './broker.ts';
import { PAGE_LENGTH } from './log-follower.ts';

/** Where a replay begins. */
export interface ReplayOptions {
  /** The id of the last message that was seen. From anywhere: one that is none is a gap. */
  readonly after?: string | undefined;
  /** How many of the newest are given where there is no `after`, or a gap behind it. Default: all that the log has. */
  readonly last?: number | undefined;
}

/** Whom it is for. */
export interface Latecomer {
  /** Whether it is not to be had any more. */
  readonly hasLeft: boolean;
  /** Whether it has taken what it was given. */
  readonly hasRoom: boolean;
  /** Kept when it has, or has left. */
  room(): Promise<unknown>;
  /** What it asks for is not there any more: some of it is gone, or it never was. Told before what comes behind it. */
  missed(): void;
  give(entry: LogEntry): void;
  /** From now on it is given what comes. */
  join(): void;
}

/** Who follows the log. */
export interface LogPosition {
  /** The place of the last entry that was given to those who are joined. */
  readonly position: string;
  /** Kept when it has come to a place, or will not. */
  reach(place: string): Promise<void>;
}

export class LogReplay {
  readonly #log: BrokerLog;
  readonly #channel: string;
  readonly #last: number | undefined;
  readonly #latecomer: Latecomer;
  /** How far it has come. */
  #place: string | undefined;
  #hasBegun: boolean;

  constructor(log: BrokerLog, channel: string, { after, last }: ReplayOptions, latecomer: Latecomer) {
    this.#log = log;
    this.#channel = channel;
    this.#last = last;
    this.#latecomer = latecomer;
    this.#place = after;
    this.#hasBegun = after !== undefined;
  }

  /** Rejects where the log cannot be read. Run again, it goes on where it was. */
  async run(follower: LogPosition): Promise<void> {
    if (!this.#hasBegun) await this.#begin();
    const latecomer = this.#latecomer;
    for (let isDone = false; !isDone && !latecomer.hasLeft; ) {
      const before = follower.position;
      const page = await this.#log.read(this.#channel, this.#place, PAGE_LENGTH);
      if (latecomer.hasLeft) return;
      if (page.isGap) await this.#leap();
      else isDone = await this.#give(page, follower, before);
    }
  }

  async #begin(): Promise<void> {
    const last = this.#last;
    this.#place = last === undefined ? undefined : await this.#log.placeBefore(this.#channel, last);
    this.#hasBegun = true;
  }

  /** Nothing is known behind this place. */
  #leap(): Promise<void> {
    this.#latecomer.missed();
    this.#hasBegun = false;
    return this.#begin();
  }

  /** @returns whether it has joined, or left */
  async #give({ entries }: LogPage, follower: LogPosition, before: string): Promise<boolean> {
    const latecomer = this.#latecomer;
    // It may have been somewhere that is ahead of us.
    if (this.#place !== undefined) await follower.reach(this.#place);
    for (const entry of entries) {
      while (!latecomer.hasRoom && !latecomer.hasLeft) await latecomer.room();
      if (latecomer.hasLeft) return true;
      if (this.#log.compare(entry.id, follower.position) > 0) return this.#join();
      latecomer.give(entry);
      this.#place = entry.id;
    }
    const isLastPage = entries.length < PAGE_LENGTH && follower.position === before;
    return isLastPage || this.#place === follower.position ? this.#join() : false;
  }

  /** In the turn in which both have been given the same: nothing may come between. */
  #join(): true {
    this.#latecomer.join();
    return true;
  }
}
