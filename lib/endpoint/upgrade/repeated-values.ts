/**
 * One copy of what request after request says: Node's parser makes the text of each header field anew, and a connection
 * keeps its request for as long as it lives.
 *
 * Law: nothing that could be a secret is remembered, and of each field no more than the last value.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Fields that say the same for many peers. Not cookies, not authorization, nothing of the application's. */
const REPEATED = [
  'host',
  'upgrade',
  'connection',
  'origin',
  'user-agent',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'pragma',
  'sec-websocket-version',
  'sec-websocket-extensions',
] as const;

/** Longer values are rare, and are not kept here. */
const MAX_LENGTH = 512;

const lastValues: (string | undefined)[] = REPEATED.map(() => undefined);

/** Puts the copy that is there already in the place of each value that is equal to the last request's. */
export function shareRepeatedValues(headers: IncomingHttpHeaders): void {
  for (let index = 0; index < REPEATED.length; index++) {
    const name = REPEATED[index]!;
    const value = headers[name];
    if (value === undefined) continue;
    const last = lastValues[index];
    // Not an assignment: an HTTP server of somebody else's may have frozen them.
    if (value === last) Reflect.set(headers, name, last);
    else if (value.length <= MAX_LENGTH) lastValues[index] = value;
  }
}
