/**
 * What one channel has to publish: in order, batch by batch, one batch at a time. While the broker is away it waits, or
 * is refused, as the policy says; what was under way when it went is given again. A receiver knows what it has already.
 */
import { WsError } from '../../errors.ts';

/** The largest batch: a few of them fill a fast network, and none stops the event loop. */
const MAX_BATCH_MESSAGES = 512;
const MAX_BATCH_BYTES = 262_144;

/** How soon what a broker could not take just now is given again, in ms: at first, and after many times. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5000;

/** About what a queued message takes beside its bytes. */
const MESSAGE_OVERHEAD = 256;

/** What a message of so many bytes takes while it waits, overhead counted. */
export function queuedSize(length: number): number {
  return length + MESSAGE_OVERHEAD;
}

/** Tells how soon to try again, in ms, after so many times in vain. */
export function retryDelayMs(attempts: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 10));
}

/** What a queue asks and tells. */
export interface QueueHandlers {
  /** Whether the broker is there. */
  isConnected(): boolean;
  send(batch: readonly Uint8Array[]): Promise<boolean>;
  /** More waits, or less. */
  queued(messages: number, bytes: number): void;
  /** Nothing waits any more. */
  drained(): void;
  refused(error: WsError, messages: number): void;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly isMessage: boolean;
  settle(isTaken: boolean): void;
}

export class PublishQueue {
  readonly #handlers: QueueHandlers;
  #waiting: Waiting[] = [];
  /** How many at the front are under way. */
  #underWay = 0;
  /** Each connection to the broker is a new one: answers of an older one do not count. */
  #epoch = 0;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(handlers: QueueHandlers) {
    this.#handlers = handlers;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /**
   * Adds a message.
   *
   * @param isMessage whether somebody misses it, where it is refused
   * @returns a promise of whether the broker has taken it, in the end
   */
  push(bytes: Uint8Array, isMessage = true): Promise<boolean> {
    return new Promise((settle) => {
      this.#waiting.push({ bytes, isMessage, settle });
      this.#handlers.queued(1, queuedSize(bytes.length));
      this.flush();
    });
  }

  /** Gives the next batch, where none is under way. */
  flush(): void {
    if (this.#underWay > 0 || this.#timer !== undefined || this.isEmpty || !this.#handlers.isConnected()) return;
    const batch = this.#nextBatch();
    this.#underWay = batch.length;
    const epoch = this.#epoch;
    this.#handlers.send(batch).then(
      (isTaken) => this.#answered(epoch, isTaken),
      (error: unknown) => this.#answered(epoch, error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** The broker has gone: nothing is under way any more. */
  disconnected(): void {
    this.#epoch += 1;
    this.#underWay = 0;
    this.#attempts = 0;
    this.#clearTimer();
  }

  /** Gives up what waits. */
  refuseAll(createError: () => WsError): void {
    this.disconnected();
    this.#refuse(this.#waiting.length, createError);
  }

  #nextBatch(): Uint8Array[] {
    const batch: Uint8Array[] = [];
    let size = 0;
    for (const { bytes } of this.#waiting) {
      size += bytes.length;
      if (batch.length === MAX_BATCH_MESSAGES || (batch.length > 0 && size > MAX_BATCH_BYTES)) break;
      batch.push(bytes);
    }
    return batch;
  }

  #answered(epoch: number, answer: boolean | Error): void {
    if (epoch !== this.#epoch) return;
    const count = this.#underWay;
    this.#underWay = 0;
    if (answer === false) {
      this.#retryLater();
      return;
    }
    this.#attempts = 0;
    if (answer === true) this.#settle(count, true);
    else this.#refuse(count, () => new WsError('WS_ERR_BACKPLANE_REFUSED', answer.message, { cause: answer }));
    this.flush();
  }

  #refuse(count: number, createError: () => WsError): void {
    const messages = this.#waiting.slice(0, count).filter(({ isMessage }) => isMessage).length;
    this.#settle(count, false);
    if (messages > 0) this.#handlers.refused(createError(), messages);
  }

  #settle(count: number, isTaken: boolean): void {
    for (const { bytes, settle } of this.#waiting.splice(0, count)) {
      this.#handlers.queued(-1, -queuedSize(bytes.length));
      settle(isTaken);
    }
    if (this.isEmpty) this.#handlers.drained();
  }

  #retryLater(): void {
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.flush();
      },
      retryDelayMs(this.#attempts++),
    );
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
