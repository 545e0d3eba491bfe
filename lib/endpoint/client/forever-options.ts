/**
 * The knobs of a client that connects again and again: checked once, at the door, like all others.
 */
import type { CallerHeaders } from '../../handshake/caller-headers.ts';
import { formatCallerHeaders } from '../../handshake/caller-headers.ts';
import { count, patience } from '../../options.ts';
import { type ConnectOptions, resolveConnectOptions } from '../endpoint-options.ts';
import { type BackoffFunction, type BackoffOptions, type ResolvedBackoff, resolveBackoff } from './backoff.ts';
import { parseConnectTarget } from './connect-target.ts';
import type { Setback } from './setback.ts';

/** A value, or what makes it anew for each try: a token may have run out. */
export type Fresh<T> = T | (() => T | PromiseLike<T>);

/** A {@link Setback}, and how long is waited before the next try. */
export interface Retry extends Setback {
  readonly delayMs: number;
}

/** What {@link connectForever} takes: what `connect` takes, and how to go on. */
export interface ConnectForeverOptions extends Omit<ConnectOptions, 'headers' | 'protocols' | 'signal'> {
  /** How long to wait before each retry. Default: by chance, from 0.5 s up to 1, 2, 4 … 30 s. */
  readonly backoff?: BackoffOptions | BackoffFunction | undefined;
  /** ms that a connection must stand until the waits are short again. Default 10,000: one that is cut at once is no success. */
  readonly stableAfterMs?: number | undefined;
  /**
   * How many retries there may be until a connection has stood for `stableAfterMs`: one that was cut sooner counts as one
   * that was not there. Default `Infinity`; 0 tries once.
   */
  readonly maxRetries?: number | undefined;
  /** Judges whether to go on, in place of `setback.isTransient`. */
  readonly shouldRetry?: ((setback: Setback) => boolean) | undefined;
  /** Learns of each setback after which it goes on, before the wait. */
  readonly onRetry?: ((retry: Retry) => void) | undefined;
  /** Ends it all: `AbortError`. The connection that stands is closed with 1001. */
  readonly signal?: AbortSignal | undefined;
  /** Further fields of the request, or a function that gives them for each try. */
  readonly headers?: Fresh<CallerHeaders | undefined> | undefined;
  /** The subprotocols to offer, or a function that gives them for each try. */
  readonly protocols?: Fresh<string | readonly string[] | undefined> | undefined;
}

/** {@link ConnectForeverOptions} with every default in its place. */
export interface ResolvedForeverOptions
  extends Pick<ConnectForeverOptions, 'shouldRetry' | 'onRetry' | 'signal' | 'headers' | 'protocols'> {
  readonly url: Fresh<string | URL>;
  readonly backoff: ResolvedBackoff | BackoffFunction;
  readonly stableAfterMs: number;
  readonly maxRetries: number;
  /** What each try takes beside what is made anew. */
  readonly connect: ConnectOptions;
}

/**
 * Puts the defaults in and checks the rest.
 *
 * @throws TypeError, RangeError for a URL or an option that cannot be
 */
export function resolveForeverOptions(
  url: Fresh<string | URL>,
  options: ConnectForeverOptions = {},
): ResolvedForeverOptions {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object');
  const { backoff, stableAfterMs, maxRetries, shouldRetry, onRetry, signal, headers, protocols, ...rest } = options;
  for (const [name, value] of Object.entries({ shouldRetry, onRetry })) {
    if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} must be a function`);
  }
  if (typeof url !== 'function') parseConnectTarget(url);
  const fixedProtocols = typeof protocols === 'function' ? undefined : protocols;
  // A peer that is gone without a word would be waited for for ever.
  const connect = { ...rest, heartbeat: rest.heartbeat ?? true };
  resolveConnectOptions({ ...connect, signal, protocols: fixedProtocols });
  return {
    ...{ url, shouldRetry, onRetry, signal, protocols, connect },
    // Listed now: what is iterated over may give its fields only once.
    headers: typeof headers === 'function' ? headers : formatCallerHeaders(headers),
    backoff: typeof backoff === 'function' ? backoff : resolveBackoff(backoff),
    stableAfterMs: stableAfterMs === 0 ? 0 : patience('stableAfterMs', stableAfterMs, 10_000),
    maxRetries: count('maxRetries', maxRetries, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
  };
}
