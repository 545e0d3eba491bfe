import { Agent } from 'node:http';
import { connect as connectHttp2, type Http2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { connect as connectTcp, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import type { ConnectOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { HandshakeError } from '../../../lib/errors.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { byteServer, httpServer, until } from '../../support/endpoints.ts';
import { attachedServer, http2Server, http2Session, secureHttp2Server } from '../../support/http2.ts';
import { portOf } from '../../support/sockets.ts';

const CA = { ca: TEST_CERT };

/** What `connect` is refused with. */
async function failure(url: string, options: ConnectOptions): Promise<HandshakeError & { code: string }> {
  return connect(url, options).then(
    () => expect.unreachable('it connected'),
    (error) => error,
  );
}

/** A server of HTTP/2 that counts its TCP sockets, and one of WebSockets on it. */
async function counted(): Promise<{ port: number; sockets: Set<Socket>; server: Http2Server }> {
  const { server, port } = await attachedServer();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return { port, sockets, server };
}

describe('a session of our own', () => {
  it('is made for a connection, and ends with it', async () => {
    const { port, sockets } = await counted();
    const [one, two] = await Promise.all([1, 2].map(() => connect(`ws://127.0.0.1:${port}`, { http2: true })));
    expect(sockets.size).toBe(2);
    one!.forceClose();
    await until(() => sockets.size === 1);
    expect(two!.isOpen()).toBe(true);
    await two!.close();
    await until(() => sockets.size === 0);
  });

  it('ends with a handshake that is refused, that is too slow, and that is given up', async () => {
    const { port, sockets } = await counted();
    const url = `ws://127.0.0.1:${port}`;
    expect(await failure(url, { http2: true, origin: 'http://evil.example' })).toMatchObject({ status: 403 });
    await until(() => sockets.size === 0);
    const host = await http2Server({ settings: { enableConnectProtocol: true } });
    host.server.on('stream', () => {});
    const mute = `ws://127.0.0.1:${host.port}`;
    const late = { code: 'WS_ERR_HANDSHAKE_TIMEOUT' };
    expect(await failure(mute, { http2: true, handshakeTimeoutMs: 30 })).toMatchObject(late);
    await until(() => host.sessions.size === 0);
    const signal = AbortSignal.timeout(30);
    expect(await failure(mute, { http2: true, signal })).toMatchObject({ name: 'AbortError' });
    await until(() => host.sessions.size === 0);
  });

  it('is not kept by a server that does not end its side', async () => {
    const { server, port } = await http2Server({ settings: { enableConnectProtocol: true } });
    const ws = WsServer.attach(server);
    onTestFinished(() => ws.drop());
    const proxied = connectTcp({ port, host: '127.0.0.1' });
    const client = await connect(`ws://127.0.0.1:${port}`, { http2: true, createConnection: () => proxied });
    proxied.end = (() => proxied) as never;
    client.forceClose();
    await until(() => proxied.destroyed);
  });

  it('asks over TLS by ALPN, with the name of the server', async () => {
    const names: string[] = [];
    const { server, port } = await secureHttp2Server({
      SNICallback: (name, done) => done(names.push(name) > 0 ? null : new Error()),
    });
    const ws = WsServer.attach(server);
    onTestFinished(() => ws.drop());
    for (const host of ['localhost', '127.0.0.1']) {
      const client = await connect(`wss://${host}:${port}`, { http2: true, tls: CA });
      expect(client.response?.status).toBe(200);
      client.forceClose();
    }
    expect(names).toEqual(['localhost']);
  });

  it.each<[string, ConnectOptions['tls'], string]>([
    ['that nobody vouches for', undefined, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['for another name', { ...CA, servername: 'other.example' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('is refused with a certificate %s (RFC 6455 §4.1)', async (_title, tls, code) => {
    const { port } = await secureHttp2Server();
    expect(await failure(`wss://localhost:${port}`, { http2: true, tls })).toMatchObject({ code });
  });

  it("passes on the system's error", async () => {
    const { port, server } = await byteServer(() => {});
    await new Promise((resolve) => server.close(resolve));
    expect(await failure(`ws://127.0.0.1:${port}`, { http2: true })).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it.each<[string, () => Promise<{ readonly port: number; readonly scheme: string }>]>([
    ['takes no extended CONNECT (RFC 8441 §3)', async () => ({ ...(await http2Server()), scheme: 'ws' })],
    ['speaks HTTP/1.1 only', async () => ({ ...(await httpServer()), scheme: 'ws' })],
    [
      'speaks something else',
      async () => ({ ...(await byteServer((socket) => socket.write('220 hello\r\n'))), scheme: 'ws' }),
    ],
    ['hangs up', async () => ({ ...(await byteServer((socket) => socket.end())), scheme: 'ws' })],
    ['does not choose h2', async () => ({ port: await secureHttp1(), scheme: 'wss' })],
    ['knows nothing of ALPN', async () => ({ port: await secureHttp1([]), scheme: 'wss' })],
  ])('fails with WS_ERR_HTTP2 where the server %s', async (_title, create) => {
    const { port, scheme } = await create();
    const error = await failure(`${scheme}://localhost:${port}`.replace('ws://localhost', 'ws://127.0.0.1'), {
      http2: true,
      tls: CA,
    });
    expect(error).toBeInstanceOf(HandshakeError);
    expect(error).toMatchObject({ code: 'WS_ERR_HTTP2', status: 0 });
  });

  it('waits for a setting that comes behind the first ones', async () => {
    const { server, port } = await http2Server();
    server.on('session', (session) => session.settings({ enableConnectProtocol: true }));
    const ws = WsServer.attach(server);
    onTestFinished(() => ws.drop());
    (await connect(`ws://127.0.0.1:${port}`, { http2: true })).forceClose();
  });

  it('takes a socket that createConnection returns, or calls back with', async () => {
    const { port } = await attachedServer();
    const asked: unknown[] = [];
    const dial = (): Socket => connectTcp({ port, host: '127.0.0.1' });
    const url = `ws://elsewhere.example:81/x`;
    const returned = await connect(url, {
      http2: true,
      createConnection: (options) => {
        asked.push([options.host, options.port, options.path]);
        return dial();
      },
    });
    const calledBack = await connect(url, {
      http2: true,
      createConnection: (_options, done) => void setImmediate(() => done(null, dial())),
    });
    expect(asked).toEqual([['elsewhere.example', 81, '/x']]);
    for (const client of [returned, calledBack]) client.forceClose();
    const createConnection: ConnectOptions['createConnection'] = (_options, done) => void done(new Error('no way'));
    expect(await failure(url, { http2: true, createConnection })).toMatchObject({ message: 'no way' });
  });

  it('destroys a socket that comes when nobody waits for it any more', async () => {
    const { port } = await attachedServer();
    let come = (): void => {};
    const late = connectTcp({ port, host: '127.0.0.1' });
    const createConnection: ConnectOptions['createConnection'] = (_options, done) => {
      come = () => done(null, late);
      return undefined;
    };
    await failure(`ws://127.0.0.1:${port}`, { http2: true, createConnection, handshakeTimeoutMs: 20 });
    come();
    await until(() => late.destroyed);
  });
});

describe("a session of the caller's", () => {
  it('carries many connections, and stays when they close', async () => {
    const { port, sockets } = await counted();
    const session = await http2Session(`http://127.0.0.1:${port}`);
    const clients = await Promise.all(
      Array.from({ length: 30 }, () => connect(`ws://127.0.0.1:${port}`, { http2: session })),
    );
    expect(sockets.size).toBe(1);
    for (const client of clients.splice(0, 29)) client.forceClose();
    expect([clients[0]!.isOpen(), session.closed]).toEqual([true, false]);
    clients[0]!.forceClose();
    await clients[0]!.closeInfo;
    expect([session.closed, session.destroyed]).toEqual([false, false]);
  });

  it('may be connecting still; those who wait ask once together', async () => {
    const { port } = await counted();
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    onTestFinished(() => session.destroy());
    const ping = vi.spyOn(session, 'ping');
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => connect(`ws://127.0.0.1:${port}`, { http2: session })),
    );
    expect(ping.mock.calls.length).toBeLessThan(2);
    for (const client of clients) client.forceClose();
    expect(session.listenerCount('error') + session.listenerCount('remoteSettings')).toBe(0);
  });

  it('is refused for a wss: URL where it has no TLS', async () => {
    const { port } = await counted();
    const session = await http2Session(`http://127.0.0.1:${port}`);
    await expect(connect(`wss://127.0.0.1:${port}`, { http2: session })).rejects.toThrow(TypeError);
  });

  it('that has ended gives WS_ERR_HTTP2', async () => {
    const { port } = await counted();
    const session = await http2Session(`http://127.0.0.1:${port}`);
    session.destroy();
    expect(await failure(`ws://127.0.0.1:${port}`, { http2: session })).toMatchObject({ code: 'WS_ERR_HTTP2' });
  });

  it('may be over a TLS socket of the caller', async () => {
    const { server, port } = await secureHttp2Server();
    const ws = WsServer.attach(server);
    onTestFinished(() => ws.drop());
    const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ALPNProtocols: ['h2'], ...CA });
    const session = await http2Session(`https://localhost:${port}`, { createConnection: () => socket });
    (await connect(`wss://localhost:${port}`, { http2: session })).forceClose();
  });
});

describe('the option http2', () => {
  it.each<[string, ConnectOptions]>([
    ['a number', { http2: 2 as never }],
    ['null', { http2: null as never }],
    ['what is no session', { http2: {} as never }],
    ['an agent', { http2: true, agent: new Agent() }],
    ['tls beside a session', { http2: { request: () => {} } as never, tls: {} }],
    ['createConnection beside a session', { http2: { request: () => {} } as never, createConnection: () => null }],
    ['a field that HTTP/2 has not', { http2: true, headers: { 'Keep-Alive': '1' } }],
  ])('is not taken with %s', async (_title, options) => {
    await expect(connect('ws://127.0.0.1:1', options)).rejects.toThrow(TypeError);
  });

  it('may be false', async () => {
    const { port } = await httpServer();
    expect(await failure(`ws://127.0.0.1:${port}`, { http2: false, handshakeTimeoutMs: 20 })).toBeInstanceOf(Error);
  });
});

async function secureHttp1(ALPNProtocols?: string[]): Promise<number> {
  const server = createHttpsServer({ key: TEST_KEY, cert: TEST_CERT, ...(ALPNProtocols && { ALPNProtocols }) });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return portOf(server as Server);
}
