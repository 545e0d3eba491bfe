/**
 * Is the peer still there? Pings that people send and wait for, the heartbeat, which sends them by itself, and what
 * becomes of a connection that is found wanting.
 *
 * @see RFC 6455 §5.5.2, §5.5.3
 */
import type { Duplex } from 'node:stream';
import { WsError } from '../../errors.ts';
import { WS_CLOSE_GOING_AWAY } from '../../protocol/close-code.ts';
import { type BytesLike, WsFrame } from '../../protocol/frame.ts';
import { headerLengthFor } from '../../protocol/header.ts';
import { abortable } from '../abortable.ts';
import type { Closer } from '../closer.ts';
import { publishPing } from '../diagnostics.ts';
import type { Reception } from '../reading/reception.ts';
import type { Road } from '../road/road.ts';
import type { Outbox } from '../writing/outbox.ts';
import { PendingPings } from './pending-pings.ts';
import { Vigil, type VigilLimit, type VigilTimes } from './vigil.ts';

/** The connection, as far as it has to do with its peer's life. */
export interface LivenessHandlers {
  readonly isClient: boolean;
  readonly reception: Reception;
  readonly closer: Closer;
  /** Says good-bye behind all that was written. */
  beginClose(frame: WsFrame): void;
  /** A limit of the connection's was reached. */
  limitReached(limit: string): void;
}

export class Liveness extends Vigil {
  readonly #stream: Duplex;
  readonly #road: Road;
  readonly #outbox: Outbox;
  readonly #handlers: LivenessHandlers;
  #pings: PendingPings | undefined;
  /** When the heartbeat's ping left that is not answered, and how long the last answer took; 0 for none. */
  #askedAt = 0;
  #latencyMs: number | undefined;

  /** @param stream what people hold */
  constructor(stream: Duplex, road: Road, outbox: Outbox, times: VigilTimes, handlers: LivenessHandlers) {
    super(times);
    this.#stream = stream;
    this.#road = road;
    this.#outbox = outbox;
    this.#handlers = handlers;
    this.startVigil();
  }

  /** ms between the last ping that was answered and its pong; `undefined` before the first. */
  get latencyMs(): number | undefined {
    return this.#latencyMs;
  }

  /** How many pings wait for their pong. */
  get pingCount(): number {
    return this.#pings?.size ?? 0;
  }

  /** Sends a ping and waits for its pong: ms, `null` when none comes. */
  ping(
    data: string | BytesLike | undefined,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number | null> {
    this.#pings ??= new PendingPings();
    const pings = this.#pings;
    const frame = WsFrame.ping(data === undefined ? pings.nextPayload() : data);
    return abortable(signal, (resolve) => {
      if (!this.#handlers.closer.isOpen) {
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
    let roundTripMs = this.#pings?.answer(payload);
    if (payload.length === 0 && this.#askedAt > 0) {
      roundTripMs ??= performance.now() - this.#askedAt;
      this.#askedAt = 0;
    }
    if (roundTripMs === undefined) return;
    this.#latencyMs = roundTripMs;
    publishPing(this.#stream, roundTripMs);
  }

  /** The connection is over: no pong will come any more. */
  close(): void {
    this.endVigil();
    this.#pings?.close();
  }

  override get bytesIn(): number {
    return this.#road.bytesIn;
  }

  override get bytesOut(): number {
    return this.#road.bytesOut;
  }

  override get bytesWaiting(): number {
    return this.#road.bufferedBytes;
  }

  override get dataFrames(): number {
    return this.#road.dataFrames;
  }

  override get hasUnread(): boolean {
    return this.#handlers.reception.hasUnread;
  }

  override get isHeld(): boolean {
    return this.#road.isPaused;
  }

  override sendHeartbeat(): number {
    this.#outbox.sendNow(WsFrame.ping());
    this.#askedAt = performance.now();
    return headerLengthFor(0, this.#handlers.isClient);
  }

  override timedOut(limit: VigilLimit, ms: number): void {
    this.#handlers.limitReached(limit);
    if (limit === 'idleTimeoutMs') {
      // "going away": nothing is wrong, and whoever still has something to say may come back.
      this.#handlers.beginClose(WsFrame.close(WS_CLOSE_GOING_AWAY, `no message for ${ms} ms`));
    } else if (limit === 'heartbeat') {
      this.#breakOff('WS_ERR_HEARTBEAT_TIMEOUT', `the peer gave no sign of life for ${ms} ms`);
    } else {
      this.#breakOff('WS_ERR_WRITE_TIMEOUT', `the peer took nothing of what waits for it for ${ms} ms`);
    }
  }

  #breakOff(code: string, message: string): void {
    this.#handlers.closer.breakOff(message, new WsError(code, message));
  }
}
