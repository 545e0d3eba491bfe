/**
 * Writes into somebody's stream (standard output, a process, a socket) with backpressure, from one place or several. That
 * the other side is gone is an answer here, and no event that ends the process.
 */
import type { Writable } from 'node:stream';

export class Sink {
  readonly #stream: Writable;
  #isBroken = false;
  #error: Error | undefined;
  /** Who waits for room. (To race a promise of the end again and again would hold every race until the end.) */
  #waiters: (() => void)[] = [];
  readonly #broken: Promise<void>;

  constructor(stream: Writable) {
    this.#stream = stream;
    this.#broken = new Promise((resolve) => {
      const over = (error?: Error): void => {
        this.#error ??= error;
        this.#isBroken = true;
        resolve();
        this.#wake();
      };
      stream.on('error', over);
      stream.on('close', () => over());
    });
    stream.on('drain', () => this.#wake());
  }

  /** Whether nothing can be written any more. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Why; `undefined` where it was closed and nothing else. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Settles when nothing can be written any more. */
  get broken(): Promise<void> {
    return this.#broken;
  }

  /** Writes, and waits until there is room for more. @returns `false` where nothing can be written any more */
  async write(chunk: Uint8Array | string): Promise<boolean> {
    if (this.#isBroken) return false;
    if (!this.#stream.write(chunk)) await new Promise<void>((resolve) => this.#waiters.push(resolve));
    return !this.#isBroken;
  }

  /** Ends the stream behind what was written. */
  end(): void {
    if (!this.#isBroken) this.#stream.end();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
