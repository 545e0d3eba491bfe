/**
 * The history of names in the memory of this process: a log for each, as long as is asked for. It ends with the process,
 * and its places are no places of any other.
 */
import { count, patience } from '../../options.ts';
import type { BrokerLog, LogEntry, LogPage } from './broker.ts';

/** How much of what was published is kept for who comes later. */
export interface HistoryOptions {
  /** Messages that are kept of each name, at least 1. Default 1000. */
  readonly maxMessages?: number | undefined;
  /** How long they are kept, in ms. Default `Infinity`: `maxMessages` is the bound. */
  readonly maxAgeMs?: number | undefined;
}

/** History in the memory of a process. */
export interface MemoryHistoryOptions extends HistoryOptions {
  /** Names of which something is kept, at least 1; beyond it, that with the oldest last message is let go. Default 10,000. */
  readonly maxNames?: number | undefined;
}

/** {@link HistoryOptions} with every default in its place. */
export interface ResolvedHistoryOptions {
  readonly maxMessages: number;
  readonly maxAgeMs: number;
}

/** Puts the defaults in and checks the rest. @throws TypeError, RangeError */
export function resolveHistory(options: HistoryOptions): ResolvedHistoryOptions {
  if (typeof options !== 'object' || options === null) throw new TypeError('history must be an object');
  const maxMessages = atLeastOne('history.maxMessages', options.maxMessages, 1000);
  return { maxMessages, maxAgeMs: patience('history.maxAgeMs', options.maxAgeMs, Number.POSITIVE_INFINITY) };
}

function atLeastOne(name: string, value: number | undefined, fallback: number): number {
  const number = count(name, value, fallback, Number.MAX_SAFE_INTEGER);
  if (number < 1) throw new RangeError(`${name} must be at least 1`);
  return number;
}

interface Kept extends LogEntry {
  readonly at: number;
}

/** What is kept of one name: the entries from `first` on. Those before it are gone. */
interface Log {
  entries: Kept[];
  first: number;
  newest: number;
}

export class MemoryLog implements BrokerLog {
  readonly #options: ResolvedHistoryOptions;
  readonly #maxNames: number;
  readonly #logs = new Map<string, Log>();
  /** Two processes, or two logs, have no place in common. */
  readonly #era: string = crypto.randomUUID().slice(0, 8);
  /** No place was ever given out beyond it. A log that was let go of and begins anew has later places than before. */
  #farthest = 0;

  /** @throws TypeError, RangeError */
  constructor(options: MemoryHistoryOptions) {
    this.#options = resolveHistory(options);
    this.#maxNames = atLeastOne('history.maxNames', options.maxNames, 10_000);
  }

  append(channel: string, bytes: Uint8Array): LogEntry {
    const log = this.#open(channel);
    const [previous, id] = [this.#id(log.newest), this.#id(log.newest + 1)];
    const entry = { id, previous, bytes, at: performance.now() };
    log.newest += 1;
    this.#farthest = Math.max(this.#farthest, log.newest);
    log.entries.push(entry);
    this.#logs.delete(channel);
    this.#logs.set(channel, log);
    if (log.entries.length - log.first > this.#options.maxMessages) log.first += 1;
    this.#trim(log);
    return entry;
  }

  async newest(channel: string): Promise<string> {
    return this.#id(this.#open(channel).newest);
  }

  async read(channel: string, after: string | undefined, limit: number): Promise<LogPage> {
    const log = this.#open(channel);
    this.#trim(log);
    const oldest = log.newest - (log.entries.length - log.first) + 1;
    const place = after === undefined ? oldest - 1 : this.#number(after);
    const isGap = !(place >= oldest - 1 && place <= log.newest);
    const start = log.first + (isGap ? 0 : place - oldest + 1);
    return { entries: log.entries.slice(start, start + limit), isGap };
  }

  async placeBefore(channel: string, messages: number): Promise<string | undefined> {
    const { entries, first, newest } = this.#open(channel);
    return messages < entries.length - first ? this.#id(newest - messages) : undefined;
  }

  compare(one: string, other: string): number {
    return this.#number(one) - this.#number(other);
  }

  #open(channel: string): Log {
    let log = this.#logs.get(channel);
    if (log === undefined) {
      const [oldest] = this.#logs.keys();
      if (this.#logs.size >= this.#maxNames) this.#logs.delete(oldest!);
      log = { entries: [], first: 0, newest: this.#farthest };
      this.#logs.set(channel, log);
    }
    return log;
  }

  #trim(log: Log): void {
    const since = performance.now() - this.#options.maxAgeMs;
    while (log.first < log.entries.length && log.entries[log.first]!.at < since) log.first += 1;
    if (log.first * 2 <= log.entries.length) return;
    log.entries = log.entries.slice(log.first);
    log.first = 0;
  }

  #id(number: number): string {
    return `${this.#era}-${number}`;
  }

  /** @returns NaN for what is no place of ours */
  #number(id: string): number {
    const [era, digits = ''] = id.split('-');
    return era === this.#era && /^\d{1,15}$/.test(digits) ? Number(digits) : Number.NaN;
  }
}
