/**
 * When a client gives its handshake up: the time is over, or the caller's signal aborts. One deadline goes along through
 * all redirects.
 */

import { WheelTimer } from '../../connection/time/wheel-timer.ts';
import { createAbortError, HandshakeError } from '../../errors.ts';

/** Counts down from the moment it is made until it is released. */
export class HandshakeDeadline {
  readonly #signal: AbortSignal | undefined;
  readonly #timer: WheelTimer;
  readonly #over: Promise<never>;
  #error: Error | undefined;
  #giveUp!: (error: Error) => void;

  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.#signal = signal;
    this.#over = new Promise((_resolve, reject) => {
      this.#giveUp = (error) => reject((this.#error ??= error));
    });
    // Nobody may be waiting just then.
    this.#over.catch(() => {});
    this.#timer = new WheelTimer(() => this.#giveUp(timeoutError(timeoutMs)));
    this.#timer.start(timeoutMs);
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  /** Waits for `promise`, and no longer than until the handshake is given up; then `onGivenUp` cleans up. */
  async race<T>(promise: Promise<T>, onGivenUp: () => void = () => {}): Promise<T> {
    try {
      const result = await Promise.race([this.#over, promise]);
      this.assertGoing();
      return result;
    } catch (error) {
      if (this.#error === undefined) throw error;
      onGivenUp();
      throw this.#error;
    }
  }

  /** @throws what the handshake was given up with */
  assertGoing(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  /** Ends the countdown. */
  release(): void {
    this.#timer.stop();
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => this.#giveUp(createAbortError(this.#signal!));
}

function timeoutError(timeoutMs: number): HandshakeError {
  return new HandshakeError('WS_ERR_HANDSHAKE_TIMEOUT', 0, `the handshake was not finished within ${timeoutMs} ms`);
}
