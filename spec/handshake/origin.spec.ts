import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertOriginPolicy, isOriginAllowed, type OriginPolicy } from '../../lib/handshake/origin.ts';
import { arbitraryText, PROTOTYPE_NAMES, requestWith } from '../vectors/handshake.ts';

const request = requestWith();

const isAllowed = (origin: string | undefined, host: string, policy?: OriginPolicy): boolean =>
  isOriginAllowed(origin, host, policy, request);

describe('the same host, by default', () => {
  it.each([
    ['http://example.com', 'example.com'],
    ['https://example.com', 'example.com'],
    ['http://example.com', 'example.com:80'],
    ['https://example.com', 'example.com:443'],
    ['http://example.com:80', 'example.com'],
    ['https://example.com:443', 'example.com'],
    ['http://example.com:8080', 'example.com:8080'],
    ['HTTP://EXAMPLE.com', 'example.COM'],
    ['http://localhost:3000', 'localhost:3000'],
    ['http://127.0.0.1:3000', '127.0.0.1:3000'],
    ['http://[::1]:3000', '[::1]:3000'],
    ['https://[2001:DB8::1]', '[2001:db8::1]:443'],
    ['http://example.com.', 'example.com.'],
    ['https://xn--bcher-kva.example', 'xn--bcher-kva.example'],
  ])('allows %s at %s (§10.2)', (origin, host) => {
    expect(isAllowed(origin, host)).toBe(true);
  });

  it.each([
    ['another host', 'http://evil.com', 'example.com'],
    ['a prefix before the name', 'http://evil-example.com', 'example.com'],
    ['a name that ends in ours', 'http://notexample.com', 'example.com'],
    ['our name within another', 'http://example.com.evil.com', 'example.com'],
    ['a name below ours', 'http://sub.example.com', 'example.com'],
    ['a name above ours', 'http://example.com', 'sub.example.com'],
    ['the name with a closing dot', 'http://example.com.', 'example.com'],
    ['another port', 'http://example.com:8081', 'example.com:8080'],
    ['the default port, at another', 'http://example.com', 'example.com:8080'],
    ['another port, at the default', 'http://example.com:8080', 'example.com'],
    ['the default port of the other scheme', 'http://example.com', 'example.com:443'],
    ['the default port of the other scheme, written', 'http://example.com:443', 'example.com'],
    ['port 0', 'http://example.com:0', 'example.com'],
    ['a port beyond 65535', 'http://example.com:65616', 'example.com'],
    ['null', 'null', 'example.com'],
    ['null, at a host of that name', 'null', 'null'],
    ['nothing', '', 'example.com'],
    ['nothing behind the scheme', 'http://', 'example.com'],
    ['userinfo', 'http://example.com@evil.com', 'example.com'],
    ['userinfo with a password', 'http://example.com:80@evil.com', 'example.com'],
    ['userinfo before our name', 'http://evil.com@example.com', 'example.com'],
    ['no scheme', 'example.com', 'example.com'],
    ['no scheme but slashes', '//example.com', 'example.com'],
    ['no scheme but a colon', '://example.com', 'example.com'],
    ['another scheme', 'ftp://example.com', 'example.com'],
    ['another scheme with a port', 'ftp://example.com:80', 'example.com:80'],
    ['a scheme that a browser never sends', 'ws://example.com', 'example.com'],
    ['an extension of a browser', 'chrome-extension://example.com', 'example.com'],
    ['a file', 'file://', 'example.com'],
    ['a script', 'javascript:http://example.com', 'example.com'],
    ['a path', 'http://example.com/', 'example.com'],
    ['a query', 'http://example.com?', 'example.com'],
    ['a fragment', 'http://example.com#', 'example.com'],
    ['a backslash', 'http:\\\\example.com', 'example.com'],
    ['a backslash behind the name', 'http://evil.com\\@example.com', 'example.com'],
    ['a space', 'http://example.com http://evil.com', 'example.com'],
    ['a list', 'http://evil.com, http://example.com', 'example.com'],
    ['a tab within', 'http://exam\tple.com', 'example.com'],
    ['a line end', 'http://example.com\n', 'example.com'],
    ['a wildcard', 'http://*', 'example.com'],
    ['a percent sign', 'http://ex%61mple.com', 'example.com'],
    ['a full stop of another script', 'http://example\u3002com', 'example.com'],
    ['a letter that only folds to ours', 'http://\u212aelvin.example', 'kelvin.example'],
    ['a scheme that only folds to ours', 'http\u017f://example.com', 'example.com'],
    ['another spelling of an IPv4 address', 'http://127.1', '127.0.0.1'],
    ['another spelling of an IPv6 address', 'http://[0:0:0:0:0:0:0:1]', '[::1]'],
    ['IPv4 within IPv6', 'http://[::ffff:127.0.0.1]', '127.0.0.1'],
    ['an IPv6 address without brackets', 'http://::1', '[::1]'],
    ['any, at a malformed host', 'http://example.com', 'example.com/'],
    ['any, at an empty host', 'http://example.com', ''],
  ])('refuses %s: %j at %j (§10.2)', (_, origin, host) => {
    expect(isAllowed(origin, host)).toBe(false);
  });

  it('allows no text but that of the very host and port (§10.2)', () => {
    const ours = /^https?:\/\/example\.com(:0*(80|443))?:?$/i;
    const nearly = fc.string({
      unit: fc.constantFrom('http://', 'https://', 'example.com', '.', ':', '80', '443', '@', 'evil', '/'),
    });
    fc.assert(
      fc.property(fc.oneof(arbitraryText, nearly), (origin) => {
        fc.pre(!ours.test(origin));
        expect(isAllowed(origin, 'example.com')).toBe(false);
      }),
    );
  });
});

describe('no Origin', () => {
  it.each<[string, OriginPolicy | undefined]>([
    ['no policy', undefined],
    ["'*'", '*'],
    ['a list', ['https://example.com']],
    ['an empty list', []],
    ['a function that refuses all', () => false],
  ])('passes under %s, for no browser sent it (§10.2)', (_, policy) => {
    expect(isAllowed(undefined, 'example.com', policy)).toBe(true);
  });
});

describe("'*'", () => {
  it.each(['http://evil.com', 'null', '', 'not an origin'])('allows %j', (origin) => {
    expect(isAllowed(origin, 'example.com', '*')).toBe(true);
  });
});

describe('a list', () => {
  const list = ['https://example.com', 'http://localhost:5173', 'http://[::1]:80', 'chrome-extension://abcdef'];

  it.each([
    'https://example.com',
    'https://example.com:443',
    'HTTPS://Example.COM',
    'http://localhost:5173',
    'http://[::1]',
    'chrome-extension://abcdef',
  ])('allows %s, which is in it (RFC 6454 §5)', (origin) => {
    expect(isAllowed(origin, 'other.example', list)).toBe(true);
  });

  it.each([
    'http://example.com',
    'https://example.com:8443',
    'https://example.com:80',
    'https://sub.example.com',
    'https://example.com.evil.com',
    'https://evil-example.com',
    'https://example.com@evil.com',
    'https://example.com/',
    'http://localhost',
    'http://localhost:51731',
    'chrome-extension://abcdefg',
    'https://other.example',
    'null',
    '',
    ...PROTOTYPE_NAMES,
  ])('refuses %j, which is not in it', (origin) => {
    expect(isAllowed(origin, 'other.example', list)).toBe(false);
  });

  it('takes the place of the rule of the same host', () => {
    expect(isAllowed('https://other.example', 'other.example', list)).toBe(false);
    expect(isAllowed('https://other.example', 'other.example', [])).toBe(false);
  });

  it("allows 'null' only where it says so", () => {
    expect(isAllowed('null', 'example.com', ['null'])).toBe(true);
    expect(isAllowed('http://null', 'example.com', ['null'])).toBe(false);
    expect(isAllowed('', 'example.com', ['null'])).toBe(false);
  });

  it('lets an entry that is no origin match nothing, not even itself', () => {
    expect(isAllowed('example.com', 'example.com', ['example.com'])).toBe(false);
    expect(isAllowed('', 'example.com', [''])).toBe(false);
  });
});

describe('a function', () => {
  it('is asked with the origin as it was sent, and with the request', () => {
    const asked: unknown[][] = [];
    const policy: OriginPolicy = (...args) => asked.push(args) === 1;
    expect(isAllowed('HTTP://a.example/', 'example.com', policy)).toBe(true);
    expect(isAllowed('http://b.example', 'example.com', policy)).toBe(false);
    expect(asked).toEqual([
      ['HTTP://a.example/', request],
      ['http://b.example', request],
    ]);
  });

  it.each([
    ['a promise of true', Promise.resolve(true)],
    ['a text', 'yes'],
    ['a number', 1],
    ['nothing', undefined],
  ])('does not allow by %s', (_, result) => {
    expect(isAllowed('http://example.com', 'example.com', (() => result) as unknown as OriginPolicy)).toBe(false);
  });
});

describe('assertOriginPolicy', () => {
  it.each<[OriginPolicy | undefined]>([
    [undefined],
    ['*'],
    [() => true],
    [[]],
    [['https://example.com', 'http://localhost:5173', 'http://[::1]:80', 'chrome-extension://abcdef', 'null']],
  ])('takes %j', (policy) => {
    expect(() => assertOriginPolicy(policy)).not.toThrow();
  });

  it.each<[unknown]>([
    ['https://example.com'],
    [true],
    [null],
    [{}],
    [['example.com']],
    [['https://example.com/']],
    [['https://example.com', '']],
    [['https://*.example.com/chat']],
    [['file://']],
    [['*', '//example.com']],
    [[undefined]],
    [[/example/]],
  ])('refuses %j with a TypeError', (policy) => {
    expect(() => assertOriginPolicy(policy as OriginPolicy)).toThrow(TypeError);
  });
});

it.each<[message: string, policy: unknown]>([
  ["origins must be '*', a list of origins, or a function", 5],
  ['origins: "a" is not an origin such as \'https://example.com\'', ['a']],
])('is no policy: %s', (message, policy) => {
  expect(() => assertOriginPolicy(policy as never)).toThrow(message);
});

it.each<[origin: string, allowed: string, is: boolean]>([
  ['a1+b-c.d://host', 'a1+b-c.d://host', true],
  ['1a://host', '1a://host', false],
  ['a_b://host', 'a_b://host', false],
  ['-http://host', '-http://host', false],
  ['http://host:8080', 'https://host:8080', false],
  ['no origin', 'http://host', false],
  ['http://host', 'no origin', false],
])('the origin %s is that of a list with %s: %s (RFC 6454 §6.1)', (origin, allowed, is) => {
  expect(isOriginAllowed(origin, 'other', [allowed], requestWith())).toBe(is);
});
