/**
 * Holds a peer to a rate by not reading from it for a while. Nothing is dropped and nothing is refused: what is too
 * fast waits in the peer, as with any backpressure.
 */
import type { ResolvedConnectionOptions } from '../../options.ts';
import type { WsFrame } from '../../protocol/frame.ts';
import { WheelTimer } from '../time/wheel-timer.ts';
import { TokenBucket } from './token-bucket.ts';

type Rates = Pick<ResolvedConnectionOptions, 'maxMessagesPerSecond' | 'maxBytesPerSecond'>;

export interface ThrottleHandlers {
  /** A limit of the connection's was reached. */
  limitReached(limit: string): void;
  /** Whether the peer is to wait has changed. */
  updateFlow(): void;
}

export class Throttle {
  readonly #messages: TokenBucket | undefined;
  readonly #bytes: TokenBucket | undefined;
  readonly #road: { readonly bytesIn: number };
  readonly #handlers: ThrottleHandlers;
  readonly #timer: WheelTimer;
  #bytesIn = 0;
  #isHolding = false;

  private constructor(limits: Rates, road: { readonly bytesIn: number }, handlers: ThrottleHandlers) {
    this.#messages = createBucket(limits.maxMessagesPerSecond);
    this.#bytes = createBucket(limits.maxBytesPerSecond);
    this.#road = road;
    this.#handlers = handlers;
    this.#timer = new WheelTimer(() => {
      this.#isHolding = false;
      handlers.updateFlow();
    });
  }

  /** Makes one where a rate is set. @param road counts the bytes that have come in */
  static create(limits: Rates, road: { readonly bytesIn: number }, handlers: ThrottleHandlers): Throttle | undefined {
    const isLimited = Math.min(limits.maxMessagesPerSecond, limits.maxBytesPerSecond) !== Number.POSITIVE_INFINITY;
    return isLimited ? new Throttle(limits, road, handlers) : undefined;
  }

  /** Whether the peer is to wait. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  /** A frame came. It counts where it ends a message, or is a control frame; all bytes count, whatever they belong to. */
  count(frame: WsFrame): void {
    const now = performance.now();
    const { bytesIn } = this.#road;
    const messagesMs = this.#messages?.take(frame.isFinal ? 1 : 0, now) ?? 0;
    const bytesMs = this.#bytes?.take(bytesIn - this.#bytesIn, now) ?? 0;
    this.#bytesIn = bytesIn;
    const waitMs = Math.max(messagesMs, bytesMs);
    if (waitMs === 0) return;
    // A few frames may still come while it holds: each makes the wait longer.
    this.#timer.start(waitMs);
    if (this.#isHolding) return;
    this.#isHolding = true;
    this.#handlers.limitReached(messagesMs >= bytesMs ? 'maxMessagesPerSecond' : 'maxBytesPerSecond');
    this.#handlers.updateFlow();
  }

  /** The connection is over. */
  stop(): void {
    this.#timer.stop();
    this.#isHolding = false;
  }
}

function createBucket(perSecond: number): TokenBucket | undefined {
  return perSecond === Number.POSITIVE_INFINITY ? undefined : new TokenBucket(perSecond, performance.now());
}
