// Counts what a load gets done.
import { Latencies } from './latencies.js';

export class Meter {
  messages = 0;
  latencies = new Latencies();
  #onNext;

  count(messages) {
    this.messages += messages;
    this.#onNext?.();
    this.#onNext = undefined;
  }

  /** Resolves as soon as more has been counted. */
  next() {
    return new Promise((resolve) => {
      this.#onNext = resolve;
    });
  }
}
