/**
 * A rate, held over time: so much a second, and as much as a second's worth at once after a rest.
 *
 * More may be taken than there is; the debt is paid by waiting. So nothing has to be cut in two or refused, and in the
 * long run the rate is exact.
 */
export class TokenBucket {
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: number;

  /** @param perSecond more than 0 @param now ms */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#filledAt = now;
  }

  /** Takes so many. @returns ms until all that was taken is paid for; 0 where it is */
  take(count: number, now: number): number {
    const earned = ((now - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + earned) - count;
    this.#filledAt = now;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }
}
