/**
 * Header fields that our own caller adds to a handshake. A mistake in them is the caller's, so it is a `TypeError`, and
 * it is found here, before a byte is written: no value can end its line and begin another one.
 */

import { type FieldLine, isFieldValue, isToken, parseExtensions } from './field-grammar.ts';

/** Header fields from the caller: an object with a value or an array of values by name, or pairs, as `Headers` gives them. */
export type CallerHeaders =
  | Readonly<Record<string, string | number | readonly string[] | undefined>>
  | Iterable<readonly [name: string, value: string]>;

/** Fields that frame the message or belong to the handshake; what begins with `sec-websocket-` is among them. */
const OWN_NAMES: ReadonlySet<string> = new Set(['upgrade', 'connection', 'content-length', 'transfer-encoding']);

/**
 * Lists the caller's header fields, one line a value, in their order; values that are undefined are left out.
 *
 * @param headers the fields; undefined is none
 * @param taken further lower-case names that the caller may not set here
 * @throws TypeError for a name that is no token, for a value with CR, LF, NUL or a character beyond Latin-1, and for a
 * field that the handshake writes itself
 */
export function formatCallerHeaders(headers: CallerHeaders | undefined, taken: readonly string[] = []): FieldLine[] {
  const lines = listFields(headers ?? {});
  for (const [name, value] of lines) assertField(name, value, taken);
  return lines;
}

function listFields(headers: CallerHeaders): FieldLine[] {
  if (Symbol.iterator in headers) return Array.from(headers as Iterable<FieldLine>, ([name, value]) => [name, value]);
  return Object.entries(headers).flatMap(([name, value]) => listValues(value).map((line): FieldLine => [name, line]));
}

function listValues(value: string | number | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  return [typeof value === 'number' ? String(value) : (value as string)];
}

function assertField(name: string, value: string, taken: readonly string[]): void {
  if (typeof name !== 'string' || !isToken(name)) {
    throw new TypeError(`the name of a header field must be a token: ${JSON.stringify(name)}`);
  }
  if (typeof value !== 'string' || !isFieldValue(value)) {
    throw new TypeError(`the value of the header field ${name} must be text without CR, LF, NUL and other controls`);
  }
  const lower = name.toLowerCase();
  if (OWN_NAMES.has(lower) || lower.startsWith('sec-websocket-') || taken.includes(lower)) {
    throw new TypeError(`the header field ${name} is written by the handshake itself`);
  }
}

/**
 * Writes the `Sec-WebSocket-Extensions` field, in either role.
 *
 * @throws TypeError for a value that is not a list of extensions
 */
export function formatExtensionsField(extensions: string): FieldLine {
  if (!parseExtensions([extensions])?.length) {
    throw new TypeError(`extensions must be a list of extensions (RFC 6455 §9.1): ${JSON.stringify(extensions)}`);
  }
  return ['Sec-WebSocket-Extensions', extensions];
}
