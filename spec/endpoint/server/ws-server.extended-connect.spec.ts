import type { Http2ServerRequest, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import type { HandshakeError } from '../../../lib/errors.ts';
import type { PendingRequest } from '../../../lib/options.ts';
import { TEST_CERT } from '../../support/certificate.ts';
import { clientText, deferred, until } from '../../support/endpoints.ts';
import { attachedServer, extendedConnect, http2Server, http2Session, secureHttp2Server } from '../../support/http2.ts';

type Fields = Record<string, string | string[] | undefined>;
const urlOf = (port: number): string => `http://127.0.0.1:${port}`;
const CLOSE_1000 = Buffer.of(0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8);

describe('WsServer.attach to a server of HTTP/2', () => {
  it('accepts an extended CONNECT with 200, and without what only HTTP/1.1 has (RFC 8441 §5)', async () => {
    const { ws, port } = await attachedServer({
      protocols: ['chat'],
      authorize: ({ headers }) => headers['x-user'],
      responseHeaders: () => ({ 'Set-Cookie': ['a=1', 'b=2'] }),
    });
    const session = await http2Session(urlOf(port));
    const accepted = ws.accept();
    const fields = { ':path': '/x?y=z', 'sec-websocket-protocol': 'other, chat', 'x-user': 'Ada' };
    const { answer, stream, received, closed } = await extendedConnect(session, fields);
    expect(Object.fromEntries(Object.entries(answer!).filter(([name]) => name !== 'date'))).toEqual({
      ':status': 200,
      'sec-websocket-protocol': 'chat',
      'set-cookie': ['a=1', 'b=2'],
    });
    const conn = (await accepted)!;
    expect([conn.protocol, conn.context]).toEqual(['chat', 'Ada']);
    expect(conn.request).toMatchObject({ url: '/x?y=z', httpVersion: '2.0', remoteAddress: '127.0.0.1' });
    const { headers } = conn.request!;
    expect([headers.host, Object.keys(headers).filter((name) => name.startsWith(':'))]).toEqual([
      `127.0.0.1:${port}`,
      [],
    ]);
    stream.write(clientText('hi'));
    expect((await conn.recvFrame())?.payloadText()).toBe('hi');
    await conn.sendText('you');
    expect(await received.read(5)).toEqual(Buffer.from([0x81, 3, ...Buffer.from('you')]));
    stream.write(CLOSE_1000);
    expect(await conn.recvFrame()).toBeNull();
    expect(await received.readAll()).toEqual(Buffer.of(0x88, 2, 0x03, 0xe8));
    stream.end();
    expect([(await conn.closeInfo).wasClean, await closed, session.destroyed]).toEqual([true, 0, false]);
  });

  it('compresses as over HTTP/1.1 (RFC 7692)', async () => {
    const { ws, port } = await attachedServer({ perMessageDeflate: true });
    const session = await http2Session(urlOf(port));
    const accepted = ws.accept();
    const { answer, received } = await extendedConnect(session, { 'sec-websocket-extensions': 'permessage-deflate' });
    expect(answer?.['sec-websocket-extensions']).toMatch(/^permessage-deflate/);
    await (await accepted)?.sendText('a'.repeat(2000));
    expect((await received.read(1))[0]).toBe(0xc1);
  });

  it.each<[string, Fields, number, Fields]>([
    ['another :protocol: 501 (RFC 9220 §3)', { ':protocol': 'connect-udp' }, 501, {}],
    ['another version: 400 (RFC 6455 §4.4)', { 'sec-websocket-version': '12' }, 400, { 'sec-websocket-version': '13' }],
    ['no version: 400', { 'sec-websocket-version': undefined }, 400, { 'sec-websocket-version': '13' }],
    ['another path: 404', { ':path': '/none' }, 404, {}],
    ['a path with a fragment: 404', { ':path': '/chat#x' }, 404, {}],
    ['another :scheme: 400', { ':scheme': 'ftp' }, 400, {}],
    ['an :authority that is none: 400', { ':authority': 'a:99999' }, 400, {}],
    [
      'a Host beside another :authority: 400 (RFC 9113 §8.3.1)',
      { host: 'a.example', ':authority': 'b.example' },
      400,
      {},
    ],
    ['a page of another host: 403 (RFC 6455 §10.2)', { origin: 'http://evil.example' }, 403, {}],
    ['a head of too many bytes: 431', { 'x-long': 'x'.repeat(9000) }, 431, {}],
    ['a head of too many fields: 431', { 'x-many': Array(101).fill('x') }, 431, {}],
    ['a repeated protocol: 400', { 'sec-websocket-protocol': 'a, a' }, 400, {}],
    ['a malformed extension: 400', { 'sec-websocket-extensions': ';' }, 400, {}],
    ['a body: 400', { 'content-length': '3' }, 400, {}],
  ])('refuses %s', async (_title, fields, status, answered) => {
    const onRefused = vi.fn();
    const { ws, port } = await attachedServer({ path: '/chat', onRefused });
    const session = await http2Session(urlOf(port));
    const { answer, received, closed } = await extendedConnect(session, { ':path': '/chat', ...fields });
    expect(answer).toMatchObject({ ':status': status, ...answered });
    expect((await received.readAll()).length).toBe(Number(answer?.['content-length']));
    expect([await closed, ws.stats.accepted, ws.stats.pending]).toEqual([0, 0, 0]);
    expect((await extendedConnect(session, { ':path': '/chat' })).status).toBe(200);
  });

  it('takes :protocol in any case (RFC 9110 §7.8), and pages of its own :authority', async () => {
    const { port } = await attachedServer();
    const session = await http2Session(urlOf(port));
    const fields = { ':protocol': 'WebSocket', ':authority': 'Example.COM', origin: 'http://example.com' };
    expect((await extendedConnect(session, fields)).status).toBe(200);
    expect((await extendedConnect(session, { ...fields, origin: 'http://example.com:81' })).status).toBe(403);
  });

  it('gives a refusal in full: status, fields, body', async () => {
    const headers = { 'Set-Cookie': ['a', 'b'], 'Content-Type': 'application/json', 'Keep-Alive': 'x' };
    const { port } = await attachedServer({ authorize: () => refuse(418, { headers, body: '{}' }) });
    const { answer, received } = await extendedConnect(await http2Session(urlOf(port)));
    const expected = { ':status': 418, 'set-cookie': ['a', 'b'], 'content-type': 'application/json' };
    expect(answer).toMatchObject(expected);
    expect([(await received.readAll()).toString(), answer?.['keep-alive']]).toEqual(['{}', undefined]);
  });

  it.each<[string, () => unknown, number]>([
    ['a throw', () => Promise.reject(new Error('down')), 500],
    ['a status without a body', () => refuse(304), 304],
    ['fields that HTTP/2 has once', () => refuse(302, { headers: { Location: ['/a', '/b'] } }), 302],
  ])('refuses with %s of authorize', async (_title, authorize, status) => {
    const { port } = await attachedServer({ authorize });
    const session = await http2Session(urlOf(port));
    const { status: answered, closed } = await extendedConnect(session);
    expect([answered, await closed]).toEqual([status, 0]);
  });

  it('refuses with 500 where responseHeaders gives what HTTP/2 does not take', async () => {
    const errors: HandshakeError[] = [];
    const { ws, port } = await attachedServer({
      responseHeaders: () => ({ Location: ['/a', '/b'] }),
      onRefused: (error) => errors.push(error),
    });
    expect((await extendedConnect(await http2Session(urlOf(port)))).status).toBe(500);
    expect([errors[0]?.cause, ws.connections.size]).toEqual([expect.any(TypeError), 0]);
  });

  it('gives up on a slow authorize, and is told where the peer has gone meanwhile', async () => {
    const { promise, resolve } = deferred<void>();
    const authorize = vi.fn((_request: PendingRequest) => promise);
    const { ws, port } = await attachedServer({ authorize, handshakeTimeoutMs: 30 });
    const session = await http2Session(urlOf(port));
    expect((await extendedConnect(session)).status).toBe(503);
    const gone = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':path': '/',
      'sec-websocket-version': '13',
    });
    gone.on('error', () => {});
    await until(() => authorize.mock.calls.length === 2);
    gone.close(8);
    await until(() => ws.stats.pending === 0);
    resolve();
    expect([ws.stats.accepted, ws.stats.refused]).toEqual([0, 1]);
    const reasons = authorize.mock.calls.map(([{ signal }]) => signal.reason);
    expect(reasons).toMatchObject([{ code: 'WS_ERR_HANDSHAKE_TIMEOUT' }, { name: 'AbortError' }]);
  });

  it('tells of its setting by itself, and serves HTTP/1.1 on the same port (RFC 8441 §3)', async () => {
    const { server, port } = await secureHttp2Server();
    server.on('request', (_request, response) => response.end('page'));
    const ws = WsServer.attach(server);
    onTestFinished(() => ws.drop());
    const session = await http2Session(`https://localhost:${port}`);
    expect(session.remoteSettings.enableConnectProtocol).toBe(true);
    expect((await extendedConnect(session)).status).toBe(200);
    const page = session.request({ ':path': '/' });
    const body = await new Promise<string>((resolve) => page.setEncoding('utf8').once('data', resolve));
    expect(body).toBe('page');
    page.resume();
    expect(ws.connections.size).toBe(1);
  });

  it('leaves CONNECT over HTTP/1.1 as it was: nobody is tunnelled', async () => {
    const { server, port } = await secureHttp2Server();
    const ws = WsServer.attach(server);
    onTestFinished(() => ws.drop());
    const dial = (): ReturnType<typeof connectTls> => {
      const socket = connectTls({ port, host: '127.0.0.1', ca: TEST_CERT, servername: 'localhost' });
      onTestFinished(() => void socket.destroy());
      return socket.on('error', () => {});
    };
    const socket = dial();
    socket.write('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    await new Promise((resolve) => socket.resume().once('close', resolve));
    server.on('connect', (_request, tunnel) => (tunnel as unknown as NodeJS.WritableStream).end('mine'));
    const other = dial();
    other.write('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    const said = await new Promise<Buffer>((resolve) => other.once('data', resolve));
    expect([String(said), ws.stats.refused]).toEqual(['mine', 0]);
  });
});

describe('a CONNECT that is not for us', () => {
  const PLAIN = {
    ':protocol': undefined,
    ':path': undefined,
    ':authority': 'internal:22',
    'sec-websocket-version': undefined,
  };
  const OTHER = { ':protocol': 'connect-udp' };
  const ELSEWHERE = { ':path': '/hmr' };

  it.each<[string, Fields, number, boolean]>([
    ['a tunnel, beside a handler of requests', PLAIN, 405, true],
    ['a tunnel, where nobody else listens (RFC 8441 §4)', PLAIN, 405, false],
    ['another protocol, beside a handler of requests', OTHER, 501, true],
    ['another path, beside a handler of requests', ELSEWHERE, 404, true],
    ['another path, where nobody else listens', ELSEWHERE, 404, false],
  ])('is refused: %s', async (_title, fields, status, hasHandler) => {
    const { server, port } = await attachedServer({ path: '/chat' });
    const onRequest = vi.fn();
    if (hasHandler) server.on('request', onRequest);
    const session = await http2Session(urlOf(port));
    expect((await extendedConnect(session, fields)).status).toBe(status);
    expect(onRequest).not.toHaveBeenCalled();
  });

  it.each<[string, Fields]>([
    ['a tunnel', PLAIN],
    ['another protocol', OTHER],
    ['another path', ELSEWHERE],
  ])("is left to a listener of 'stream' and to one of 'connect': %s", async (_title, fields) => {
    for (const event of ['stream', 'connect'] as const) {
      const { server, port } = await http2Server({ settings: { enableConnectProtocol: true } });
      server.on('request', () => {});
      const ws = WsServer.attach(server, { path: '/chat' });
      const answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
        if (headers[':path'] !== '/chat') setImmediate(() => stream.respond({ ':status': 299 }, { endStream: true }));
      };
      if (event === 'stream') server.on('stream', answer);
      else server.on('connect', (({ stream, headers }: Http2ServerRequest) => answer(stream, headers)) as never);
      const session = await http2Session(urlOf(port));
      expect((await extendedConnect(session, fields)).status).toBe(299);
      expect((await extendedConnect(session, { ':path': '/chat' })).status).toBe(200);
      ws.drop();
    }
  });

  it('is left to a listener that answers everything at once, before and behind us', async () => {
    for (const isFirst of [true, false]) {
      const { server, port } = await http2Server();
      const answer = (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders): void =>
        stream.respond({ ':status': 204 }, { endStream: true });
      if (isFirst) server.on('stream', answer);
      const ws = WsServer.attach(server);
      if (!isFirst) server.on('stream', answer);
      expect((await extendedConnect(await http2Session(urlOf(port)))).status).toBe(204);
      expect(ws.stats.accepted).toBe(0);
      ws.drop();
    }
  });

  it('is no longer ours when the last server has let go', async () => {
    const { server, port } = await http2Server();
    server.on('request', (_request, response) => response.end());
    const events = (): number[] => ['stream', 'connect', 'upgrade'].map((name) => server.listenerCount(name));
    const before = events();
    const [chat, news] = [WsServer.attach(server, { path: '/chat' }), WsServer.attach(server, { path: '/news' })];
    const session = await http2Session(urlOf(port));
    for (const path of ['/chat', '/news']) expect((await extendedConnect(session, { ':path': path })).status).toBe(200);
    chat.drop();
    expect((await extendedConnect(session, { ':path': '/chat' })).status).toBe(404);
    news.drop();
    expect(events()).toEqual(before);
    expect((await extendedConnect(session, { ':path': '/news' })).status).toBe(405);
  });
});
