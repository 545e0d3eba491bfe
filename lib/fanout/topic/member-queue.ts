/**
 * What waits for one slow member, in order, within bounds. One message always fits where nothing waits: a bound below
 * the size of a message would otherwise keep it from all who are slow for a moment.
 */

/** What can wait: it takes `size` bytes. */
export interface Waiting {
  readonly size: number;
}

/** How much may wait. */
export interface QueueBounds {
  readonly maxQueuedBytes: number;
  readonly maxQueuedMessages: number;
}

/** Taken entries stand before the first one until they are this many, and half of all. */
const MIN_TAKEN = 32;

export class MemberQueue<T extends Waiting> {
  #entries: (T | undefined)[] = [];
  #first = 0;
  #bytes = 0;

  get length(): number {
    return this.#entries.length - this.#first;
  }

  /** What waits takes so many bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether it may be added. */
  fits(entry: T, bounds: QueueBounds): boolean {
    if (this.length === 0) return true;
    return this.length < bounds.maxQueuedMessages && this.#bytes + entry.size <= bounds.maxQueuedBytes;
  }

  push(entry: T): void {
    this.#entries.push(entry);
    this.#bytes += entry.size;
  }

  /** Takes the oldest; `undefined` where none waits. */
  shift(): T | undefined {
    const entry = this.#entries[this.#first];
    if (entry === undefined) return undefined;
    this.#entries[this.#first++] = undefined;
    this.#bytes -= entry.size;
    if (this.length === 0) this.#letGo([]);
    else if (this.#first >= MIN_TAKEN && this.#first * 2 >= this.#entries.length) {
      this.#letGo(this.#entries.slice(this.#first));
    }
    return entry;
  }

  #letGo(rest: (T | undefined)[]): void {
    this.#entries = rest;
    this.#first = 0;
  }
}
