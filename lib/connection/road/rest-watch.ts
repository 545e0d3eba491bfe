/**
 * Lets connections that rest let go of what they need only while something moves.
 *
 * All share one look, every two seconds, which sees only those that are awake: what has not moved since the last look is
 * asked to rest. So a busy connection pays nothing for it, and one at rest is not even listed.
 */
import { Crowd } from '../crowd.ts';
import { type Slot, type Waiting, wheel } from '../time/timer-wheel.ts';

/** What may rest. */
export interface Resting {
  /** The watch's: {@link motion} at the last look. */
  motionSeen: number | undefined;
  /** A number that changes whenever something moves. */
  readonly motion: number;
  /** Lets go of what can be made anew. @returns whether nothing is left to let go of; if not, it is asked again */
  rest(): boolean;
}

/** ms between two looks: what rests is let go of after one or two of them. */
const LOOK_MS = 2000;

export class RestWatch implements Waiting {
  slot: Slot | undefined;
  place: number = 0;
  readonly #awake = new Crowd<Resting>();

  /** How much is awake. */
  get size(): number {
    return this.#awake.size;
  }

  /** Connections keep the process alive, not the watch over their rest. */
  get holdsProcess(): boolean {
    return false;
  }

  /** Begins to look after something that wakes. */
  add(resting: Resting): void {
    resting.motionSeen = resting.motion;
    this.#awake.add(resting);
    if (this.slot === undefined) wheel.add(this, LOOK_MS);
  }

  /** Looks after it no longer. */
  delete(resting: Resting): void {
    this.#awake.delete(resting);
    if (this.#awake.size === 0) wheel.delete(this);
  }

  elapsed(): void {
    for (const resting of this.#awake) {
      const { motion } = resting;
      if (motion !== resting.motionSeen) resting.motionSeen = motion;
      else if (resting.rest()) this.#awake.delete(resting);
    }
    if (this.#awake.size > 0) wheel.add(this, LOOK_MS);
    else wheel.delete(this);
  }
}

/** The watch of this process. */
export const restWatch: RestWatch = new RestWatch();
