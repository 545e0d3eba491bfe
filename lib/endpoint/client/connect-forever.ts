/**
 * A client that comes back: one connection after the other, each handed out when the one before has ended.
 *
 * Law: there is at most one connection, one try, and one timer. Leaving the loop ends the try and the timer, and leaves
 * the connection that was handed out to whoever has it; the caller's signal ends that too.
 */
import { abortable } from '../../connection/abortable.ts';
import type { CloseInfo } from '../../connection/closer.ts';
import { retryChannel } from '../../connection/diagnostics.ts';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { createAbortError } from '../../errors.ts';
import { MAX_TIMER_MS } from '../../options.ts';
import { WS_CLOSE_GOING_AWAY } from '../../protocol/close-code.ts';
import { backoffDelay } from './backoff.ts';
import { connect } from './connect.ts';
import { parseConnectTarget } from './connect-target.ts';
import {
  type ConnectForeverOptions,
  type Fresh,
  type ResolvedForeverOptions,
  resolveForeverOptions,
} from './forever-options.ts';
import { createSetback, type Setback } from './setback.ts';

/** What a try has come to. */
type Outcome =
  | { readonly connection: WsConnection; readonly error?: undefined }
  | { readonly connection?: undefined; readonly error: Error };

/**
 * Connects, and whenever the connection has ended or a try has failed, waits a while and connects again.
 *
 * ```
 * for await (const conn of connectForever(url)) {
 *   for await (const frame of conn) …
 * }
 * ```
 *
 * Each connection is handed out when the one before is over: a loop body that returns early is waited for until its
 * connection has ended, so it may as well hang listeners on it and return. Leaving the loop (`break`, `return`, a throw)
 * leaves the connection as it is.
 *
 * It ends
 * - with an `AbortError` when `signal` aborts, whatever it is doing; the connection that stands is closed with 1001,
 * - with the error of the last try, where `connect` rejects with one that no retry can mend (see `Setback.isTransient`),
 *   where `shouldRetry` or `backoff` say so, or after `maxRetries` in a row,
 * - without an error where the last thing was a connection that ended, and `shouldRetry`, `backoff` or `maxRetries` end it.
 *
 * @param url as `connect` takes it, or a function that gives it for each try
 * @param options what `connect` takes; `heartbeat` is on by default here
 * @throws TypeError, RangeError for a URL or an option that cannot be
 */
export function connectForever(
  url: Fresh<string | URL>,
  options?: ConnectForeverOptions | undefined,
): ConnectionIterator {
  return new ConnectionIterator(resolveForeverOptions(url, options));
}

/** One connection after the other. Only one `next()` is served at a time; others wait for their turn. */
export class ConnectionIterator implements AsyncIterableIterator<WsConnection, undefined> {
  readonly #options: ResolvedForeverOptions;
  readonly #random: () => number;
  readonly #connections: AsyncGenerator<WsConnection, undefined, undefined> = this.#run();
  /** Ends whatever is waited for. */
  readonly #stop = new AbortController();
  #hasLeft = false;
  /** The connection in hand. */
  #current: WsConnection | undefined;
  #url: string | undefined;
  #attempt = 0;
  #lastError: Error | undefined;
  #lastClose: CloseInfo | undefined;

  /** @internal @param random gives a number from 0 up to, but not including, 1 */
  constructor(options: ResolvedForeverOptions, random: () => number = Math.random) {
    this.#options = options;
    this.#random = random;
  }

  /** How many retries there were since a connection has stood for `stableAfterMs`. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Why the last try has failed; `undefined` once a connection stands. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** How the last connection ended; `undefined` before the first one has. */
  get lastClose(): CloseInfo | undefined {
    return this.#lastClose;
  }

  /**
   * Waits for the next connection.
   *
   * @throws what ends it, as a rejection, once; after that there is none
   */
  next(): Promise<IteratorResult<WsConnection, undefined>> {
    return this.#connections.next();
  }

  /** Ends it: nothing is tried or waited for any more. The connection in hand is left as it is. */
  return(): Promise<IteratorResult<WsConnection, undefined>> {
    this.#hasLeft = true;
    this.#stop.abort();
    return this.#connections.return(undefined);
  }

  /** As {@link return}, and rejects with `error`. */
  async throw(error?: unknown): Promise<IteratorResult<WsConnection, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async *#run(): AsyncGenerator<WsConnection, undefined, undefined> {
    const { signal } = this.#options;
    if (signal?.aborted) throw createAbortError(signal);
    signal?.addEventListener('abort', this.#onAbort);
    try {
      let cause: Error | CloseInfo;
      do {
        const { connection, error } = await this.#connect();
        if (connection !== undefined) yield connection;
        cause = connection === undefined ? error : await this.#untilOver(connection);
      } while (await this.#pause(cause));
    } catch (error) {
      // Who has left is told nothing more.
      if (!this.#hasLeft) throw error;
    } finally {
      signal?.removeEventListener('abort', this.#onAbort);
      this.#current = undefined;
    }
    return undefined;
  }

  /** Tries once. @throws AbortError; no connection is left then */
  async #connect(): Promise<Outcome> {
    const { signal } = this.#stop;
    const outcome = await abortable<Outcome>(signal, (resolve) => {
      const trying = this.#try();
      trying.then(
        (connection) => resolve({ connection }),
        (error) => resolve({ error: toError(error) }),
      );
      return () => void trying.then((late) => late.forceClose(), ignore);
    });
    this.#current = outcome.connection;
    this.#lastError = outcome.error;
    if (!signal.aborted) return outcome;
    // It was aborted when this was settled, and not yet told.
    outcome.connection?.forceClose();
    throw createAbortError(signal);
  }

  async #try(): Promise<WsConnection> {
    const { url, headers, protocols, connect: options } = this.#options;
    this.#url = undefined;
    const fresh = await Promise.all([refresh(url), refresh(headers), refresh(protocols)]);
    this.#url = parseConnectTarget(fresh[0]).url.href;
    return connect(fresh[0], { ...options, headers: fresh[1], protocols: fresh[2], signal: this.#stop.signal });
  }

  /** Waits until a connection is over. @throws AbortError */
  async #untilOver(connection: WsConnection): Promise<CloseInfo> {
    const info = await abortable<CloseInfo>(this.#stop.signal, (resolve) => {
      void connection.closeInfo.then(resolve);
      return undefined;
    });
    this.#current = undefined;
    this.#lastClose = info;
    if (connection.stats.durationMs >= this.#options.stableAfterMs) this.#attempt = 0;
    return info;
  }

  /** Waits before the next try. @returns whether there is to be one. @throws AbortError, or why there is none */
  async #pause(cause: Error | CloseInfo): Promise<boolean> {
    const setback = createSetback(this.#attempt + 1, cause, Date.now());
    const delayMs = this.#judge(setback);
    if (delayMs === undefined) {
      if (setback.error !== undefined) throw setback.error;
      return false;
    }
    this.#attempt += 1;
    this.#options.onRetry?.({ ...setback, delayMs });
    const { attempt, error, closeInfo } = setback;
    if (retryChannel.hasSubscribers) retryChannel.publish({ url: this.#url, attempt, delayMs, error, closeInfo });
    await abortable<void>(this.#stop.signal, (resolve) => {
      const timer = setTimeout(resolve, delayMs);
      return () => clearTimeout(timer);
    });
    return true;
  }

  /** @returns how long to wait before the next try; `undefined` where there is to be none */
  #judge(setback: Setback): number | undefined {
    const { backoff, maxRetries, shouldRetry } = this.#options;
    const mayRetry = shouldRetry === undefined ? setback.isTransient : shouldRetry(setback);
    if (typeof mayRetry !== 'boolean') throw new TypeError('shouldRetry must give true or false');
    if (!mayRetry || setback.attempt > maxRetries) return undefined;
    if (typeof backoff !== 'function') return backoffDelay(backoff, setback, this.#random);
    const delayMs = backoff(setback.attempt, setback);
    if (delayMs === null || delayMs === false) return undefined;
    if (typeof delayMs !== 'number' || !(delayMs >= 0)) {
      throw new TypeError('backoff must give a number of ms from 0 on, or null or false');
    }
    return Math.min(delayMs, MAX_TIMER_MS);
  }

  readonly #onAbort = (): void => {
    this.#stop.abort(this.#options.signal?.reason);
    void this.#current?.close(WS_CLOSE_GOING_AWAY);
  };
}

/** Gives a value, or asks for it; what is thrown rejects. */
async function refresh<T>(value: Fresh<T>): Promise<T> {
  return typeof value === 'function' ? (value as () => T | PromiseLike<T>)() : value;
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('The try was given up', { cause: thrown });
}

function ignore(): void {}
