import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandshakeError } from '../../lib/errors.ts';
import { parseExtensions } from '../../lib/handshake/field-grammar.ts';
import {
  formatResponse,
  type HandshakeRequest,
  readRequest,
  type ServerHandshake,
  selectProtocol,
} from '../../lib/handshake/server-handshake.ts';
import {
  ACCEPT,
  arbitraryText,
  arbitraryToken,
  type Fields,
  HOSTILE_TEXTS,
  KEY,
  PROTOTYPE_NAMES,
  requestWith,
  sha1,
} from '../vectors/handshake.ts';

/** Reads a request that must be refused, and gives the refusal. */
function refusalOf(request: HandshakeRequest): HandshakeError {
  try {
    readRequest(request);
  } catch (error) {
    if (error instanceof HandshakeError) return error;
    throw error;
  }
  throw new Error('the request was not refused');
}

const statusOf = (fields: Fields, line?: Partial<HandshakeRequest>): number =>
  refusalOf(requestWith(fields, line)).status;

const keyOf = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64');

describe('readRequest', () => {
  it("reads the RFC's own example (§1.3)", () => {
    const fields = {
      host: 'server.example.com',
      origin: 'http://example.com',
      'sec-websocket-protocol': 'chat, superchat',
    };
    expect(readRequest(requestWith(fields))).toEqual<ServerHandshake>({
      key: KEY,
      host: 'server.example.com',
      origin: 'http://example.com',
      protocols: ['chat', 'superchat'],
      extensions: [],
    });
  });

  it('needs no origin, no subprotocols and no extensions (§4.2.1)', () => {
    const { origin, protocols, extensions } = readRequest(requestWith());
    expect({ origin, protocols, extensions }).toEqual({ origin: undefined, protocols: [], extensions: [] });
  });

  it.each<[what: string, fields: Fields]>([
    ['Upgrade in mixed case', { upgrade: 'WebSocket' }],
    ['Upgrade among other protocols', { upgrade: 'h2c, HTTP/2.0 ,WEBSOCKET' }],
    ['Upgrade on several lines', { upgrade: ['h2c', 'websocket'] }],
    ['Connection: keep-alive, Upgrade', { connection: 'keep-alive, Upgrade' }],
    ['Connection in mixed case', { connection: 'UPGRADE' }],
    ['Connection on several lines', { connection: ['keep-alive', 'upgrade'] }],
    ['Connection with empty elements', { connection: ', ,upgrade,' }],
    ['space around the version', { 'sec-websocket-version': ' \t13 ' }],
    ['space around the key', { 'sec-websocket-key': `\t${KEY} ` }],
    ['an empty body', { 'content-length': '0' }],
    ['Latin-1 in a field of no concern', { cookie: 'caf\u00e9', 'x-a': '\u00ff' }],
    ['a Host with a port', { host: '[::1]:8080' }],
  ])('takes %s (§4.2.1)', (_, fields) => {
    expect(readRequest(requestWith(fields)).key).toBe(KEY);
  });

  it.each(['/', '/chat?a=1&b=%23', '//chat', '/a:b@c', '/?', "/'{|}~\\"])('takes the target %s (§3)', (url) => {
    expect(readRequest(requestWith({}, { url })).key).toBe(KEY);
  });

  it('tells why it refuses, as a breach of the handshake', () => {
    const error = refusalOf(requestWith({ 'sec-websocket-key': undefined }));
    expect(error).toMatchObject({ code: 'WS_ERR_HANDSHAKE', status: 400, headers: {}, body: undefined });
    expect(error.message).toMatch(/Sec-WebSocket-Key/);
  });
});

describe('the request line', () => {
  it.each(['POST', 'HEAD', 'CONNECT', 'OPTIONS', 'get', ''])('refuses the method %j with 405 (§4.2.1)', (method) => {
    expect(refusalOf(requestWith({}, { method }))).toMatchObject({ status: 405, headers: { Allow: 'GET' } });
  });

  it('refuses HTTP/1.0 with 400: the request is wrong, its major version is not (§4.2.1)', () => {
    expect(statusOf({}, { httpVersion: '1.0' })).toBe(400);
  });

  it.each(['0.9', '2.0', '3', '11.1', ''])('refuses HTTP/%s with 505, which has no Upgrade (§4.2.1)', (httpVersion) => {
    expect(statusOf({}, { httpVersion })).toBe(505);
  });

  it('takes a higher minor version (§4.2.1)', () => {
    expect(readRequest(requestWith({}, { httpVersion: '1.2' })).key).toBe(KEY);
  });

  it.each<[form: string, url: string]>([
    ['in absolute form', 'http://example.com/chat'],
    ['in absolute form with ws', 'ws://example.com/chat'],
    ['in authority form', 'example.com:80'],
    ['that is an asterisk', '*'],
    ['that is empty', ''],
    ['without a slash', 'chat'],
    ['that is only a query', '?a=1'],
    ['with a fragment', '/chat#a'],
    ['with an empty fragment', '/chat#'],
    ['that is only a fragment', '#'],
    ['with a fragment behind a query', '/chat?a=1#b'],
    ['with a space', '/chat a'],
    ['with a tab', '/chat\ta'],
    ['with a line end', '/chat\r\nX-A: 1'],
    ['with a line end at the end', '/chat\n'],
    ['with NUL', '/chat\0'],
    ['beyond ASCII', '/caf\u00e9'],
  ])('refuses a target %s with 400 (§3, §4.2.1)', (_, url) => {
    expect(statusOf({}, { url })).toBe(400);
  });
});

describe('the fields that make it a handshake', () => {
  it.each<[what: string, fields: Fields]>([
    ['no Host', { host: undefined }],
    ['two Hosts', { host: ['example.com', 'evil.com'] }],
    ['the same Host twice', { host: ['example.com', 'example.com'] }],
    ['an empty Host', { host: '' }],
    ['a Host with a path', { host: 'example.com/chat' }],
    ['a Host with userinfo', { host: 'user@example.com' }],
    ['a Host with a list', { host: 'example.com, evil.com' }],
    ['a malformed Upgrade', { upgrade: 'websocket;' }],
    ['an Upgrade with obs-fold', { upgrade: 'h2c,\r\n websocket' }],
    ['no Connection', { connection: undefined }],
    ['an empty Connection', { connection: '' }],
    ['a Connection that keeps alive only', { connection: 'keep-alive' }],
    ['a Connection with Upgrade inside a longer token', { connection: 'no-upgrade' }],
    ['a malformed Connection', { connection: 'upgrade; now' }],
    ['a Connection with obs-fold', { connection: 'keep-alive,\r\n Upgrade' }],
    ['a body by Content-Length', { 'content-length': '5' }],
    ['two Content-Lengths', { 'content-length': ['0', '0'] }],
    ['a Content-Length that is no number', { 'content-length': '+0' }],
    ['a body by Transfer-Encoding', { 'transfer-encoding': 'chunked' }],
    ['two Origins', { origin: ['http://example.com', 'http://example.com'] }],
  ])('refuse %s with 400 (§4.2.1)', (_, fields) => {
    expect(statusOf(fields)).toBe(400);
  });

  it.each<[what: string, upgrade: string | undefined]>([
    ['no Upgrade', undefined],
    ['an empty Upgrade', ''],
    ['an Upgrade to something else', 'h2c'],
    ['an Upgrade to a version of websocket', 'websocket/13'],
    ['an Upgrade to a longer name', 'websockets'],
  ])('ask for WebSocket with 426 where there is %s (RFC 9110 §15.5.22)', (_, upgrade) => {
    const headers = { Upgrade: 'websocket', Connection: 'Upgrade' };
    expect(refusalOf(requestWith({ upgrade }))).toMatchObject({ status: 426, headers });
  });

  it('hand the Origin over as it was sent, an empty one too', () => {
    expect(readRequest(requestWith({ origin: 'HTTP://Example.com' })).origin).toBe('HTTP://Example.com');
    expect(readRequest(requestWith({ origin: 'null' })).origin).toBe('null');
    expect(readRequest(requestWith({ origin: '' })).origin).toBe('');
  });
});

describe('Sec-WebSocket-Version', () => {
  it.each<[version: string | readonly string[] | undefined]>([
    [undefined],
    [''],
    ['8'],
    ['0'],
    ['12'],
    ['14'],
    ['130'],
    ['013'],
    ['+13'],
    ['13.0'],
    ['0xd'],
    ['"13"'],
    ['13, 8'],
    ['8, 13'],
    ['13,'],
    ['13;'],
    ['1 3'],
    ['13\u00a0'],
    ['13\r\n'],
    [['13', '13']],
    [['13', '8']],
    ...PROTOTYPE_NAMES.map((name): [string] => [name]),
  ])('refuses %j with 426 and tells the version (§4.2.2, §4.4, §11.3.5)', (version) => {
    const headers = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Version': '13' };
    expect(refusalOf(requestWith({ 'sec-websocket-version': version }))).toMatchObject({ status: 426, headers });
  });

  it('is judged before the key, which other versions do not have (§4.2.2)', () => {
    expect(statusOf({ 'sec-websocket-version': '0', 'sec-websocket-key': undefined })).toBe(426);
  });
});

describe('Sec-WebSocket-Key', () => {
  it.each<[what: string, key: string | readonly string[] | undefined]>([
    ['no key', undefined],
    ['an empty key', ''],
    ['a key of 15 bytes', keyOf(15)],
    ['a key of 17 bytes', keyOf(17)],
    ['a key of 16 bytes that is not canonical', KEY.replace('ZQ==', 'ZR==')],
    ['a key without its padding', KEY.replace('==', '')],
    ['a key in the URL alphabet', '____________________-w=='],
    ['a key in quotes', `"${KEY}"`],
    ['a key with something behind', `${KEY}, a`],
    ['the same key twice', [KEY, KEY]],
    ['two keys', [KEY, keyOf(16)]],
  ])('refuses %s with 400 (§4.2.1, §11.3.1)', (_, key) => {
    expect(statusOf({ 'sec-websocket-key': key })).toBe(400);
  });

  it('takes any 16 bytes (§4.2.1)', () => {
    expect(readRequest(requestWith({ 'sec-websocket-key': keyOf(16) })).key).toBe(keyOf(16));
  });
});

describe('Sec-WebSocket-Protocol', () => {
  it.each<[lines: string | readonly string[], protocols: string[]]>([
    ['chat', ['chat']],
    [' chat ,\tsuperchat ', ['chat', 'superchat']],
    [
      ['a', 'b, c', 'd'],
      ['a', 'b', 'c', 'd'],
    ],
    [',a,,b,', ['a', 'b']],
    ['chat, Chat', ['chat', 'Chat']],
    [PROTOTYPE_NAMES, [...PROTOTYPE_NAMES]],
  ])('offers with %j the subprotocols %j (§4.1)', (lines, protocols) => {
    expect(readRequest(requestWith({ 'sec-websocket-protocol': lines })).protocols).toEqual(protocols);
  });

  it.each<[what: string, lines: string | readonly string[]]>([
    ['no element', ''],
    ['only empty elements', ', ,'],
    ['a space within', 'a b'],
    ['a separator', 'a/b'],
    ['a quoted string', '"chat"'],
    ['a sign beyond ASCII', 'caf\u00e9'],
    ['obs-fold', 'a,\r\n b'],
    ['a subprotocol twice', 'chat, chat'],
    ['a subprotocol twice, on two lines', ['a, b', 'b']],
    ['__proto__ twice', '__proto__, __proto__'],
  ])('refuses %s with 400 (§4.1)', (_, lines) => {
    expect(statusOf({ 'sec-websocket-protocol': lines })).toBe(400);
  });
});

describe('Sec-WebSocket-Extensions', () => {
  it('offers what is in it, from all lines, the same extension several times (§9.1)', () => {
    const lines = ['a; b="c", d', 'a; b'];
    expect(readRequest(requestWith({ 'sec-websocket-extensions': lines })).extensions).toEqual(parseExtensions(lines));
  });

  it.each(PROTOTYPE_NAMES)('offers an extension %s with a parameter of that name (§9.1)', (name) => {
    const [offer] = readRequest(requestWith({ 'sec-websocket-extensions': `${name};${name}=1` })).extensions;
    expect(offer).toEqual({ name, params: [{ name, value: '1' }] });
  });

  it.each(['', ',', 'a;', 'a; b=', 'a; b="c d"', 'a; b="c', 'caf\u00e9', 'a;\r\n b'])(
    'refuses %j with 400 (§9.1)',
    (line) => {
      expect(statusOf({ 'sec-websocket-extensions': line })).toBe(400);
    },
  );
});

describe('hostile requests', () => {
  const NAMES = ['host', 'upgrade', 'connection', 'origin', 'sec-websocket-key', 'sec-websocket-version'];
  const LISTS = ['sec-websocket-protocol', 'sec-websocket-extensions'];

  it.each(Object.keys(HOSTILE_TEXTS))('are read or refused, in whichever field 64 KiB of %s stand', (text) => {
    for (const name of [...NAMES, ...LISTS]) {
      const request = requestWith({ [name]: HOSTILE_TEXTS[text]!(65_536) });
      // Of these fields, only the origin (not judged here) and the lists may hold as much.
      if (name === 'origin' || LISTS.includes(name)) expect(readOrRefuse(request)).toBe(true);
      else expect([400, 426]).toContain(refusalOf(request).status);
    }
  });

  function readOrRefuse(request: HandshakeRequest): boolean {
    try {
      readRequest(request);
    } catch (error) {
      return error instanceof HandshakeError && error.status >= 400 && error.status < 600;
    }
    return true;
  }

  it('throw nothing but HandshakeError, whatever their fields hold (§4.2.1)', () => {
    const lines = fc.option(fc.array(arbitraryText, { maxLength: 3 }), { nil: undefined, freq: 20 });
    const fields = fc.dictionary(fc.constantFrom(...NAMES, ...LISTS, 'content-length', 'transfer-encoding'), lines);
    fc.assert(
      fc.property(fields, (fields) => {
        expect(readOrRefuse(requestWith(fields))).toBe(true);
      }),
    );
  });

  it('throw nothing but HandshakeError, whatever their request line holds (§4.2.1)', () => {
    const line = fc.record(
      { method: arbitraryText, httpVersion: arbitraryText, url: arbitraryText },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(line, (line) => {
        expect(readOrRefuse(requestWith({}, line))).toBe(true);
      }),
    );
  });
});

describe('selectProtocol', () => {
  it.each<[offered: string[], preferred: string[], chosen: string | undefined]>([
    [['a', 'b'], ['b', 'a'], 'b'],
    [['a', 'b'], ['c', 'a'], 'a'],
    [['a', 'b'], ['c'], undefined],
    [['a'], [], undefined],
    [[], ['a'], undefined],
    [['Chat'], ['chat'], undefined],
  ])('chooses for %j from %j: %j (§4.2.2)', (offered, preferred, chosen) => {
    expect(selectProtocol(offered, preferred)).toBe(chosen);
  });

  it.each(PROTOTYPE_NAMES)('does not take %s for offered, or for known, where it is not (§4.2.2)', (name) => {
    expect(selectProtocol(['chat'], [name])).toBeUndefined();
    expect(selectProtocol([name], ['chat'])).toBeUndefined();
    expect(selectProtocol([name], [name])).toBe(name);
  });
});

describe('formatResponse', () => {
  it('writes the least that accepts a handshake (§4.2.2)', () => {
    expect(formatResponse({ key: KEY, protocols: ['chat'] }, sha1)).toEqual([
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Accept', ACCEPT],
    ]);
  });

  it('writes the subprotocol, the extensions, and then the further fields (§4.2.2)', () => {
    const answer = { key: KEY, protocols: ['chat', 'superchat'], protocol: 'superchat', extensions: 'a; b=1' };
    const headers = { 'Set-Cookie': ['a=1', 'b=2'] };
    expect(formatResponse({ ...answer, headers }, sha1).slice(3)).toEqual([
      ['Sec-WebSocket-Protocol', 'superchat'],
      ['Sec-WebSocket-Extensions', 'a; b=1'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
  });

  it.each<[what: string, answer: object]>([
    ['a subprotocol that was not offered', { protocol: 'other' }],
    ['a subprotocol in another case', { protocol: 'Chat' }],
    ['an empty subprotocol', { protocol: '' }],
    ['a subprotocol that is no token, though "offered"', { protocol: 'a\r\nb', protocols: ['a\r\nb'] }],
    ['malformed extensions', { extensions: 'a;' }],
    ['empty extensions', { extensions: '' }],
    ['extensions with a line end', { extensions: 'a\r\nX-B: 1' }],
    ['a field with a line end', { headers: { 'X-A': '1\r\nX-B: 1' } }],
    ['a field of its own', { headers: { 'sec-websocket-accept': ACCEPT } }],
  ])('refuses %s with a TypeError (§4.2.2)', (_, answer) => {
    expect(() => formatResponse({ key: KEY, protocols: ['chat'], ...answer }, sha1)).toThrow(TypeError);
  });

  it.each(PROTOTYPE_NAMES)('answers with the subprotocol %s only where it was offered (§4.2.2)', (protocol) => {
    const format = (protocols: string[]): unknown => formatResponse({ key: KEY, protocols, protocol }, sha1)[3];
    expect(() => format(['chat'])).toThrow(TypeError);
    expect(format([protocol])).toEqual(['Sec-WebSocket-Protocol', protocol]);
  });

  it('takes any offered subprotocol (§4.2.2)', () => {
    fc.assert(
      fc.property(fc.uniqueArray(arbitraryToken, { minLength: 1 }), fc.nat(), (protocols, at) => {
        const protocol = protocols[at % protocols.length]!;
        const lines = formatResponse({ key: KEY, protocols, protocol }, sha1);
        expect(lines.at(-1)).toEqual(['Sec-WebSocket-Protocol', protocol]);
      }),
    );
  });
});
