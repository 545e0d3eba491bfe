// Watches how much memory a process keeps resident, from the moment at which so many bytes have passed.

const SAMPLE_EVERY_MS = 10;

export const MIB = 1024 * 1024;

export class ResidentMemory {
  #passed;
  #from;
  #base;
  #peak = 0;
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
    const resident = process.memoryUsage.rss();
    this.#base ??= resident;
    this.#peak = Math.max(this.#peak, resident);
  }
}
