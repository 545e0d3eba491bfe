/** Handshakes to start from, and header text that has hurt other libraries. Shared by all specs of the handshake. */

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { HandshakeResponse } from '../../lib/handshake/client-handshake.ts';
import type { HeaderFields } from '../../lib/handshake/field-grammar.ts';
import type { HandshakeRequest } from '../../lib/handshake/server-handshake.ts';
import { anyText } from './any-text.ts';

export const sha1 = (text: string): string => createHash('sha1').update(text, 'latin1').digest('base64');

/** The key of RFC 6455 §1.3, and the accept value that the RFC gives for it. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** Field lines by name; `undefined` takes a field out of the sample. */
export type Fields = Record<string, string | readonly string[] | undefined>;

function fieldsOf(fields: Fields): HeaderFields {
  const present = Object.entries(fields).filter(([, lines]) => lines !== undefined);
  return Object.fromEntries(present.map(([name, lines]) => [name, typeof lines === 'string' ? [lines] : lines!]));
}

/** The request of a plain client, with the given fields instead of its own. */
export function requestWith(fields: Fields = {}, line: Partial<HandshakeRequest> = {}): HandshakeRequest {
  const headers = fieldsOf({
    host: 'example.com',
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': KEY,
    'sec-websocket-version': '13',
    ...fields,
  });
  return { method: 'GET', httpVersion: '1.1', url: '/chat', headers, ...line };
}

/** The response of a plain server, with the given fields instead of its own. */
export function responseWith(fields: Fields = {}, status = 101): HandshakeResponse {
  const own: Fields = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': ACCEPT };
  return { status, headers: fieldsOf({ ...own, ...fields }) };
}

/** `__proto__`, `constructor`, `toString` …: all of them are tokens. */
export const PROTOTYPE_NAMES: readonly string[] = Object.getOwnPropertyNames(Object.prototype);

/** Texts of about `size` characters that make a backtracking or re-scanning parser slow. */
export const HOSTILE_TEXTS: Readonly<Record<string, (size: number) => string>> = {
  spaces: (size) => ' '.repeat(size),
  tabs: (size) => '\t'.repeat(size),
  commas: (size) => ','.repeat(size),
  semicolons: (size) => ';'.repeat(size),
  quotes: (size) => '"'.repeat(size),
  backslashes: (size) => '\\'.repeat(size),
  'spaces between two tokens': (size) => `a${' '.repeat(size)}b`,
  'spaces before a comma': (size) => `a${' '.repeat(size)},b`,
  'commas and spaces': (size) => ' ,'.repeat(size / 2),
  'one long token': (size) => 'a'.repeat(size),
  'many tokens': (size) => Array.from({ length: size / 8 }, (_, at) => at.toString(36).padStart(7, '0')).join(','),
  'many parameters': (size) => `a${';b=1'.repeat(size / 4)}`,
  'many extensions': (size) => 'a;b,'.repeat(size / 4),
  'spaces around each sign': (size) => `a${' ; b = c'.repeat(size / 8)}`,
  'a parameter without a name': (size) => `a${' '.repeat(size)};`,
  'an open quoted string': (size) => `a;b="${'c'.repeat(size)}`,
  'an open quoted string of escapes': (size) => `a;b="${'\\c'.repeat(size / 2)}`,
  'a closed quoted string of escapes': (size) => `a;b="${'\\c'.repeat(size / 2)}"`,
  'a quoted string of backslashes': (size) => `a;b="${'\\'.repeat(size)}"`,
  'many quoted strings': (size) => `a${';b="c"'.repeat(size / 6)}`,
  'many open quotes': (size) => 'a;b=",'.repeat(size / 6),
};

export const TOKEN_CHARS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export const arbitraryToken: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.constantFrom(...TOKEN_CHARS), minLength: 1, maxLength: 12 }),
  fc.constantFrom(...PROTOTYPE_NAMES),
);

/** Any text that an HTTP parser may hand over, with a leaning towards the signs of the grammar. */
export const arbitraryText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'ab13;;,,=="" \t\\\\/:@#\r\n\0\u00e9\u212a') }),
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
  anyText(),
);
