import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { resolveUpgradeOptions, type UpgradeOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { Refusal, refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import {
  type Admission,
  type Agreement,
  describeRequest,
  negotiate,
  sha1,
} from '../../../lib/endpoint/upgrade/upgrade-request.ts';
import { ACCEPT, KEY } from '../../vectors/handshake.ts';

type Lines = Readonly<Record<string, string | undefined>>;

function messageWith(fields: Lines = {}, line: Partial<Pick<IncomingMessage, 'method' | 'url' | 'httpVersion'>> = {}) {
  const message = new IncomingMessage(new Socket());
  const all: Lines = {
    Host: 'example.com',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...fields,
  };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) message.rawHeaders.push(name, value);
  return Object.assign(message, { method: 'GET', url: '/chat?room=1', httpVersion: '1.1', ...line });
}

const judge = (message: IncomingMessage, options: UpgradeOptions = {}, admit?: Admission) =>
  negotiate(message, describeRequest(message, message.socket), resolveUpgradeOptions(options), admit);

async function statusOf(...args: Parameters<typeof judge>): Promise<number> {
  const result = await judge(...args);
  return result instanceof Refusal ? result.status : 101;
}

describe('negotiate', () => {
  it('agrees to a request that is in order, with what the 101 says (§4.2.2)', async () => {
    expect(await judge(messageWith())).toMatchObject({
      lines: [
        ['Upgrade', 'websocket'],
        ['Connection', 'Upgrade'],
        ['Sec-WebSocket-Accept', ACCEPT],
      ],
      protocol: '',
      request: { url: '/chat?room=1', httpVersion: '1.1', protocols: [] },
      context: undefined,
    });
  });

  it.each<[string, boolean, UpgradeOptions]>([
    ['at once where nobody is to be asked', false, {}],
    ['at once by a list of origins', false, { origins: ['https://example.com'] }],
    ['with a promise where authorize is', true, { authorize: () => 1 }],
    ['with a promise where selectProtocol is', true, { selectProtocol: () => undefined }],
    ['with a promise where responseHeaders is', true, { responseHeaders: () => ({}) }],
    ['with a promise where a function for origins is', true, { origins: () => true }],
  ])('judges %s', async (_title, isPromise, options) => {
    const result = judge(messageWith({ Origin: 'https://example.com' }), options);
    expect(result instanceof Promise).toBe(isPromise);
    expect(await result).not.toBeInstanceOf(Refusal);
  });

  it.each<[string, number, IncomingMessage]>([
    ['another method', 405, messageWith({}, { method: 'POST' })],
    ['HTTP/1.0', 400, messageWith({}, { httpVersion: '1.0' })],
    ['a fragment in the target', 400, messageWith({}, { url: '/a#b' })],
    ['an absolute target', 400, messageWith({}, { url: 'http://example.com/' })],
    ['no target', 400, messageWith({}, { url: undefined as unknown as string })],
    ['no Host', 400, messageWith({ Host: undefined })],
    ['no Upgrade', 426, messageWith({ Upgrade: undefined })],
    ['a bad key', 400, messageWith({ 'Sec-WebSocket-Key': 'short' })],
    ['another version', 426, messageWith({ 'Sec-WebSocket-Version': '8' })],
    ['a body', 400, messageWith({ 'Content-Length': '5' })],
  ])('refuses %s with %i (§4.2.1)', async (_title, status, message) => {
    expect(await statusOf(message)).toBe(status);
  });

  it('takes a head of exactly maxHeaderBytes, and answers 431 to one more', async () => {
    const message = messageWith();
    const text = message.rawHeaders.reduce((sum, part, at) => sum + part + (at % 2 === 0 ? ': ' : '\r\n'), '');
    const maxHeaderBytes = `GET /chat?room=1 HTTP/1.1\r\n${text}\r\n`.length;
    expect(await statusOf(message, { maxHeaderBytes })).toBe(101);
    expect(await statusOf(message, { maxHeaderBytes: maxHeaderBytes - 1 })).toBe(431);
  });

  it('asks the further question only of a request that is in order, and before the caller is asked', async () => {
    const admit = vi.fn(() => refuse(404));
    const authorize = vi.fn();
    expect(await statusOf(messageWith({ Host: undefined }), {}, admit)).toBe(400);
    expect(admit).not.toHaveBeenCalled();
    expect(await statusOf(messageWith(), { authorize }, admit)).toBe(404);
    expect(authorize).not.toHaveBeenCalled();
  });
});

describe('origins', () => {
  it.each<[string, string | undefined, UpgradeOptions['origins'], number]>([
    ['no Origin, as no browser sends it', undefined, undefined, 101],
    ['no Origin, whatever the list says', undefined, [], 101],
    ['the own host', 'http://example.com', undefined, 101],
    ['the own host over TLS', 'https://example.com', undefined, 101],
    ['a foreign page', 'https://evil.example', undefined, 403],
    ['a suffix trick', 'https://example.com.evil.example', undefined, 403],
    ['userinfo before the host', 'https://example.com@evil.example', undefined, 403],
    ['another port', 'http://example.com:8080', undefined, 403],
    ['null', 'null', undefined, 403],
    ['anything, where all may connect', 'null', '*', 101],
    ['one of the list', 'https://a.example', ['https://a.example'], 101],
    ['one that is not in the list', 'http://example.com', ['https://a.example'], 403],
    ['one that a function allows', 'https://a.example', () => true, 101],
    ['one that a function allows later', 'https://a.example', async () => true, 101],
    ['one that a function does not allow', 'http://example.com', () => false, 403],
    ['one that a function does not allow later', 'http://example.com', async () => false, 403],
    ['one for which a function gives something true-like', 'http://example.com', (() => 'yes') as never, 403],
  ])('judges %s: %s', async (_title, Origin, origins, status) => {
    expect(await statusOf(messageWith({ Origin }), { origins })).toBe(status);
  });

  it('gives the function the origin and the request', async () => {
    const origins = vi.fn(() => true);
    await judge(messageWith({ Origin: 'https://a.example' }), { origins });
    expect(origins).toHaveBeenCalledWith('https://a.example', expect.objectContaining({ url: '/chat?room=1' }));
  });
});

describe('authorize', () => {
  it('makes the context of what it returns or promises', async () => {
    const user = { name: 'ada' };
    expect(await judge(messageWith(), { authorize: () => user })).toMatchObject({ context: user });
    expect(await judge(messageWith(), { authorize: async () => user })).toMatchObject({ context: user });
    expect(await judge(messageWith(), { authorize: () => false })).toMatchObject({ context: false });
  });

  it('refuses with what refuse() makes, returned or thrown', async () => {
    expect(await statusOf(messageWith(), { authorize: () => refuse(401) })).toBe(401);
    expect(await statusOf(messageWith(), { authorize: async () => refuse(402) })).toBe(402);
    const thrower = () => {
      throw refuse(407);
    };
    expect(await statusOf(messageWith(), { authorize: thrower })).toBe(407);
  });

  it('sees url, headers, remoteAddress, protocols and httpVersion, and nothing of the socket', async () => {
    const authorize = vi.fn();
    await judge(messageWith({ 'Sec-WebSocket-Protocol': 'a, b' }), { authorize });
    const request = authorize.mock.calls[0]?.[0];
    expect(Object.keys(request).sort()).toEqual(['headers', 'httpVersion', 'protocols', 'remoteAddress', 'url']);
    expect(request.protocols).toEqual(['a', 'b']);
  });

  const thrower = (): never => {
    throw new Error('oops');
  };
  it.each<[string, UpgradeOptions]>([
    ['authorize throws', { authorize: thrower }],
    ['authorize rejects', { authorize: async () => thrower() }],
    ['authorize throws undefined', { authorize: () => Promise.reject(undefined) }],
    ['the function of the origins throws', { origins: thrower }],
    ['selectProtocol throws', { selectProtocol: thrower }],
    ['selectProtocol chooses what was not offered', { selectProtocol: () => 'other' }],
    ['responseHeaders throws', { responseHeaders: thrower }],
    ['responseHeaders break out of their line', { responseHeaders: () => ({ 'X-A': 'a\r\nB: c' }) }],
    ['responseHeaders have a name that is no token', { responseHeaders: () => ({ 'X A': 'a' }) }],
    ['responseHeaders overwrite the handshake', { responseHeaders: () => ({ 'Sec-WebSocket-Accept': 'x' }) }],
    ['a HandshakeError of another connection is thrown', { authorize: () => Promise.reject(new TypeError('x')) }],
  ])('is a 500 where %s', async (_title, options) => {
    const message = messageWith({ Origin: 'http://example.com', 'Sec-WebSocket-Protocol': 'a' });
    expect(await statusOf(message, options)).toBe(500);
  });
});

describe('the subprotocol', () => {
  it.each<[string, string | undefined, UpgradeOptions, string]>([
    ['is none where none is spoken', 'a, b', {}, ''],
    ['is the one that the server likes best', 'a, b', { protocols: ['c', 'b', 'a'] }, 'b'],
    ['is none where they have none in common', 'a', { protocols: ['b'] }, ''],
    ['is what selectProtocol says', 'a, b', { selectProtocol: (offered) => offered[1] }, 'b'],
    ['is what selectProtocol promises', 'a, b', { selectProtocol: async () => 'a' }, 'a'],
    ['is none where selectProtocol gives nothing', 'a', { selectProtocol: () => undefined }, ''],
    ['is none where selectProtocol gives null', 'a', { selectProtocol: () => null }, ''],
    ['is none, without a question, where none is offered', undefined, { selectProtocol: () => 'a' }, ''],
  ])('%s (§4.2.2)', async (_title, offered, options, chosen) => {
    const result = await judge(messageWith({ 'Sec-WebSocket-Protocol': offered }), options);
    expect(result).toMatchObject({ protocol: chosen });
    const names = (result as Agreement).lines.map(([name]) => name);
    expect(names.includes('Sec-WebSocket-Protocol')).toBe(chosen !== '');
  });
});

describe('responseHeaders', () => {
  it.each<[string, UpgradeOptions['responseHeaders']]>([
    ['an object', () => ({ 'X-Server': 'wspipe' })],
    ['Headers', () => new Headers({ 'X-Server': 'wspipe' })],
    ['a promise', async () => ({ 'X-Server': 'wspipe' })],
  ])('may be %s', async (_title, responseHeaders) => {
    const { lines } = (await judge(messageWith(), { responseHeaders })) as Agreement;
    expect(lines.map(([name, value]) => `${name?.toLowerCase()}: ${value}`)).toContain('x-server: wspipe');
  });

  it('may be nothing', async () => {
    expect(await statusOf(messageWith(), { responseHeaders: () => undefined })).toBe(101);
  });
});

describe('sha1', () => {
  it('answers the sample of the RFC (§1.3)', () => {
    expect(sha1(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)).toBe(ACCEPT);
  });
});
