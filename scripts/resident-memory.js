// Watches how much memory a process keeps, from the moment at which so many bytes have passed: what is resident, as
// the system sees it; or, where the process may collect garbage itself (--expose-gc), what lives after a collection.
// The first is what counts in the end, but it depends on when the collector finds time, and so on the load of the machine.

const isLive = typeof globalThis.gc === 'function';
const SAMPLE_EVERY_MS = isLive ? 50 : 10;

export const MIB = 1024 * 1024;

export class ResidentMemory {
  #passed;
  #from;
  #base;
  #peak = 0;
  #sampledAt = 0;
  #timer;

  /**
   * @param passed tells how many bytes have passed so far
   * @param from bytes after which the process counts as warm: its state then is what later samples are compared with
   */
  constructor(passed, from) {
    this.#passed = passed;
    this.#from = from;
    this.#timer = setInterval(() => this.sample(), SAMPLE_EVERY_MS);
    this.#timer.unref();
  }

  /** Ends the watch. Gives the state when the process was warm and the highest one since, in MiB. */
  stop() {
    clearInterval(this.#timer);
    this.sample();
    const base = this.#base ?? Number.NaN;
    return { base: base / MIB, peak: this.#peak / MIB, growth: (this.#peak - base) / MIB };
  }

  /** Looks now, and not only at the next turn of the clock. */
  sample() {
    if (this.#passed() < this.#from) return;
    // A collection takes some milliseconds, and some ask for a look at every message.
    if (isLive && performance.now() - this.#sampledAt < SAMPLE_EVERY_MS) return;
    this.#sampledAt = performance.now();
    const bytes = isLive ? liveBytes() : process.memoryUsage.rss();
    this.#base ??= bytes;
    this.#peak = Math.max(this.#peak, bytes);
  }
}

function liveBytes() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
