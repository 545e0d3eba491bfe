import { Agent } from 'node:https';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import type { ConnectOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import { sha1 } from '../../../lib/endpoint/upgrade/upgrade-request.ts';
import { computeAccept } from '../../../lib/handshake/accept-key.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { boundServer, byteServer, httpServer, until } from '../../support/endpoints.ts';
import { ByteCollector, portOf } from '../../support/sockets.ts';

type Fields = Readonly<Record<string, string | undefined>>;

/** A server that answers each handshake with these fields, and keeps the heads of the requests. */
async function answering(fields: Fields = {}, behind: Uint8Array = Buffer.alloc(0)) {
  const heads: string[] = [];
  const { port } = await byteServer(async (socket) => {
    const head = String(await new ByteCollector(socket).readThrough('\r\n\r\n'));
    heads.push(head);
    const key = /^Sec-WebSocket-Key: (.*)$/m.exec(head)?.[1]?.trim() ?? '';
    const accept = computeAccept(key, sha1);
    const all: Fields = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': accept, ...fields };
    const lines = Object.entries(all).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}: ${value}\r\n`],
    );
    socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 101 Hi\r\n${lines.join('')}\r\n`), behind]));
  });
  return { heads, port, url: `ws://127.0.0.1:${port}/` };
}

/** A server that redirects each path as the map says; what is not there is a 404. */
async function redirecting(map: Readonly<Record<string, string>>, status = 302) {
  const requests: { url: string; headers: NodeJS.Dict<string | string[]> }[] = [];
  const { port } = await httpServer();
  const { server, port: own } = await httpServer();
  server.on('upgrade', (request, socket) => {
    const { url = '', headers } = request;
    requests.push({ url, headers });
    const location = map[url]?.replace('OTHER', String(port)).replace('SELF', String(own));
    socket.on('error', () => {});
    socket.end(
      location === undefined
        ? 'HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n'
        : `HTTP/1.1 ${status} Moved\r\nConnection: close\r\nLocation: ${location}\r\n\r\n`,
    );
  });
  return { requests, url: `ws://127.0.0.1:${own}` };
}

describe('connect', () => {
  it('opens a connection, and tells what the server said (§4.1)', async () => {
    const { url, heads } = await answering({ 'X-Server': 'none', 'Sec-WebSocket-Protocol': 'b' });
    const connection = await connect(url, {
      protocols: ['a', 'b'],
      origin: 'https://a.example',
      headers: { 'X-A': '1', 'X-B': ['2', '3'] },
    });
    expect(connection).toMatchObject({ role: 'client', isServer: false, protocol: 'b', extensions: '' });
    expect(connection.response).toMatchObject({ status: 101, headers: { 'x-server': 'none' } });
    const lines =
      heads[0]
        ?.trim()
        .split('\r\n')
        .map((line) => line.replace(/^(Sec-WebSocket-Key: ).*/, '$1…')) ?? [];
    expect(lines).toEqual([
      'GET / HTTP/1.1',
      `Host: ${new URL(url).host}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Key: …',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: a, b',
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
      'Origin: https://a.example',
      'X-A: 1',
      'X-B: 2',
      'X-B: 3',
    ]);
    connection.forceClose();
  });

  it('keeps frames that came in one packet with the 101', async () => {
    const { url } = await answering({}, Buffer.from('\x81\x03one\x81\x03two', 'latin1'));
    const connection = await connect(url);
    expect((await connection.recvFrame())?.payloadText()).toBe('one');
    expect((await connection.recvFrame())?.payloadText()).toBe('two');
    connection.forceClose();
  });

  it('sends the user and password of the URL, unless the caller has an Authorization of his own', async () => {
    const { url, heads } = await answering();
    const withUser = url.replace('ws://', 'ws://ada:x@');
    for (const headers of [{}, { authorization: 'Bearer y', host: 'other.example' }]) {
      (await connect(withUser, { headers })).forceClose();
    }
    expect(heads[0]).toContain('Authorization: Basic YWRhOng=\r\n');
    expect(heads[1]).toContain('authorization: Bearer y\r\n');
    expect(heads[1]?.match(/^(host|authorization):/gim)).toHaveLength(2);
  });

  it('asks with a fresh key each time (§4.1)', async () => {
    const { url, heads } = await answering();
    for (let round = 0; round < 3; round++) (await connect(url)).forceClose();
    expect(new Set(heads.map((head) => /Key: (.*)/.exec(head)?.[1])).size).toBe(3);
  });

  it('leaves no listener, timer or signal behind', async () => {
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, 'removeEventListener');
    const { url } = await answering();
    const connection = await connect(url, { signal });
    expect(remove).toHaveBeenCalledTimes(1);
    connection.forceClose();
    await connection.closeInfo;
  });

  it.each<[string, unknown, ConnectOptions | undefined]>([
    ['a URL that is none', 'nowhere', undefined],
    ['a fragment', 'ws://a.example/#x', undefined],
    ['a protocol with a space', 'ws://127.0.0.1:1/', { protocols: ['a b'] }],
    ['a protocol twice', 'ws://127.0.0.1:1/', { protocols: ['a', 'a'] }],
    ['a line break in a field', 'ws://127.0.0.1:1/', { headers: { 'X-A': 'a\r\nB: c' } }],
    ['a field of the handshake', 'ws://127.0.0.1:1/', { headers: { Upgrade: 'h2c' } }],
    ['an origin with a line break', 'ws://127.0.0.1:1/', { origin: 'a\r\nB: c' }],
    ['options that are none', 'ws://127.0.0.1:1/', 5 as never],
  ])('rejects with a TypeError for %s, before anything is opened', async (_title, url, options) => {
    await expect(connect(url as string, options)).rejects.toThrow(TypeError);
  });

  it.each<[string, Fields]>([
    ['no Upgrade', { Upgrade: undefined }],
    ['another Upgrade', { Upgrade: 'h2c' }],
    ['no Connection', { Connection: undefined }],
    ['an accept value that answers another key', { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }],
    ['no accept value', { 'Sec-WebSocket-Accept': undefined }],
    ['a protocol that was not offered', { 'Sec-WebSocket-Protocol': 'chat' }],
    ['an extension that was not offered', { 'Sec-WebSocket-Extensions': 'mux' }],
  ])('rejects a 101 with %s (§4.1)', async (_title, fields) => {
    const { url } = await answering(fields);
    await expect(connect(url)).rejects.toMatchObject({ name: 'HandshakeError', code: 'WS_ERR_HANDSHAKE', status: 101 });
  });

  it('rejects a refusal with its status, fields and body', async () => {
    const authorize = () => refuse(401, { headers: { 'WWW-Authenticate': 'Basic' }, body: 'who?' });
    const { port } = await boundServer({ authorize });
    await expect(connect(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({
      name: 'HandshakeError',
      code: 'WS_ERR_HANDSHAKE_REFUSED',
      status: 401,
      headers: { 'www-authenticate': 'Basic' },
      body: 'who?',
    });
  });

  it("rejects with the system's error where nobody listens", async () => {
    const { server, port } = await byteServer(() => {});
    await new Promise((resolve) => server.close(resolve));
    await expect(connect(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await expect(connect('ws+unix:///nowhere/at/all.sock')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('rejects with an AbortError, also where the signal was aborted before', async () => {
    const { port } = await byteServer(() => {});
    const url = `ws://127.0.0.1:${port}`;
    await expect(connect(url, { signal: AbortSignal.abort('no') })).rejects.toMatchObject({
      name: 'AbortError',
      cause: 'no',
    });
    await expect(connect(url, { signal: AbortSignal.timeout(10) })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('rejects with a HandshakeError where the server is too slow', async () => {
    const { port } = await byteServer(() => {});
    await expect(connect(`ws://127.0.0.1:${port}`, { handshakeTimeoutMs: 20 })).rejects.toMatchObject({
      code: 'WS_ERR_HANDSHAKE_TIMEOUT',
    });
  });

  it('leaves nothing behind when connecting and aborting is all that happens', async () => {
    const authorize = () => new Promise<void>((resolve) => setImmediate(resolve));
    const server = await boundServer({ authorize });
    const tries = Array.from({ length: 100 }, async (_, at) => {
      const signal = AbortSignal.timeout(at % 20);
      const connection = await connect(`ws://127.0.0.1:${server.port}`, { signal }).catch(() => null);
      connection?.forceClose();
    });
    await Promise.all(tries);
    await until(() => server.stats.pending === 0);
    for (const { closeInfo } of server.connections) await closeInfo;
    server.stop();
    for (let connection = await server.accept(); connection !== null; connection = await server.accept()) {
      expect((await connection.closeInfo).code).toBe(1006);
    }
    expect(server.connections.size).toBe(0);
  });

  it('does not touch an open connection when the signal aborts later', async () => {
    const controller = new AbortController();
    const { url } = await answering();
    const connection = await connect(url, { signal: controller.signal });
    controller.abort();
    expect(connection.isOpen()).toBe(true);
    connection.forceClose();
  });
});

describe('TLS', () => {
  const tls = { key: TEST_KEY, cert: TEST_CERT };

  it.each(['wss', 'https'])('connects over %s: to a name with SNI, and to an address (§4.1)', async (scheme) => {
    const names: unknown[] = [];
    const server = createTlsServer(
      { ...tls, SNICallback: (name, done) => done(names.push(name) > 0 ? null : new Error()) },
      (socket) => {
        socket.on('error', () => {});
        socket.once('data', (data) => {
          const key = /^Sec-WebSocket-Key: (.*)$/m.exec(String(data))?.[1]?.trim() ?? '';
          const accept = computeAccept(key, sha1);
          const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`;
          socket.write(`HTTP/1.1 101 Hi\r\n${fields}\r\n\r\n`);
        });
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    for (const host of ['localhost', '127.0.0.1']) {
      (await connect(`${scheme}://${host}:${portOf(server)}`, { tls: { ca: TEST_CERT } })).forceClose();
    }
    expect(names).toEqual(['localhost']);
  });

  it.each<[string, ConnectOptions, string]>([
    ['that nobody vouches for', {}, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['for another name', { tls: { ca: TEST_CERT, servername: 'other.example' } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('rejects a certificate %s', async (_title, options, code) => {
    const { port } = await boundServer({ tls });
    await expect(connect(`wss://localhost:${port}`, options)).rejects.toMatchObject({ code });
  });

  it('connects through an agent', async () => {
    const { port } = await boundServer({ tls });
    const agent = new Agent({ ca: TEST_CERT });
    const connection = await connect(`wss://localhost:${port}`, { agent });
    expect(connection.isOpen()).toBe(true);
    connection.forceClose();
    agent.destroy();
  });
});

describe('redirects', () => {
  it('are refusals by default', async () => {
    const { url } = await redirecting({ '/': '/x' });
    await expect(connect(`${url}/`)).rejects.toMatchObject({
      code: 'WS_ERR_REDIRECT',
      status: 302,
      headers: { location: '/x' },
    });
  });

  it('are followed as often as is allowed, and no more', async () => {
    const { url, requests } = await redirecting({ '/0': '1', '/1': '/2', '/2': 'ws://127.0.0.1:SELF/3' }, 307);
    await expect(connect(`${url}/0`, { maxRedirects: 3 })).rejects.toMatchObject({ status: 404 });
    await expect(connect(`${url}/0`, { maxRedirects: 2 })).rejects.toMatchObject({
      code: 'WS_ERR_REDIRECT',
      status: 307,
    });
    expect(requests.map((request) => request.url)).toEqual(['/0', '/1', '/2', '/3', '/0', '/1', '/2']);
  });

  it('end in a connection', async () => {
    const target = await boundServer();
    const { url } = await redirecting({ '/': `http://127.0.0.1:${target.port}/chat` });
    const connection = await connect(url, { maxRedirects: 1 });
    expect((await target.accept())?.request?.url).toBe('/chat');
    connection.forceClose();
  });

  it('that go in a circle come to an end', async () => {
    const { url, requests } = await redirecting({ '/': '/' });
    await expect(connect(url, { maxRedirects: 20 })).rejects.toMatchObject({ code: 'WS_ERR_REDIRECT' });
    expect(requests).toHaveLength(21);
  });

  it('take credentials and cookies to their own origin only, and never back again', async () => {
    const second = await redirecting({});
    const secondPort = new URL(second.url).port;
    const { url, requests } = await redirecting({ '/a': '/b', '/b': `ws://127.0.0.1:${secondPort}/c` });
    const headers = { Authorization: 'Bearer x', Cookie: 'a=b', 'X-Trace': '1' };
    await expect(connect(`${url}/a`, { maxRedirects: 2, headers })).rejects.toMatchObject({ status: 404 });
    const seen = [...requests, ...second.requests].map((request) => request.headers);
    expect(seen.map(({ authorization, cookie, 'x-trace': trace }) => [authorization, cookie, trace])).toEqual([
      ['Bearer x', 'a=b', '1'],
      ['Bearer x', 'a=b', '1'],
      [undefined, undefined, '1'],
    ]);
  });

  it('share one time limit', async () => {
    const { port } = await byteServer(() => {});
    const { url } = await redirecting({ '/': `ws://127.0.0.1:${port}/` });
    await expect(connect(url, { maxRedirects: 5, handshakeTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'WS_ERR_HANDSHAKE_TIMEOUT',
    });
  });
});
