/**
 * Keeps a subscription at a broker as it is wanted: subscribed while it is, again after the broker was away, and not when
 * it is not. One change at a time; what fails is tried again in a while.
 */
import { retryDelayMs } from './publish-queue.ts';

/** What is kept, and how it is changed. */
export interface KeeperHandlers {
  isConnected(): boolean;
  isWanted(): boolean;
  /** Subscribes. @param isStale whether the broker has gone meanwhile: then it is called again when it is back */
  join(isStale: () => boolean): Promise<void>;
  part(): Promise<void>;
  failed(error: unknown): void;
}

export class SubscriptionKeeper {
  readonly #handlers: KeeperHandlers;
  /** Each connection to the broker is a new one: what was begun on an older one is over. */
  #epoch = 0;
  #isChanging = false;
  #isJoined = false;
  /** It has to be joined anew as soon as it is. */
  #isOutdated = false;
  #isClosed = false;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;
  #onJoined: (() => void)[] = [];

  constructor(handlers: KeeperHandlers) {
    this.#handlers = handlers;
  }

  /** Whether there is no subscription, and none on its way. */
  get isIdle(): boolean {
    return !this.#isJoined && !this.#isChanging && this.#timer === undefined;
  }

  /** Kept when it is subscribed, or will never be. */
  joined(): Promise<void> {
    if (this.#isJoined || this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => this.#onJoined.push(resolve));
  }

  /** Changes what is not as it is wanted. */
  align(): void {
    if (this.#isChanging || this.#timer !== undefined || !this.#handlers.isConnected()) return;
    if (this.#handlers.isWanted() === this.#isJoined) return;
    this.#isChanging = true;
    const epoch = this.#epoch;
    this.#change(() => epoch !== this.#epoch).catch((error: unknown) => {
      if (epoch === this.#epoch) this.#failed(error);
    });
  }

  /** It has to be joined anew. */
  rejoin(): void {
    this.#isJoined = false;
    this.#isOutdated = true;
    this.align();
  }

  /** The broker has gone: nothing is subscribed any more. */
  disconnected(): void {
    this.#epoch += 1;
    this.#isJoined = false;
    this.#isChanging = false;
    this.#attempts = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The end: nobody waits any longer. */
  close(): void {
    this.#isClosed = true;
    this.disconnected();
    this.#tellJoined();
  }

  async #change(isStale: () => boolean): Promise<void> {
    while (this.#handlers.isWanted() !== this.#isJoined) {
      if (this.#handlers.isWanted()) await this.#join(isStale);
      else await this.#part();
      if (isStale()) return;
    }
    this.#isChanging = false;
    this.#attempts = 0;
  }

  async #join(isStale: () => boolean): Promise<void> {
    this.#isOutdated = false;
    await this.#handlers.join(isStale);
    if (isStale() || this.#isOutdated) return;
    this.#isJoined = true;
    this.#tellJoined();
  }

  #part(): Promise<void> {
    this.#isJoined = false;
    return this.#handlers.part();
  }

  #tellJoined(): void {
    for (const resolve of this.#onJoined.splice(0)) resolve();
  }

  #failed(error: unknown): void {
    this.#isChanging = false;
    this.#handlers.failed(error);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.align();
      },
      retryDelayMs(this.#attempts++),
    );
  }
}
