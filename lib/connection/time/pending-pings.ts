/**
 * Pings that wait for their pong.
 *
 * A pong answers the oldest ping with the same payload, and with it all older ones: "an endpoint may elect to send a
 * Pong frame for only the most recently processed Ping frame" (§5.5.3).
 */
import { WheelTimer } from './wheel-timer.ts';

interface PendingPing {
  readonly payload: Uint8Array;
  /** @returns the round trip in ms, `null` when no pong came */
  readonly settle: (wasAnswered: boolean) => number | null;
}

/** Eight bytes, so that pings of different connections behind one proxy are not mixed up either. */
const PAYLOAD_BYTES = 8;

export class PendingPings {
  #pings: PendingPing[] = [];

  /** How many wait. */
  get size(): number {
    return this.#pings.length;
  }

  /** Makes a payload that tells a ping from all others. */
  nextPayload(): Uint8Array {
    return crypto.getRandomValues(new Uint8Array(PAYLOAD_BYTES));
  }

  /**
   * Waits for a pong.
   *
   * @param timeoutMs how long; `undefined` for as long as the connection lasts
   * @param resolve gets the round trip in ms, `null` when no pong came
   * @returns what takes the ping back, when nobody waits for it any more
   */
  add(payload: Uint8Array, timeoutMs: number | undefined, resolve: (roundTripMs: number | null) => void): () => void {
    const startedAt = performance.now();
    const forget = (): void => {
      timer?.stop();
      this.#pings = this.#pings.filter((other) => other !== ping);
    };
    const settle = (wasAnswered: boolean): number | null => {
      forget();
      const roundTripMs = wasAnswered ? performance.now() - startedAt : null;
      resolve(roundTripMs);
      return roundTripMs;
    };
    const ping = { payload, settle };
    const timer = timeoutMs === undefined ? undefined : new WheelTimer(() => settle(false));
    if (timeoutMs !== undefined) timer?.start(timeoutMs);
    this.#pings.push(ping);
    return forget;
  }

  /**
   * A pong came. One that nobody waits for is a sign of life and nothing more.
   *
   * @returns the round trip of its ping in ms; `undefined` where nobody waits for it
   */
  answer(payload: Uint8Array): number | undefined {
    const index = this.#pings.findIndex((ping) => equals(ping.payload, payload));
    let roundTripMs: number | undefined;
    for (const ping of this.#pings.slice(0, index + 1)) roundTripMs = ping.settle(true) ?? undefined;
    return roundTripMs;
  }

  /** No pong will come any more. */
  close(): void {
    for (const ping of this.#pings.slice()) ping.settle(false);
  }
}

function equals(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
