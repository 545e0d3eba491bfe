/**
 * Why a client that connects again and again has no connection, and whether it is worth to try again.
 *
 * Law: what may pass by itself is transient. What nobody but a person can mend is not: a mistake of the caller's, a
 * certificate that does not fit, a server that says no.
 */
import type { CloseInfo } from '../../connection/closer.ts';
import { HandshakeError } from '../../errors.ts';

/** A try that did not succeed, or a connection that has ended: one of `error` and `closeInfo` is there. */
export interface Setback {
  /** Which retry comes next, from 1 on, counted since a connection has stood for `stableAfterMs`; a shorter one does not count. */
  readonly attempt: number;
  /** Why there was no connection. */
  readonly error?: Error | undefined;
  /** How the connection has ended. */
  readonly closeInfo?: CloseInfo | undefined;
  /** ms after which the server wants to be asked again: its Retry-After. */
  readonly retryAfterMs?: number | undefined;
  /**
   * Whether it may pass by itself: a connection that has ended; an error of the network; the statuses 408, 425, 429 and
   * 5xx but 501 and 505; a handshake that took too long.
   */
  readonly isTransient: boolean;
}

const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);
const PERMANENT_STATUSES: ReadonlySet<number> = new Set([501, 505]);
/** What OpenSSL and `node:tls` call certificates that they do not take. */
const CERTIFICATE_CODE =
  /^(?:CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|HOSTNAME_|INVALID_|PATH_LENGTH_)/;

/** Makes what is known of a try that failed, or of a connection that has ended. @param now ms since 1970 */
export function createSetback(attempt: number, cause: Error | CloseInfo, now: number): Setback {
  if (!(cause instanceof Error)) return { attempt, closeInfo: cause, isTransient: true };
  return { attempt, error: cause, retryAfterMs: readRetryAfter(cause, now), isTransient: isTransient(cause) };
}

function isTransient(error: Error): boolean {
  if (error instanceof HandshakeError) return isTransientRefusal(error);
  const root = rootOf(error);
  if (CERTIFICATE_CODE.test(codeOf(root))) return false;
  if (error.name === 'AbortError') return false;
  const isMistake = [TypeError, RangeError, SyntaxError, ReferenceError].some((kind) => error instanceof kind);
  // What `fetch` rejects with is a TypeError too, and what went wrong is its cause.
  return !isMistake || (root !== error && codeOf(root) !== '');
}

function isTransientRefusal({ code, status }: HandshakeError): boolean {
  if (code === 'WS_ERR_HANDSHAKE_TIMEOUT') return true;
  if (code !== 'WS_ERR_HANDSHAKE_REFUSED') return false;
  return TRANSIENT_STATUSES.has(status) || (status >= 500 && !PERMANENT_STATUSES.has(status));
}

function rootOf(error: Error): Error {
  let root = error;
  while (root.cause instanceof Error) root = root.cause;
  return root;
}

function codeOf(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}

/** RFC 9110 §10.2.3: "The value of this field can be either an HTTP-date or a number of seconds to delay". */
function readRetryAfter(error: Error, now: number): number | undefined {
  if (!(error instanceof HandshakeError)) return undefined;
  const value = error.headers['retry-after']?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  // Date.parse makes something of almost anything; a date of HTTP ends like this.
  const ms = value.endsWith(' GMT') ? Date.parse(value) - now : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
