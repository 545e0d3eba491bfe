import { describe, expect, it } from 'vitest';
import { HandshakeError } from '../../lib/errors.ts';
import { formatRequest, isAcceptance, readResponse } from '../../lib/handshake/client-handshake.ts';
import {
  formatExtendedConnect,
  isConnectionField,
  isExtendedConnect,
  readExtendedConnect,
  readTunnelKind,
} from '../../lib/handshake/extended-connect.ts';
import type { HeaderFields } from '../../lib/handshake/field-grammar.ts';
import { formatResponse, readRequest } from '../../lib/handshake/server-handshake.ts';

const FIELDS: HeaderFields = {
  ':method': ['CONNECT'],
  ':protocol': ['websocket'],
  ':scheme': ['https'],
  ':path': ['/chat'],
  ':authority': ['server.example.com'],
  'sec-websocket-version': ['13'],
};
const request = (fields: HeaderFields = {}, more = {}) => ({
  method: 'CONNECT',
  httpVersion: '2.0',
  url: '/chat',
  headers: { ...FIELDS, ...fields },
  ...more,
});
const noSha1 = (): string => expect.unreachable('there is nothing to hash');

/** The error of a function that throws. */
function thrown(run: () => unknown): HandshakeError {
  try {
    run();
  } catch (error) {
    return error as HandshakeError;
  }
  return expect.unreachable('it did not throw');
}

describe('readTunnelKind (RFC 8441 §4)', () => {
  it.each([
    ['websocket', 'websocket'],
    ['WebSocket', 'websocket'],
    ['WEBSOCKET', 'websocket'],
    ['connect-udp', 'other'],
    ['websocket, websocket', 'other'],
    ['', 'other'],
    [undefined, 'plain'],
  ] as const)('of %o is %s', (protocol, kind) => {
    expect(readTunnelKind(protocol)).toBe(kind);
  });
});

describe('isExtendedConnect', () => {
  it.each<[string, ReturnType<typeof request>, boolean]>([
    ['a CONNECT of HTTP/2 with :protocol', request(), true],
    ['one without', request({ ':protocol': undefined }), false],
    ['a GET', request({}, { method: 'GET' }), false],
    ['HTTP/1.1', request({}, { httpVersion: '1.1' }), false],
  ])('of %s', (_title, asked, expected) => {
    expect(isExtendedConnect(asked)).toBe(expected);
  });
});

describe('readExtendedConnect (RFC 8441 §5)', () => {
  it('gives the authority', () => {
    expect(readExtendedConnect(request())).toBe('server.example.com');
    expect(readExtendedConnect(request({ ':scheme': ['http'], host: ['Server.example.com'] }))).toBe(
      'server.example.com',
    );
  });

  it.each<[string, ReturnType<typeof request>, number]>([
    ['another :protocol (RFC 9220 §3)', request({ ':protocol': ['connect-ip'] }), 501],
    ['several :protocol', request({ ':protocol': ['websocket', 'connect-ip'] }), 501],
    ['no :scheme', request({ ':scheme': undefined }), 400],
    ['another :scheme', request({ ':scheme': ['wss'] }), 400],
    ['no :path', request({}, { url: '' }), 400],
    ['a :path that is none', request({}, { url: '*' }), 400],
    ['a :path with a space', request({}, { url: '/a b' }), 400],
    ['a :path with a fragment (RFC 6455 §3)', request({}, { url: '/a#b' }), 400],
    ['no :authority', request({ ':authority': undefined }), 400],
    ['two :authority', request({ ':authority': ['a', 'b'] }), 400],
    ['an :authority with a user', request({ ':authority': ['me@a'] }), 400],
    ['a Host that is not the :authority (RFC 9113 §8.3.1)', request({ host: ['other.example'] }), 400],
    ['two Hosts', request({ host: ['server.example.com', 'server.example.com'] }), 400],
    ['a Connection field', request({ connection: ['Upgrade'] }), 400],
    ['an Upgrade field', request({ upgrade: ['websocket'] }), 400],
    ['a TE field', request({ te: ['trailers'] }), 400],
  ])('refuses %s', (_title, asked, status) => {
    const error = thrown(() => readExtendedConnect(asked));
    expect(error).toBeInstanceOf(HandshakeError);
    expect([error.status, error.code]).toEqual([status, 'WS_ERR_HANDSHAKE']);
  });
});

describe('readRequest of an extended CONNECT', () => {
  it('reads what it offers, and no key', () => {
    const offers = {
      'sec-websocket-protocol': ['a, b'],
      'sec-websocket-extensions': ['x; y=1'],
      origin: ['https://a'],
    };
    expect(readRequest(request({ ...offers, 'sec-websocket-key': ['nonsense'] }))).toEqual({
      key: undefined,
      host: 'server.example.com',
      origin: 'https://a',
      protocols: ['a', 'b'],
      extensions: [{ name: 'x', params: [{ name: 'y', value: '1' }] }],
    });
  });

  it('demands the version, and refuses another one without an Upgrade field (RFC 6455 §4.4)', () => {
    for (const version of [undefined, ['12'], ['13', '13']]) {
      const error = thrown(() => readRequest(request({ 'sec-websocket-version': version })));
      expect([error.status, error.headers]).toEqual([400, { 'Sec-WebSocket-Version': '13' }]);
    }
  });

  it('refuses a body, and what is no extended CONNECT of HTTP/2', () => {
    expect(thrown(() => readRequest(request({ 'content-length': ['1'] }))).status).toBe(400);
    expect(thrown(() => readRequest(request({ ':protocol': undefined }))).status).toBe(405);
    expect(thrown(() => readRequest(request({}, { method: 'GET' }))).status).toBe(505);
  });
});

describe('the answer to an extended CONNECT (RFC 8441 §5)', () => {
  it('has no Upgrade, Connection or Accept', () => {
    const answer = { key: undefined, protocols: ['a'], protocol: 'a', extensions: 'x', headers: { 'X-Y': 'z' } };
    expect(formatResponse(answer, noSha1)).toEqual([
      ['Sec-WebSocket-Protocol', 'a'],
      ['Sec-WebSocket-Extensions', 'x'],
      ['X-Y', 'z'],
    ]);
  });

  it('is taken with any 2xx (RFC 9110 §9.3.6), and judged like a 101 for the rest', () => {
    const expected = { key: undefined, protocols: ['a'], extensionsOffered: [] };
    const headers = { 'sec-websocket-protocol': ['a'] };
    for (const status of [200, 299]) {
      expect(readResponse({ status, headers }, expected, noSha1)).toEqual({ protocol: 'a', extensions: [] });
    }
    for (const status of [101, 199, 300, 404]) {
      const error = thrown(() => readResponse({ status, headers }, expected, noSha1));
      expect([error.code, error.status]).toEqual(['WS_ERR_HANDSHAKE_REFUSED', status]);
    }
    const alien = { 'sec-websocket-protocol': ['b'] };
    expect(thrown(() => readResponse({ status: 200, headers: alien }, expected, noSha1)).code).toBe('WS_ERR_HANDSHAKE');
    expect([isAcceptance(101, false), isAcceptance(200, false)]).toEqual([true, false]);
  });
});

describe('formatExtendedConnect (RFC 8441 §5)', () => {
  const target = { isSecure: true, path: '/chat?a=b', host: 'server.example.com:444' };

  it('writes the pseudo-header fields first, and all names in lower case', () => {
    const lines = formatRequest({ key: undefined, protocols: ['a'], origin: 'https://a', headers: { 'X-Y': 'z' } });
    expect(formatExtendedConnect(target, lines)).toEqual([
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
      [':scheme', 'https'],
      [':authority', 'server.example.com:444'],
      [':path', '/chat?a=b'],
      ['sec-websocket-version', '13'],
      ['sec-websocket-protocol', 'a'],
      ['origin', 'https://a'],
      ['x-y', 'z'],
    ]);
  });

  it('makes :authority of a Host field, and says http for ws', () => {
    const fields = formatExtendedConnect({ ...target, isSecure: false }, [['HOST', 'other.example']]);
    expect(fields.slice(2)).toEqual([
      [':scheme', 'http'],
      [':authority', 'other.example'],
      [':path', '/chat?a=b'],
    ]);
  });

  it('throws a TypeError for a field that HTTP/2 has not (RFC 9113 §8.2.2)', () => {
    for (const name of ['Connection', 'keep-alive', 'TE']) {
      expect(isConnectionField(name)).toBe(true);
      expect(() => formatExtendedConnect(target, [[name, 'x']])).toThrow(TypeError);
    }
    expect(isConnectionField('x-connection')).toBe(false);
  });
});
