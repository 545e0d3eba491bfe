/**
 * What is ready meets who asks for it, first come, first served, on either side. An abort takes nothing away: who gives
 * up leaves the line before anything is handed to him.
 */

import { Crowd } from '../../connection/crowd.ts';
import { createAbortError } from '../../errors.ts';

interface Waiter<T> {
  readonly resolve: (item: T | null) => void;
}

/** A line of items and a line of those who wait for one; at any time, one of the two is empty. */
export class AcceptQueue<T> {
  readonly #items: T[] = [];
  readonly #waiters: Crowd<Waiter<T>> = new Crowd();
  #isEnded = false;

  /** How many items wait. */
  get size(): number {
    return this.#items.length;
  }

  /** How many wait for an item. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Hands an item to who waits longest, or keeps it. */
  push(item: T): void {
    const [waiter] = this.#waiters;
    if (waiter === undefined) this.#items.push(item);
    else waiter.resolve(item);
  }

  /** Takes the first item, where there is one. */
  shift(): T | undefined {
    return this.#items.shift();
  }

  /**
   * Waits for an item.
   *
   * @returns null when the queue has ended and is empty
   * @throws AbortError, as a rejection
   */
  async take(signal?: AbortSignal | undefined): Promise<T | null> {
    if (signal?.aborted) throw createAbortError(signal);
    const item = this.#items.shift();
    if (item !== undefined) return item;
    if (this.#isEnded) return null;
    return this.#wait(signal);
  }

  /** Lets nobody wait any longer. What is queued is still handed out. */
  end(): void {
    this.#isEnded = true;
    for (const waiter of this.#waiters) waiter.resolve(null);
  }

  /** Forgets what is queued. */
  clear(): void {
    this.#items.length = 0;
  }

  #wait(signal: AbortSignal | undefined): Promise<T | null> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        leave();
        reject(createAbortError(signal!));
      };
      const waiter: Waiter<T> = {
        resolve: (item) => {
          leave();
          resolve(item);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', onAbort);
    });
  }
}
