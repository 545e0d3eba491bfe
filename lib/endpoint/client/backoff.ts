/**
 * How long a client waits before it tries again. Pure: chance is handed in.
 *
 * Law: every wait is left to chance, the first one too. When a server goes, all its clients are cut in the same moment,
 * and whatever they do after a fixed time they do in the same moment again.
 *
 * @see RFC 6455 §7.2.3
 */
import { count, MAX_TIMER_MS, milliseconds } from '../../options.ts';
import { WS_CLOSE_SERVICE_RESTART, WS_CLOSE_TRY_AGAIN_LATER } from '../../protocol/close-code.ts';
import type { Setback } from './setback.ts';

/**
 * How the waits of a client grow: before retry n, a time between `minMs` and `minMs × factor ⁿ`, but at most `maxMs`,
 * where chance decides.
 */
export interface BackoffOptions {
  /** ms, the shortest wait. Default 500: nobody who waits for a page notices, and a server that comes up is not stormed. */
  readonly minMs?: number | undefined;
  /** ms, the longest wait, but for what `Retry-After` adds. Default 30,000: who comes back is served within half a minute. */
  readonly maxMs?: number | undefined;
  /** By how much each wait may be longer than the one before, 1 or more. Default 2. */
  readonly factor?: number | undefined;
  /** How much of the span between `minMs` and the longest wait is left to chance, from 0 to 1. Default 1: all of it. */
  readonly jitter?: number | undefined;
  /**
   * ms, how much of a server's `Retry-After` is honoured; the wait comes on top. Default 300,000: an hour or a year in
   * it may be a mistake.
   */
  readonly maxRetryAfterMs?: number | undefined;
}

/**
 * Says how long to wait, in ms, in place of {@link BackoffOptions}; `null` or `false` gives up.
 *
 * @param attempt which retry comes next, from 1 on, counted since a connection has stood for `stableAfterMs`
 */
export type BackoffFunction = (attempt: number, setback: Setback) => number | null | false;

/** {@link BackoffOptions} with every default in its place. */
export type ResolvedBackoff = Readonly<Record<keyof BackoffOptions, number>>;

/** What the IANA registry asks of a client that is told 1012: "a randomized delay of 5 - 30s". */
const RESTART_MIN_MS = 5000;
const RESTART_MAX_MS = 30_000;
const RESTART_CODES: ReadonlySet<number> = new Set([WS_CLOSE_SERVICE_RESTART, WS_CLOSE_TRY_AGAIN_LATER]);

/** Puts the defaults in and checks the rest. @throws TypeError, RangeError */
export function resolveBackoff(options: BackoffOptions = {}): ResolvedBackoff {
  if (typeof options !== 'object' || options === null) throw new TypeError('backoff must be an object or a function');
  const minMs = milliseconds('backoff.minMs', options.minMs, 500);
  const maxMs = milliseconds('backoff.maxMs', options.maxMs, Math.max(minMs, 30_000));
  if (maxMs < minMs) throw new RangeError('backoff.maxMs must not be less than backoff.minMs');
  return {
    minMs,
    maxMs,
    factor: between('backoff.factor', options.factor, 2, 1, Number.MAX_VALUE),
    jitter: between('backoff.jitter', options.jitter, 1, 0, 1),
    maxRetryAfterMs: count('backoff.maxRetryAfterMs', options.maxRetryAfterMs, 300_000, MAX_TIMER_MS),
  };
}

/**
 * Says how long to wait.
 *
 * @param random gives a number from 0 up to, but not including, 1
 * @returns ms, from `minMs` to `maxMs`; what the server asks for by `Retry-After` comes before that
 */
export function backoffDelay(backoff: ResolvedBackoff, setback: Setback, random: () => number): number {
  const { minMs, maxMs, factor, jitter, maxRetryAfterMs } = backoff;
  const longest = Math.min(maxMs, minMs * factor ** setback.attempt);
  const ownMs = longest - jitter * random() * (longest - minMs);
  const waitMs = Math.max(ownMs, restartDelay(setback, maxMs, random));
  return Math.min(Math.round(waitMs + Math.min(setback.retryAfterMs ?? 0, maxRetryAfterMs)), MAX_TIMER_MS);
}

/** The registry's span where the server restarts or has too much to do, made to fit where `maxMs` is less. */
function restartDelay({ closeInfo }: Setback, maxMs: number, random: () => number): number {
  if (closeInfo === undefined || !RESTART_CODES.has(closeInfo.code)) return 0;
  const spanMs = RESTART_MIN_MS + random() * (RESTART_MAX_MS - RESTART_MIN_MS);
  return spanMs * Math.min(1, maxMs / RESTART_MAX_MS);
}

function between(name: string, value: number | undefined, fallback: number, min: number, max: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  if (!(value >= min && value <= max)) throw new RangeError(`${name} must be from ${min} to ${max}, not ${value}`);
  return value;
}
