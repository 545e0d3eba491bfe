/**
 * Pings that wait for their pong.
 *
 * A pong answers the oldest ping with the same payload, and with it all older ones: "an endpoint may elect to send a
 * Pong frame for only the most recently processed Ping frame" (§5.5.3).
 */

interface PendingPing {
  readonly payload: Uint8Array;
  readonly settle: (wasAnswered: boolean) => void;
}

/** Eight bytes, so that pings of different connections behind one proxy are not mixed up either. */
const PAYLOAD_BYTES = 8;

export class PendingPings {
  #pings: PendingPing[] = [];

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
      clearTimeout(timer);
      this.#pings = this.#pings.filter((other) => other !== ping);
    };
    const settle = (wasAnswered: boolean): void => {
      forget();
      resolve(wasAnswered ? performance.now() - startedAt : null);
    };
    const ping = { payload, settle };
    const timer = timeoutMs === undefined ? undefined : setTimeout(settle, timeoutMs, false);
    this.#pings.push(ping);
    return forget;
  }

  /** A pong came. One that nobody waits for is a sign of life and nothing more. */
  answer(payload: Uint8Array): void {
    const index = this.#pings.findIndex((ping) => equals(ping.payload, payload));
    for (const ping of this.#pings.slice(0, index + 1)) ping.settle(true);
  }

  /** No pong will come any more. */
  close(): void {
    for (const ping of this.#pings.slice()) ping.settle(false);
  }
}

function equals(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
