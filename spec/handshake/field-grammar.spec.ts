import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ExtensionOffer,
  formatExtensions,
  groupFields,
  includesToken,
  isFieldValue,
  isToken,
  isVisible,
  parseAuthority,
  parseExtensions,
  parseTokenList,
  parseUpgrade,
  singleValue,
  trimSpace,
} from '../../lib/handshake/field-grammar.ts';
import { countSteps } from '../support/count-steps.ts';
import { arbitraryText, arbitraryToken, HOSTILE_TEXTS, PROTOTYPE_NAMES, TOKEN_CHARS } from '../vectors/handshake.ts';

const ALL_CODES = Array.from({ length: 512 }, (_, code) => String.fromCharCode(code));

describe('isToken', () => {
  it('takes exactly the token characters (RFC 9110 §5.6.2)', () => {
    expect(ALL_CODES.filter(isToken).sort()).toEqual([...TOKEN_CHARS].sort());
  });

  it.each(['', 'a b', 'a,', '\u212a', 'a\0'])('refuses %j', (text) => {
    expect(isToken(text)).toBe(false);
  });

  it.each(PROTOTYPE_NAMES)('takes %s, a token like any other', (name) => {
    expect(isToken(name)).toBe(true);
  });
});

describe('isFieldValue and isVisible', () => {
  it('take what a field may hold: no control character, nothing beyond Latin-1 (RFC 9110 §5.5)', () => {
    const isAllowed = (code: number): boolean =>
      code === 9 || (code >= 0x20 && code !== 0x7f && code <= 0xff && (code < 0x7f || code >= 0x80));
    for (const [code, char] of ALL_CODES.entries()) {
      expect([code, isFieldValue(`a${char}b`)]).toEqual([code, isAllowed(code)]);
      expect([code, isVisible(`a${char}b`)]).toEqual([code, code > 0x20 && code < 0x7f]);
    }
    expect(isFieldValue('')).toBe(true);
    expect(isVisible('')).toBe(false);
  });

  it('do not overlook a line end at the end', () => {
    expect(isFieldValue('a\n')).toBe(false);
    expect(isVisible('a\n')).toBe(false);
  });
});

describe('trimSpace and singleValue', () => {
  it('cut spaces and tabs from both ends and nothing else', () => {
    const padding = fc.string({ unit: fc.constantFrom(' ', '\t') });
    fc.assert(
      fc.property(padding, arbitraryText, padding, (before, text, after) => {
        expect(trimSpace(before + text + after)).toBe(text.replace(/^[ \t]*/, '').replace(/[ \t]*$/, ''));
      }),
    );
    expect(trimSpace('\u00a0a\r\n')).toBe('\u00a0a\r\n');
  });

  it('give the value of one line, and none for a missing or repeated field', () => {
    expect(singleValue([' \t13 '])).toBe('13');
    expect(singleValue([''])).toBe('');
    expect(singleValue(undefined)).toBeUndefined();
    expect(singleValue([])).toBeUndefined();
    expect(singleValue(['13', '13'])).toBeUndefined();
  });
});

describe('parseTokenList', () => {
  it.each<[lines: string[], expected: string[] | null]>([
    [[], []],
    [[''], []],
    [[' \t'], []],
    [[' , ,\t, '], []],
    [['chat'], ['chat']],
    [[' chat '], ['chat']],
    [['chat,superchat'], ['chat', 'superchat']],
    [['a ,\tb,  c'], ['a', 'b', 'c']],
    [[',a,,b,'], ['a', 'b']],
    [
      ['a', 'b, c', '', 'd'],
      ['a', 'b', 'c', 'd'],
    ],
    [['a, a'], ['a', 'a']],
    [['a b'], null],
    [['a, b c'], null],
    [['a;b'], null],
    [['a', 'b/1'], null],
    [['"a"'], null],
    [['a\r\n b'], null],
    [['a,\r\n b'], null],
    [['caf\u00e9'], null],
    [['\u00a0a'], null],
    [['a\0'], null],
  ])('reads %j as %j (RFC 9110 §5.6.1)', (lines, expected) => {
    expect(parseTokenList(lines)).toEqual(expected);
  });

  it('reads back what a list was made of, on however many lines', () => {
    const lists = fc.array(fc.array(arbitraryToken));
    const comma = fc.constantFrom(',', ', ', ' ,', ' , ,\t');
    fc.assert(
      fc.property(lists, comma, (lists, comma) => {
        expect(parseTokenList(lists.map((list) => list.join(comma)))).toEqual(lists.flat());
      }),
    );
  });

  it('gives tokens or null for any text', () => {
    fc.assert(
      fc.property(fc.array(arbitraryText), (lines) => {
        expect((parseTokenList(lines) ?? []).every(isToken)).toBe(true);
      }),
    );
  });
});

describe('parseUpgrade', () => {
  it.each<[lines: string[], expected: string[] | null]>([
    [['websocket'], ['websocket']],
    [['h2c, websocket'], ['h2c', 'websocket']],
    [
      ['HTTP/2.0, IRC/6.9', 'WebSocket'],
      ['HTTP/2.0', 'IRC/6.9', 'WebSocket'],
    ],
    [['websocket/13'], ['websocket/13']],
    [[], []],
    [['websocket/'], null],
    [['/13'], null],
    [['a/b/c'], null],
    [['websocket; a=b'], null],
  ])('reads %j as %j (RFC 9110 §7.8)', (lines, expected) => {
    expect(parseUpgrade(lines)).toEqual(expected);
  });

  it('gives a list or null for any text', () => {
    fc.assert(
      fc.property(fc.array(arbitraryText), (lines) => {
        expect((parseUpgrade(lines) ?? []).every((name) => name.split('/').every(isToken))).toBe(true);
      }),
    );
  });
});

describe('includesToken', () => {
  it('compares in any ASCII case, and whole tokens', () => {
    expect(includesToken(['keep-alive', 'UpGrade'], 'upgrade')).toBe(true);
    expect(includesToken(['upgrades', 'up', 'no-upgrade'], 'upgrade')).toBe(false);
    expect(includesToken([], 'upgrade')).toBe(false);
  });
});

describe('parseExtensions', () => {
  it.each<[lines: string[], expected: [name: string, ...params: (string | [string, string])[]][] | null]>([
    [[], []],
    [[''], []],
    [[' \t'], []],
    [['foo'], [['foo']]],
    [['foo, bar; baz=2'], [['foo'], ['bar', ['baz', '2']]]],
    [
      ['foo', 'bar; baz=2'],
      [['foo'], ['bar', ['baz', '2']]],
    ],
    [['deflate-stream'], [['deflate-stream']]],
    [
      ['mux; max-channels=4; flow-control, deflate-stream'],
      [['mux', ['max-channels', '4'], 'flow-control'], ['deflate-stream']],
    ],
    [['private-extension'], [['private-extension']]],
    [['a;b;b;b=1;b="1"'], [['a', 'b', 'b', ['b', '1'], ['b', '1']]]],
    [['a; b="c"'], [['a', ['b', 'c']]]],
    [['a; b="\\c\\d"'], [['a', ['b', 'cd']]]],
    [['a ; b = c ; d = "e" , f'], [['a', ['b', 'c'], ['d', 'e']], ['f']]],
    [[' ,a,, b ,'], [['a'], ['b']]],
    [
      ['a', 'a', 'a; b'],
      [['a'], ['a'], ['a', 'b']],
    ],
    [['a;'], null],
    [['a;;b'], null],
    [['a; b='], null],
    [['a; b=;c'], null],
    [['a; =c'], null],
    [['a=b'], null],
    [['a b'], null],
    [['a; b c'], null],
    [['a; b="c" d'], null],
    [['a; b=""'], null],
    [['a; b="c'], null],
    [['a; b="c\\'], null],
    [['a; b="c\\"'], null],
    [['a; b="c d"'], null],
    [['a; b="c,d"'], null],
    [['a; b="\\""'], null],
    [['a; b="caf\u00e9"'], null],
    [['a; b=caf\u00e9'], null],
    [['"a"'], null],
    [['a; "b"'], null],
    [[';a'], null],
    [['a; b="c', 'd"'], null],
    [['a;\r\n b'], null],
    [['a\0'], null],
  ])('reads %j as %j (§4.3, §9.1)', (lines, expected) => {
    const offers = expected?.map(([name, ...params]) => ({
      name,
      params: params.map((param) =>
        typeof param === 'string' ? { name: param, value: undefined } : { name: param[0], value: param[1] },
      ),
    }));
    expect(parseExtensions(lines)).toEqual(offers ?? null);
  });

  it.each(PROTOTYPE_NAMES)('takes %s as extension and as parameter, with and without a value (§9.1)', (name) => {
    expect(parseExtensions([`${name}; ${name}; ${name}=${name}`])).toEqual([
      {
        name,
        params: [
          { name, value: undefined },
          { name, value: name },
        ],
      },
    ]);
  });

  it('gives tokens or null for any text (§9.1)', () => {
    fc.assert(
      fc.property(fc.array(arbitraryText), (lines) => {
        for (const { name, params } of parseExtensions(lines) ?? []) {
          expect(isToken(name)).toBe(true);
          expect(params.every((param) => isToken(param.name) && isToken(param.value ?? 'none'))).toBe(true);
        }
      }),
    );
  });
});

const arbitraryExtensions: fc.Arbitrary<ExtensionOffer[]> = fc.array(
  fc.record({
    name: arbitraryToken,
    params: fc.array(fc.record({ name: arbitraryToken, value: fc.option(arbitraryToken, { nil: undefined }) })),
  }),
);

describe('formatExtensions', () => {
  it('writes a list as the RFC does (§9.1)', () => {
    const params = [
      { name: 'max-channels', value: '4' },
      { name: 'flow-control', value: undefined },
    ];
    const extensions = [
      { name: 'mux', params },
      { name: 'deflate-stream', params: [] },
    ];
    expect(formatExtensions(extensions)).toBe('mux; max-channels=4; flow-control, deflate-stream');
    expect(formatExtensions([])).toBe('');
  });

  it('is undone by parseExtensions (§9.1)', () => {
    fc.assert(
      fc.property(arbitraryExtensions, (extensions) => {
        expect(parseExtensions([formatExtensions(extensions)])).toEqual(extensions);
      }),
    );
  });

  it('means the same with quotes, escapes and spaces wherever they may stand (§9.1)', () => {
    const styles = fc.infiniteStream(
      fc.record({ quote: fc.boolean(), escaped: fc.boolean(), space: fc.constantFrom('', ' ', '\t ') }),
    );
    fc.assert(
      fc.property(arbitraryExtensions, styles, (extensions, styles) => {
        const style = () => styles.next().value!;
        const formatValue = (value: string): string => {
          const { quote, escaped } = style();
          if (!quote) return value;
          return `"${Array.from(value, (char) => (escaped ? `\\${char}` : char)).join('')}"`;
        };
        const spaced = (sign: string): string => style().space + sign + style().space;
        const line = extensions
          .map(({ name, params }) =>
            [
              name,
              ...params.map((p) => (p.value === undefined ? p.name : p.name + spaced('=') + formatValue(p.value))),
            ].join(spaced(';')),
          )
          .join(spaced(','));
        expect(parseExtensions([line])).toEqual(extensions);
      }),
    );
  });
});

describe('the work of the parsers', () => {
  const parsers = { parseTokenList, parseUpgrade, parseExtensions, trimSpace: ([line]: string[]) => trimSpace(line!) };
  const cases = Object.entries(parsers).flatMap(([parser, parse]) =>
    Object.entries(HOSTILE_TEXTS).map(([text, make]) => ({ parser, parse, text, make })),
  );

  it.each(cases)('of $parser is linear in 64 KiB of $text', ({ parse, make }) => {
    const steps = (size: number): number => countSteps(() => parse([make(size)]));
    const once = steps(65_536);
    const twice = steps(131_072);
    expect(once).toBeGreaterThan(0);
    expect(once).toBeLessThanOrEqual(8 * 65_536);
    expect(twice).toBeLessThanOrEqual(2 * once + 100);
  });

  it('is linear in the number of lines too', () => {
    const steps = (count: number): number => countSteps(() => parseExtensions(Array(count).fill('a; b="c"')));
    expect(steps(2000)).toBe(2 * steps(1000));
  });
});

describe('parseAuthority', () => {
  it.each([
    ['example.com', 'example.com', undefined],
    ['EXAMPLE.Com', 'example.com', undefined],
    ['example.com:8080', 'example.com', 8080],
    ['example.com:', 'example.com', undefined],
    ['example.com:0', 'example.com', 0],
    ['example.com:00080', 'example.com', 80],
    ['example.com:65535', 'example.com', 65535],
    ['localhost:1', 'localhost', 1],
    ['127.0.0.1:80', '127.0.0.1', 80],
    ['[::1]', '[::1]', undefined],
    ['[::1]:8080', '[::1]', 8080],
    ['[FE80::A]:8080', '[fe80::a]', 8080],
    ['[::ffff:127.0.0.1]', '[::ffff:127.0.0.1]', undefined],
    ['my_host', 'my_host', undefined],
    ['a'.repeat(255), 'a'.repeat(255), undefined],
  ])('reads %s (RFC 3986 §3.2)', (text, hostname, port) => {
    expect(parseAuthority(text)).toEqual({ hostname, port });
  });

  it.each([
    '',
    ':80',
    'a:65536',
    'a:999999',
    'a:080808',
    'a:-1',
    'a:8x',
    'a:80:80',
    '::1',
    '[::1',
    '[]',
    `[${':'.repeat(46)}]`,
    'a'.repeat(256),
    '[::1]x',
    '[::g]',
    'a%20b',
    'a,b',
    'a;b',
    'a b',
    'a/b',
    'a?b',
    'a#b',
    'a\\b',
    'user@a',
    'user:pw@a',
    'a,b:1@c',
    'a\n',
    'a\0',
    '\u212aelvin',
    'b\u00fccher.example',
  ])('refuses %j (RFC 3986 §3.2)', (text) => {
    expect(parseAuthority(text)).toBeNull();
  });
});

describe('groupFields', () => {
  it('groups the lines of a field by its lower-case name, in order', () => {
    const fields = groupFields(['Host', 'a', 'X-One', '1', 'x-one', '2', 'HOST', 'b', 'X-ONE', '3']);
    expect({ ...fields }).toEqual({ host: ['a', 'b'], 'x-one': ['1', '2', '3'] });
  });

  it.each(PROTOTYPE_NAMES)('takes a field named %s for a field', (name) => {
    const lower = name.toLowerCase();
    expect(groupFields([])[lower]).toBeUndefined();
    expect(groupFields([name, '1', name, '2'])[lower]).toEqual(['1', '2']);
  });

  it('leaves out a name without a value', () => {
    expect({ ...groupFields(['Host']) }).toEqual({});
  });
});
