/** Finds out when nothing has moved for a while. It is made of one timer, which runs only while somebody waits. */

export class Silence {
  readonly #ms: number;
  readonly #isBusy: () => boolean;
  #lastSign = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #resolve: (() => void) | undefined;

  /**
   * @param ms how long it takes; `Infinity` for ever
   * @param isBusy whether something is under way, however quiet it is
   */
  constructor(ms: number, isBusy: () => boolean) {
    this.#ms = ms;
    this.#isBusy = isBusy;
  }

  /** Something has moved. */
  touch(): void {
    this.#lastSign = performance.now();
  }

  /** Waits for the silence, counted from now at the earliest, or for {@link stop}. */
  wait(): Promise<void> {
    this.touch();
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#arm(this.#ms);
    });
  }

  /** Ends the wait. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#resolve?.();
  }

  #arm(delayMs: number): void {
    if (Number.isFinite(delayMs)) this.#timer = setTimeout(() => this.#look(), delayMs);
  }

  #look(): void {
    if (this.#isBusy()) this.touch();
    const rest = this.#lastSign + this.#ms - performance.now();
    // A timer may be early by a fraction of a millisecond.
    if (rest < 1) this.#resolve?.();
    else this.#arm(rest);
  }
}
