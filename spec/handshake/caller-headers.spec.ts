import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallerHeaders, formatCallerHeaders, formatExtensionsField } from '../../lib/handshake/caller-headers.ts';
import { isFieldValue } from '../../lib/handshake/field-grammar.ts';
import { arbitraryText, arbitraryToken, PROTOTYPE_NAMES } from '../vectors/handshake.ts';

describe('formatCallerHeaders', () => {
  it.each<[kind: string, headers: CallerHeaders | undefined, lines: [string, string][]]>([
    ['nothing', undefined, []],
    ['an empty object', {}, []],
    [
      'an object',
      { 'X-A': '1', 'X-B': '' },
      [
        ['X-A', '1'],
        ['X-B', ''],
      ],
    ],
    ['a number', { 'Retry-After': 5 }, [['Retry-After', '5']]],
    [
      'several values',
      { 'Set-Cookie': ['a=1', 'b=2'] },
      [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ],
    ],
    ['an undefined value', { 'X-A': undefined, 'X-B': '2' }, [['X-B', '2']]],
    [
      'pairs',
      [
        ['X-A', '1'],
        ['X-A', '2'],
      ],
      [
        ['X-A', '1'],
        ['X-A', '2'],
      ],
    ],
    ['a Map', new Map([['X-A', '1']]), [['X-A', '1']]],
    [
      'Headers',
      new Headers([
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
      ]),
      [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ],
    ],
    ['Latin-1', { 'X-A': 'caf\u00e9' }, [['X-A', 'caf\u00e9']]],
  ])('lists the fields of %s', (_, headers, lines) => {
    expect(formatCallerHeaders(headers)).toEqual(lines);
  });

  it.each(PROTOTYPE_NAMES)('lists a field named %s', (name) => {
    expect(formatCallerHeaders([[name, '1']])).toEqual([[name, '1']]);
  });

  it.each<[mistake: string, headers: unknown]>([
    ['CR and LF in a value', { 'X-A': '1\r\nX-B: 2' }],
    ['CR in a value', { 'X-A': '1\r2' }],
    ['LF at the end of a value', { 'X-A': '1\n' }],
    ['NUL in a value', { 'X-A': '1\0' }],
    ['CR and LF in the second value', { 'X-A': ['1', '2\r\n'] }],
    ['CR and LF in pairs', [['X-A', '1\r\n']]],
    ['a character beyond Latin-1', { 'X-A': '\u20ac' }],
    ['null', { 'X-A': null }],
    ['a value in an array that is no text', { 'X-A': [1] }],
    ['an object', { 'X-A': {} }],
    ['an empty name', { '': '1' }],
    ['a name with a space', { 'X A': '1' }],
    ['a name with a colon', { 'X-A:': '1' }],
    ['a name with CR and LF', { 'X-A\r\nX-B': '1' }],
    ['a name that is no text', [[1, '1']]],
    ['a pair without a value', [['X-A']]],
  ])('refuses %s with a TypeError', (_, headers) => {
    expect(() => formatCallerHeaders(headers as CallerHeaders)).toThrow(TypeError);
  });

  it.each([
    'Upgrade',
    'CONNECTION',
    'Content-Length',
    'transfer-encoding',
    'Sec-WebSocket-Key',
    'sec-websocket-accept',
    'Sec-WebSocket-Anything',
  ])('leaves %s to the handshake', (name) => {
    expect(() => formatCallerHeaders({ [name]: '1' })).toThrow(/written by the handshake itself/);
  });

  it('leaves the names that are taken to those who took them', () => {
    expect(formatCallerHeaders({ Origin: 'http://a' })).toEqual([['Origin', 'http://a']]);
    expect(() => formatCallerHeaders({ Origin: 'http://a' }, ['origin'])).toThrow(TypeError);
  });

  it('lets through exactly the values that fit on one line', () => {
    fc.assert(
      fc.property(arbitraryText, (value) => {
        const format = (): unknown => formatCallerHeaders({ 'X-A': value });
        if (isFieldValue(value)) expect(format()).toEqual([['X-A', value]]);
        else expect(format).toThrow(TypeError);
      }),
    );
  });

  it('lets through any token as a name', () => {
    fc.assert(
      fc.property(
        arbitraryToken.map((token) => `x-${token}`),
        (name) => {
          expect(formatCallerHeaders({ [name]: '1' })).toEqual([[name, '1']]);
        },
      ),
    );
  });
});

describe('formatExtensionsField', () => {
  it('writes a list of extensions as it is given (§9.1)', () => {
    expect(formatExtensionsField('a; b=1, c')).toEqual(['Sec-WebSocket-Extensions', 'a; b=1, c']);
  });

  it.each(['', ' ', ',', 'a;', 'a\r\nb: c', 'a; b="c d"'])('refuses %j with a TypeError (§9.1)', (extensions) => {
    expect(() => formatExtensionsField(extensions)).toThrow(TypeError);
  });
});

describe('what the caller gives', () => {
  it.each<[message: string, headers: object]>([
    ['the name of a header field must be a token: "a b"', { 'a b': '1' }],
    ['the value of the header field a must be text without CR, LF, NUL and other controls', { a: '1\n' }],
    ['the header field Upgrade is written by the handshake itself', { Upgrade: '1' }],
  ])('is refused because %s', (message, headers) => {
    expect(() => formatCallerHeaders(headers as CallerHeaders)).toThrow(message);
  });

  it('may not be a malformed list of extensions', () => {
    expect(() => formatExtensionsField('')).toThrow('extensions must be a list of extensions (RFC 6455 §9.1): ""');
  });
});
