/**
 * A time limit of its own on the one wheel that all share. The process stays alive for it, as for a timer of the system.
 */
import { type Slot, type Waiting, wheel } from './timer-wheel.ts';

export class WheelTimer implements Waiting {
  slot: Slot | undefined;
  place: number = 0;
  readonly #expired: () => void;

  /** @param expired called when the time is over, once for each start */
  constructor(expired: () => void) {
    this.#expired = expired;
  }

  get holdsProcess(): boolean {
    return true;
  }

  /** Begins to wait, or begins anew. @param ms how long, more than 0 */
  start(ms: number): void {
    wheel.add(this, ms);
  }

  /** Waits no longer, whether it waits or not. */
  stop(): void {
    wheel.delete(this);
  }

  elapsed(): void {
    this.#expired();
  }
}
