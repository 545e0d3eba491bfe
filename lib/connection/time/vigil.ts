/**
 * Keeps watch over a connection that stands: finds peers that are dead (after some silence a ping, after some more the
 * end), peers that read nothing of what waits for them, and, where that is asked for, connections on which nothing is said.
 *
 * Nothing is measured while bytes flow: from time to time it looks at what has been counted anyway, and what has changed
 * since the last look has changed now. All connections share one timer, and this object itself is the entry there.
 *
 * Any byte in and any progress out counts as life; and while we ourselves do not read, silence says nothing about the peer.
 */
import { type Slot, type Waiting, wheel } from './timer-wheel.ts';

/** Times in ms; `Infinity` for what is not looked for. */
export interface VigilTimes {
  /** Silence before a ping, and after it. */
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number } | undefined;
  /** How long bytes may wait without any of them leaving. */
  readonly writeTimeoutMs: number;
  /** How long nothing may be said, either way. */
  readonly idleTimeoutMs: number;
}

/** What can be over: named after the option that says when. */
export type VigilLimit = 'heartbeat' | 'writeTimeoutMs' | 'idleTimeoutMs';

/** How many looks fall into the shortest of the times: what is found is found at most a quarter of it too late. */
const LOOKS = 4;

export abstract class Vigil implements Waiting {
  slot: Slot | undefined;
  place: number = 0;

  readonly #times: VigilTimes;
  // At the last look, in whole ms and bytes: small integers take no memory of their own.
  #bytesIn = 0;
  #bytesOut = 0;
  #dataFrames = 0;
  /** Time of the last sign of life, and of the ping since; 0 for none. */
  #aliveAt = 0;
  #pingedAt = 0;
  /** When bytes last left, or none waited; and when something was last said. */
  #movedAt = 0;
  #spokenAt = 0;

  constructor(times: VigilTimes) {
    this.#times = times;
  }

  /** The sockets keep the process alive, not the watch over them. */
  get holdsProcess(): boolean {
    return false;
  }

  /** Bytes that have come in. */
  abstract get bytesIn(): number;
  /** Bytes that have been given to the system. */
  abstract get bytesOut(): number;
  /** Bytes that wait for the system to take them. */
  abstract get bytesWaiting(): number;
  /** Data frames that have come and gone. */
  abstract get dataFrames(): number;
  /** Whether messages have come that nobody has read yet. */
  abstract get hasUnread(): boolean;
  /** Whether we ourselves hold the peer back. */
  abstract get isHeld(): boolean;
  /** Sends a ping. @returns its bytes on the wire */
  abstract sendHeartbeat(): number;
  /** A limit is reached: so many ms have passed. */
  abstract timedOut(limit: VigilLimit, ms: number): void;

  /** Begins to look, where there is anything to look for. */
  startVigil(): void {
    this.#bytesIn = this.bytesIn;
    this.#bytesOut = this.bytesOut;
    this.#dataFrames = this.dataFrames;
    const now = wholeMs();
    this.#aliveAt = now;
    this.#movedAt = now;
    this.#spokenAt = now;
    this.#wait(now);
  }

  endVigil(): void {
    wheel.delete(this);
  }

  elapsed(): void {
    const now = wholeMs();
    const passed = this.#lookAtWriting(now) ?? this.#lookAtTalk(now) ?? this.#lookAtLife(now);
    if (passed === undefined) this.#wait(now);
    else this.timedOut(passed[0], passed[1]);
  }

  #lookAtWriting(now: number): [VigilLimit, number] | undefined {
    // What is counted as out already includes our last ping, see below.
    if (this.bytesOut > this.#bytesOut || this.bytesWaiting === 0) this.#movedAt = now;
    const still = now - this.#movedAt;
    return still >= this.#times.writeTimeoutMs ? ['writeTimeoutMs', still] : undefined;
  }

  #lookAtTalk(now: number): [VigilLimit, number] | undefined {
    const { dataFrames } = this;
    // What waits to be sent or to be read is still to be said.
    if (dataFrames !== this.#dataFrames || this.bytesWaiting > 0 || this.isHeld || this.hasUnread) {
      this.#dataFrames = dataFrames;
      this.#spokenAt = now;
    }
    const quiet = now - this.#spokenAt;
    return quiet >= this.#times.idleTimeoutMs ? ['idleTimeoutMs', quiet] : undefined;
  }

  #lookAtLife(now: number): [VigilLimit, number] | undefined {
    const { bytesIn, bytesOut } = this;
    const { heartbeat } = this.#times;
    if (bytesIn !== this.#bytesIn || bytesOut > this.#bytesOut || this.isHeld) {
      this.#bytesIn = bytesIn;
      this.#bytesOut = bytesOut;
      this.#aliveAt = now;
      this.#pingedAt = 0;
    } else if (heartbeat !== undefined && this.#pingedAt === 0) {
      if (now - this.#aliveAt >= heartbeat.intervalMs) this.#ping(now);
    } else if (heartbeat !== undefined && now - this.#pingedAt >= heartbeat.timeoutMs) {
      return ['heartbeat', now - this.#aliveAt];
    }
    return undefined;
  }

  #ping(now: number): void {
    // Our own ping leaving is no sign of the peer's life.
    this.#bytesOut = this.bytesOut + this.sendHeartbeat();
    this.#pingedAt = now;
  }

  /** Waits for the next look: a part of the shortest time, or what is left of one. */
  #wait(now: number): void {
    const { heartbeat, writeTimeoutMs, idleTimeoutMs } = this.#times;
    const intervalMs = heartbeat?.intervalMs ?? Number.POSITIVE_INFINITY;
    const timeoutMs = heartbeat?.timeoutMs ?? Number.POSITIVE_INFINITY;
    const period = Math.min(intervalMs, timeoutMs, writeTimeoutMs, idleTimeoutMs) / LOOKS;
    if (period === Number.POSITIVE_INFINITY) return;
    const lifeDue = this.#pingedAt === 0 ? this.#aliveAt + intervalMs : this.#pingedAt + timeoutMs;
    const due = Math.min(lifeDue, this.#movedAt + writeTimeoutMs, this.#spokenAt + idleTimeoutMs);
    wheel.add(this, Math.max(1, Math.min(period, due - now)));
  }
}

function wholeMs(): number {
  return Math.floor(performance.now());
}
