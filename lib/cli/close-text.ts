/** Says how a connection ended, in a line for people. */
import type { CloseInfo } from '../connection/closer.ts';
import { WS_CLOSE_ABNORMAL, WS_CLOSE_NO_STATUS } from '../protocol/close-code.ts';
import { printableLine } from './printable.ts';

/** The names that RFC 6455 §7.4.1 and the registry of IANA give to codes, put shortly. */
const NAMES: Readonly<Record<number, string>> = {
  1000: 'normal',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'no code',
  1006: 'abnormal',
  1007: 'invalid data',
  1008: 'policy violation',
  1009: 'too large',
  1010: 'extension required',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
  1014: 'bad gateway',
  1015: 'TLS handshake',
};

/** Formats the code of a close, with its name where it has one: `1001 (going away)`. */
export function formatCloseCode(code: number): string {
  const name = NAMES[code];
  return name === undefined ? String(code) : `${code} (${name})`;
}

/** Describes the end of a connection, the peer being called `peer`. */
export function describeClose({ code, reason, wasClean, initiator, error }: CloseInfo, peer: string): string {
  const said = reason === '' ? '' : `: ${printableLine(reason)}`;
  if (wasClean && initiator === 'remote') return `${peer} closed the connection with ${formatCloseCode(code)}${said}`;
  // Who answers repeats the code that it was sent.
  if (wasClean) return code === WS_CLOSE_NO_STATUS ? 'closed' : `closed with ${formatCloseCode(code)}${said}`;
  if (code === WS_CLOSE_ABNORMAL)
    return `the connection was cut: ${printableLine(error?.message ?? 'nobody said why')}`;
  return `we gave up on ${peer} with ${formatCloseCode(code)}: ${printableLine(error?.message ?? reason)}`;
}
