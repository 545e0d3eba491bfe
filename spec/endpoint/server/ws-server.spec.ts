import { channel } from 'node:diagnostics_channel';
import { type EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { WsServer, wsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { boundServer, clientText, dial, exchange, until, urlOf } from '../../support/endpoints.ts';
import { rawClient, upgradeRequest } from '../../support/sockets.ts';

/** The HTTP server inside, as Node's own diagnostics show it. */
async function hiddenServerOf(server: WsServer): Promise<EventEmitter> {
  let found: EventEmitter | undefined;
  const onRequest = (message: unknown): void => {
    found = (message as { server: EventEmitter }).server;
  };
  channel('http.server.request.start').subscribe(onRequest);
  await exchange(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  channel('http.server.request.start').unsubscribe(onRequest);
  return found!;
}

describe('WsServer.bind', () => {
  it('listens on a port, and says where', async () => {
    const server = await wsServer(0);
    expect(server.port).toBeGreaterThan(0);
    expect(server.address()).toMatchObject({ port: server.port });
    expect([server.isValid(), server.running]).toEqual([true, true]);
    await server.close();
    expect([server.isValid(), server.running, server.address()]).toEqual([false, false, null]);
    expect(server.port).toBeGreaterThan(0);
  });

  it('takes the host as listen takes it', async () => {
    const server = await boundServer();
    expect(server.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
  });

  it('listens on a Unix socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wspipe-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'server.sock');
    const server = await WsServer.bind({ path });
    onTestFinished(() => server.drop());
    expect([server.address(), server.port]).toEqual([path, 0]);
    const accepted = server.accept();
    const client = await connect(`ws+unix://${path}:/chat?a=b`);
    expect((await accepted)?.request).toMatchObject({ url: '/chat?a=b', headers: { host: 'localhost' } });
    client.forceClose();
  });

  it("rejects with the system's error where the port is taken", async () => {
    const { port } = await boundServer();
    await expect(WsServer.bind({ port, host: '127.0.0.1' })).rejects.toMatchObject({
      code: 'EADDRINUSE',
      syscall: 'listen',
    });
  });

  it.each<[string, unknown, unknown]>([
    ['nothing', undefined, TypeError],
    ['null', null, TypeError],
    ['text', '8080', TypeError],
    ['a port that cannot be', 70_000, RangeError],
    ['a fraction', 1.5, RangeError],
    ['no place at all', {}, TypeError],
  ])('rejects %s', async (_title, where, error) => {
    await expect(WsServer.bind(where as number)).rejects.toThrow(error as typeof Error);
  });

  it('stops when the signal of the listen options aborts, and does not begin where it has', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const server = await WsServer.bind({ port: 0, host: '127.0.0.1', signal });
    const accepted = server.accept();
    controller.abort();
    expect(await accepted).toBeNull();
    expect([server.running, server.isValid()]).toEqual([false, false]);
    await expect(WsServer.bind({ port: 0, signal })).rejects.toMatchObject({ name: 'AbortError' });
    await server.close();
  });

  it('rejects options that cannot be, and listens nowhere then', async () => {
    await expect(wsServer(0, { maxConnections: -1 })).rejects.toThrow(RangeError);
    await expect(wsServer(0, { path: 'chat' })).rejects.toThrow(TypeError);
  });

  it('serves TLS', async () => {
    const server = await boundServer({ tls: { key: TEST_KEY, cert: TEST_CERT } });
    const echoing = server.runEcho();
    const client = await connect(`wss://127.0.0.1:${server.port}`, { tls: { ca: TEST_CERT } });
    await client.sendText('secret');
    expect((await client.recvFrame())?.payloadText()).toBe('secret');
    await Promise.all([client.close(), server.close(), echoing]);
  });

  it('tells of an error of the listening socket by its event, and by a warning where nobody listens', async () => {
    const server = await boundServer();
    const http = await hiddenServerOf(server);
    const warned = once(process, 'warning');
    http.emit('error', new Error('EMFILE, unheard'));
    expect((await warned)[0]).toMatchObject({ message: 'EMFILE, unheard' });
    const onError = vi.fn();
    server.on('error', onError);
    http.emit('error', new Error('EMFILE'));
    expect(onError).toHaveBeenCalledWith(expect.objectContaining({ message: 'EMFILE' }));
  });
});

describe('accept', () => {
  it('gives connection by connection, with what the request said and authorize returned', async () => {
    const server = await boundServer({ authorize: ({ url }) => ({ user: url.slice(1) }), protocols: ['chat'] });
    const accepted = server.accept();
    const client = await connect(urlOf(server, '/ada'), { protocols: ['chat', 'talk'] });
    const ours = (await accepted)!;
    expect(ours).toMatchObject({ isServer: true, protocol: 'chat', context: { user: 'ada' } });
    expect(ours.request).toMatchObject({ url: '/ada', protocols: ['chat', 'talk'], httpVersion: '1.1' });
    expect(client.protocol).toBe('chat');
    client.forceClose();
  });

  it('never hands out a failed handshake', async () => {
    const server = await boundServer({ authorize: ({ url }) => (url === '/no' ? refuse(403) : undefined) });
    const accepted = server.accept();
    expect((await exchange(server.port, upgradeRequest({ path: '/no' }))).status).toBe(403);
    expect((await exchange(server.port, 'garbage\r\n\r\n')).status).toBe(400);
    await rawClient(server.port, { path: '/yes' });
    expect((await accepted)?.request?.url).toBe('/yes');
    expect(server.stats).toMatchObject({ accepted: 1, refused: 2 });
  });

  it('gives null when the server stops', async () => {
    const server = await boundServer();
    const accepted = server.accept();
    server.stop();
    expect(await accepted).toBeNull();
    expect(await server.accept()).toBeNull();
  });

  it('gives what waited when the server stopped, and then null', async () => {
    const server = await boundServer();
    await rawClient(server.port);
    server.stop();
    expect(await server.accept()).toMatchObject({ role: 'server' });
    expect(await server.accept()).toBeNull();
  });

  it('rejects with an AbortError, and loses no connection by that', async () => {
    const server = await boundServer();
    const controller = new AbortController();
    const accepted = server.accept({ signal: controller.signal });
    controller.abort();
    await expect(accepted).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    await rawClient(server.port);
    expect(await server.accept()).not.toBeNull();
  });
});

describe('for await', () => {
  it('goes on until the server stops', async () => {
    const server = await boundServer();
    const paths: (string | undefined)[] = [];
    const loop = (async () => {
      for await (const { request } of server) paths.push(request?.url);
    })();
    for (const path of ['/1', '/2']) await rawClient(server.port, { path });
    await until(() => paths.length === 2);
    server.stop();
    await loop;
    expect(paths).toEqual(['/1', '/2']);
  });

  it('stops nothing when it is left, and can be begun again', async () => {
    const server = await boundServer();
    for (const path of ['/1', '/2']) await rawClient(server.port, { path });
    const paths: (string | undefined)[] = [];
    for (let round = 0; round < 2; round++) {
      for await (const { request } of server) {
        paths.push(request?.url);
        break;
      }
    }
    expect(paths).toEqual(['/1', '/2']);
    expect([server.running, server.connections.size]).toEqual([true, 2]);
  });
});

describe("the event 'connection'", () => {
  it('takes the connections', async () => {
    const server = await boundServer();
    const taken = once(server, 'connection');
    await rawClient(server.port, { path: '/x' });
    expect((await taken)[0]).toMatchObject({ request: { url: '/x' } });
  });
});

describe('runEcho', () => {
  it('echoes a message before it is complete, so one of any size', async () => {
    const server = await boundServer();
    void server.runEcho();
    const conn = await connect(`ws://127.0.0.1:${server.port}/`, { maxMessageBytes: Number.POSITIVE_INFINITY });
    await conn.sendFrame(new WsFrame(2, Buffer.alloc(1000, 1), { isFinal: false }));
    const fragments = conn.fragments();
    expect((await fragments.next()).value?.payload.equals(Buffer.alloc(1000, 1))).toBe(true);
    // More than the 16 MiB to which a message that is read whole is limited.
    void conn.sendFrame(new WsFrame(0, Buffer.alloc(17 * 1024 * 1024, 2)));
    let bytes = 0;
    for await (const frame of fragments) {
      bytes += frame.payload.length;
      if (frame.isFinal) break;
    }
    expect(bytes).toBe(17 * 1024 * 1024);
    expect((await conn.close()).wasClean).toBe(true);
    await server.close();
  });

  it('keeps to a limit that is asked for (§10.4)', async () => {
    const server = await boundServer({ maxMessageBytes: 10 });
    void server.runEcho();
    const conn = await connect(`ws://127.0.0.1:${server.port}/`);
    await conn.sendText('ten bytes!');
    expect((await conn.recvFrame())?.payloadText()).toBe('ten bytes!');
    await conn.sendText('eleven byte');
    expect(await conn.recvFrame()).toBeNull();
    expect((await conn.closeInfo).code).toBe(1009);
    await server.close();
  });

  it('echoes on all connections at once, and resolves when all has ended', async () => {
    const server = await boundServer();
    const echoing = server.runEcho();
    const clients = await Promise.all([1, 2, 3].map(() => connect(urlOf(server))));
    for (const [at, client] of clients.entries()) await client.sendText(`number ${at}`);
    const texts = await Promise.all(clients.map(async (client) => (await client.recvFrame())?.payloadText()));
    expect(texts).toEqual(['number 0', 'number 1', 'number 2']);
    server.stop();
    await clients[0]?.sendText('still there');
    expect((await clients[0]?.recvFrame())?.payloadText()).toBe('still there');
    await Promise.all(clients.map((client) => client.close()));
    await echoing;
  });

  it('stops, closes and resolves when it is aborted', async () => {
    const server = await boundServer();
    const controller = new AbortController();
    const echoing = server.runEcho({ signal: controller.signal });
    const client = await connect(urlOf(server));
    controller.abort();
    expect(await client.recvFrame()).toBeNull();
    await echoing;
    expect(await client.closeInfo).toMatchObject({ code: 1001, wasClean: true, initiator: 'remote' });
    expect([server.running, server.connections.size]).toEqual([false, 0]);
  });

  it('survives peers that cut, refuse to handshake, break the protocol, or close right behind their messages', async () => {
    const server = await boundServer();
    const echoing = server.runEcho();
    const closing = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);
    dial(server.port).socket.end('no handshake');
    (await rawClient(server.port)).socket.resetAndDestroy();
    const breaking = await rawClient(server.port);
    breaking.socket.end(Buffer.from([0xff, 0xff, 0xff]));
    expect((await breaking.received.readAll()).subarray(0, 1)).toEqual(Buffer.of(0x88));
    (await rawClient(server.port, { behind: clientText('cut').subarray(0, 4) })).socket.destroy();
    const { socket, received } = await rawClient(server.port, {
      behind: Buffer.concat([clientText('one'), clientText('two'), closing]),
    });
    socket.end();
    const answer = await received.readAll();
    expect(answer.toString('latin1')).toBe('\x81\x03one\x81\x03two\x88\x02\x03\xe8');
    await server.close();
    await echoing;
  });

  it('rejects a handler that is none', async () => {
    const server = await boundServer();
    await expect(server.serve(undefined as never)).rejects.toThrow(TypeError);
  });
});

describe('serve', () => {
  it('runs the handler and closes with 1000, or with 1011 and handlerError', async () => {
    const server = await boundServer();
    const failed = once(server, 'handlerError');
    const serving = server.serve((connection) => {
      if (connection.request?.url === '/bad') throw new Error('oops');
    });
    const [good, bad] = [await connect(urlOf(server)), await connect(urlOf(server, '/bad'))];
    await Promise.all([good.recvFrame(), bad.recvFrame()]);
    expect([(await good.closeInfo).code, (await bad.closeInfo).code]).toEqual([1000, 1011]);
    expect((await failed)[0]).toMatchObject({ message: 'oops' });
    await server.close();
    await serving;
  });
});
