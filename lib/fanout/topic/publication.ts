/**
 * A message on its way to the members of a topic: one for all of them, whatever queues it stands in.
 */
import type { PreparedFrame } from '../prepared-frame.ts';

/** About what a message takes that is held for one slow member alone, beside its bytes. */
const MESSAGE_OVERHEAD = 512;

export class Publication {
  readonly frame: PreparedFrame;
  /** What it takes while it waits, in bytes, overhead counted. */
  readonly size: number;
  /** Members that it was sent to, or waits for. */
  reach = 0;
  /** Those who are to have it before its publisher goes on. */
  #behind: Set<object> | undefined;
  #settle: (() => void) | undefined;

  constructor(frame: PreparedFrame) {
    this.frame = frame;
    this.size = frame.payload.length + MESSAGE_OVERHEAD;
  }

  /** Whether nobody is waited for. */
  get isReleased(): boolean {
    return this.#behind === undefined || this.#behind.size === 0;
  }

  /** Holds the publisher back until {@link release}. */
  holdFor(member: object): void {
    this.#behind ??= new Set();
    this.#behind.add(member);
  }

  /** The member has it, or will never have it. */
  release(member: object): void {
    const isLast = this.#behind?.delete(member) === true && this.#behind.size === 0;
    // Not at once: whoever goes on may publish, and other members may still have to be given this one.
    if (isLast && this.#settle !== undefined) process.nextTick(this.#settle);
  }

  /** Calls back once nobody is waited for: at once where that is so already. */
  whenReleased(settle: () => void): void {
    if (this.isReleased) settle();
    else this.#settle = settle;
  }
}
