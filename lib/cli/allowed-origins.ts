/**
 * Which web pages may connect to a server of the command's, and how one types that.
 *
 * Law: what listens on this machine alone answers no page from elsewhere, also where the name of that page's server was
 * made to lead here (DNS rebinding): a browser's request must have asked for this machine by a name of its own.
 */
import type { UpgradeOptions } from '../endpoint/endpoint-options.ts';
import { type Refusal, refuse } from '../endpoint/upgrade/refusal.ts';
import { parseAuthority } from '../handshake/field-grammar.ts';
import { assertOriginPolicy } from '../handshake/origin.ts';
import type { WsRequest } from '../options.ts';
import type { OptionTable } from './command-line.ts';
import { Misuse, type Values } from './values.ts';

/** The pages that may connect; `undefined` for those of the server's own address. */
export type AllowedOrigins = readonly string[] | '*' | undefined;

export const ORIGIN_OPTIONS: OptionTable = { 'allow-origin': { type: 'string' } };

/** Reads the origins that may connect. @throws Misuse */
export function readAllowedOrigins(values: Values): AllowedOrigins {
  const origins = values.list('allow-origin');
  if (origins.length === 0) return undefined;
  if (origins.includes('*')) return '*';
  try {
    assertOriginPolicy(origins);
  } catch (error) {
    throw new Misuse(`--allow-origin: ${(error as Error).message.replace('origins: ', '')}.`);
  }
  return origins;
}

/** Makes what a server that listens at `host` judges a page by. */
export function guardOrigins(allowed: AllowedOrigins, host: string): Pick<UpgradeOptions, 'origins' | 'authorize'> {
  if (allowed !== undefined || !isLoopback(host)) return { origins: allowed };
  const authorize = ({ headers }: WsRequest): Refusal | undefined => {
    const asked = parseAuthority(String(headers.host))?.hostname ?? '';
    return headers.origin === undefined || isLoopback(asked) ? undefined : refuse(403);
  };
  return { authorize };
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|(?:[^.]+\.)*localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
