/**
 * Is the peer still there? Pings that people send and wait for, and the heartbeat, which sends them by itself.
 *
 * @see RFC 6455 §5.5.2, §5.5.3
 */
import { type BytesLike, WsFrame } from '../protocol/frame.ts';
import { headerLengthFor } from '../protocol/header.ts';
import { abortable } from './abortable.ts';
import type { Closer } from './closer.ts';
import { type Heartbeating, type HeartbeatTimes, startHeartbeat } from './heartbeat.ts';
import type { Outbox } from './outbox.ts';
import { PendingPings } from './pending-pings.ts';
import type { Road } from './road.ts';

export class Liveness implements Heartbeating {
  readonly #road: Road;
  readonly #outbox: Outbox;
  readonly #closer: Closer;
  readonly #isClient: boolean;
  #pings: PendingPings | undefined;
  #stopHeartbeat: (() => void) | undefined;

  constructor(road: Road, outbox: Outbox, closer: Closer, isClient: boolean) {
    this.#road = road;
    this.#outbox = outbox;
    this.#closer = closer;
    this.#isClient = isClient;
  }

  /** Sends a ping and waits for its pong: ms, `null` when none comes. */
  ping(
    data: string | BytesLike | undefined,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | null> {
    this.#pings ??= new PendingPings();
    const pings = this.#pings;
    const frame = WsFrame.ping(data ?? pings.nextPayload());
    return abortable(signal, (resolve) => {
      if (!this.#closer.isOpen) {
        resolve(null);
        return undefined;
      }
      const forget = pings.add(frame.payload, timeoutMs, resolve);
      this.#outbox.sendNow(frame);
      return forget;
    });
  }

  /** A pong came. */
  answer(payload: Uint8Array): void {
    this.#pings?.answer(payload);
  }

  startHeartbeat(times: HeartbeatTimes): void {
    this.#stopHeartbeat = startHeartbeat(this, times);
  }

  /** Who closes owes no pong, and is given its time by the closer. */
  endHeartbeat(): void {
    this.#stopHeartbeat?.();
    this.#stopHeartbeat = undefined;
  }

  /** The connection is over: no pong will come any more. */
  close(): void {
    this.endHeartbeat();
    this.#pings?.close();
  }

  get bytesIn(): number {
    return this.#road.bytesIn;
  }

  get bytesOut(): number {
    return this.#road.bytesOut;
  }

  get isHeld(): boolean {
    return this.#road.isPaused;
  }

  sendHeartbeat(): number {
    this.#outbox.sendNow(WsFrame.ping());
    return headerLengthFor(0, this.#isClient);
  }

  heartbeatFailed(silenceMs: number): void {
    this.#closer.breakOff(`the peer gave no sign of life for ${silenceMs} ms`);
  }
}
