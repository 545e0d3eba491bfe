/** How many a server lets in, how long it waits for them, and what it tells of it: over real sockets. */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import type { ServerOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import type { HandshakeError } from '../../../lib/errors.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { listenTo } from '../../support/channels.ts';
import { boundServer, deferred, dial, exchange, httpServer, linked, until, urlOf } from '../../support/endpoints.ts';
import { rawClient, upgradeRequest } from '../../support/sockets.ts';

interface Message {
  readonly limit?: string;
  readonly error?: HandshakeError;
  readonly request?: { readonly url: string };
  readonly connection?: unknown;
}

const WAYS = ['bound', 'attached'] as const;

/** A server of its own, or one that is attached to somebody else's. */
async function openServer(way: (typeof WAYS)[number], options: ServerOptions) {
  if (way === 'bound') {
    const server = await boundServer(options);
    return { server, port: server.port };
  }
  const http = await httpServer();
  const server = WsServer.attach(http.server, options);
  onTestFinished(() => server.drop());
  return { server, port: http.port };
}

describe.each(WAYS)('maxConnectionsPerAddress (%s)', (way) => {
  it('answers 429 beyond it, and lets the next one in when one has gone', async () => {
    const [limits, refused] = [listenTo<Message>('wspipe:limit'), listenTo<Message>('wspipe:refused')];
    const errors: HandshakeError[] = [];
    const onRefused = (error: HandshakeError): void => void errors.push(error);
    const { server, port } = await openServer(way, { maxConnectionsPerAddress: 2, onRefused });
    const clients = [await rawClient(port), await rawClient(port)];
    expect(clients.map(({ status }) => status)).toEqual([101, 101]);
    const third = await rawClient(port);
    expect([third.status, third.head]).toEqual([429, expect.stringContaining('429 Too Many Requests')]);
    expect(errors).toMatchObject([{ code: 'WS_ERR_HANDSHAKE_REFUSED', status: 429 }]);
    expect(limits).toEqual([
      { limit: 'maxConnectionsPerAddress', error: expect.anything(), request: limits[0]!.request },
    ]);
    expect(refused.map(({ error }) => error?.status)).toEqual([429]);
    third.socket.destroy();
    clients[0]!.socket.destroy();
    await until(() => server.connections.size === 1);
    expect((await rawClient(port)).status).toBe(101);
    expect((await rawClient(port)).status).toBe(429);
  });

  it('counts handshakes that are still judged', async () => {
    const judged = deferred();
    const authorize = (): Promise<unknown> => judged.promise.then(() => refuse(402));
    const { server, port } = await openServer(way, { maxConnectionsPerAddress: 1, authorize });
    const first = exchange(port, upgradeRequest());
    await until(() => server.stats.pending === 1);
    expect((await exchange(port, upgradeRequest())).status).toBe(429);
    judged.resolve();
    expect((await first).status).toBe(402);
    expect((await exchange(port, upgradeRequest())).status).toBe(402);
  });

  it('is not used up by handshakes that were refused', async () => {
    const { port } = await openServer(way, { maxConnectionsPerAddress: 1 });
    for (let count = 0; count < 5; count++) {
      expect((await exchange(port, upgradeRequest({ headers: { Origin: 'http://evil.example' } }))).status).toBe(403);
    }
    expect((await rawClient(port)).status).toBe(101);
  });
});

describe('maxPendingHandshakes', () => {
  it('answers 503 to whoever comes while so many sockets say nothing, and others when they have gone', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const server = await boundServer({ maxPendingHandshakes: 2 });
    const silent = [dial(server.port), dial(server.port)];
    await Promise.all(silent.map(({ socket }) => new Promise((resolve) => socket.once('connect', resolve))));
    // Nothing is asked: it is answered all the same.
    const third = dial(server.port);
    expect((await third.received.readAll()).toString()).toMatch(/^HTTP\/1\.1 503 /);
    third.socket.end();
    // And whoever asks at once gets to read the answer.
    expect((await exchange(server.port, upgradeRequest())).status).toBe(503);
    expect(limits.map(({ limit, error }) => [limit, error?.status])).toEqual([
      ['maxPendingHandshakes', 503],
      ['maxPendingHandshakes', 503],
    ]);
    silent[0]!.socket.destroy();
    await until(() => silent[0]!.socket.destroyed);
    let status = 503;
    while (status === 503) status = (await rawClient(server.port)).status;
    expect(status).toBe(101);
  });

  it('is not used up by connections that stand', async () => {
    const server = await boundServer({ maxPendingHandshakes: 1 });
    for (let count = 0; count < 5; count++) await linked(server);
    expect(server.connections.size).toBe(5);
  });

  it('answers 503 where the server is attached and so many are judged', async () => {
    const { server, port } = await openServer('attached', {
      maxPendingHandshakes: 1,
      authorize: () => new Promise(() => {}),
    });
    dial(port).socket.write(upgradeRequest());
    await until(() => server.stats.pending === 1);
    expect((await exchange(port, upgradeRequest())).status).toBe(503);
  });

  it('cuts whoever comes over TLS beyond it, and those who do not get through TLS count', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const server = await boundServer({ maxPendingHandshakes: 1, tls: { key: TEST_KEY, cert: TEST_CERT } });
    const silent = dial(server.port);
    await new Promise((resolve) => silent.socket.once('connect', resolve));
    const second = connectTls({ port: server.port, host: '127.0.0.1', ca: TEST_CERT });
    await new Promise((resolve) => second.once('error', resolve).once('close', resolve));
    expect(limits).toMatchObject([{ limit: 'maxPendingHandshakes', error: { status: 503 } }]);
    silent.socket.destroy();
    for (let isIn = false; !isIn; ) {
      isIn = await connect(`wss://127.0.0.1:${server.port}`, { tls: { ca: TEST_CERT } }).then(
        (client) => {
          client.forceClose();
          return true;
        },
        () => false,
      );
    }
  });
});

describe('maxHeaderCount', () => {
  const fields = (count: number): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-${index}`, 'a']));

  it('answers 431 beyond it: the five fields that are needed, and so many more', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const server = await boundServer({ maxHeaderCount: 7 });
    expect((await rawClient(server.port, { headers: fields(2) })).status).toBe(101);
    expect((await exchange(server.port, upgradeRequest({ headers: fields(3) }))).status).toBe(431);
    expect(limits).toMatchObject([{ limit: 'maxHeaderCount', error: { status: 431 }, request: { url: '/' } }]);
  });

  it('is 100 by default', async () => {
    const server = await boundServer();
    expect((await rawClient(server.port, { headers: fields(95) })).status).toBe(101);
    expect((await exchange(server.port, upgradeRequest({ headers: fields(96) }))).status).toBe(431);
  });

  it('fails a client whose server answers with more', async () => {
    const server = await boundServer({ responseHeaders: () => fields(10) });
    const client = await connect(urlOf(server));
    client.forceClose();
    await expect(connect(urlOf(server), { maxHeaderCount: 9 })).rejects.toMatchObject({
      code: 'WS_ERR_HANDSHAKE',
      message: 'the answer has more than 9 fields',
    });
  });
});

describe('handshakeTimeoutMs', () => {
  it('counts from the moment in which the socket comes: a peer that says nothing gets 408', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const server = await boundServer({ handshakeTimeoutMs: 60 });
    const silent = dial(server.port);
    expect((await silent.received.readAll()).toString()).toMatch(/^HTTP\/1\.1 408 /);
    silent.socket.end();
    expect(limits).toMatchObject([{ limit: 'handshakeTimeoutMs', error: { code: 'WS_ERR_HANDSHAKE_TIMEOUT' } }]);
  });

  it('is not given anew for each byte, nor for the request behind TLS', async () => {
    const server = await boundServer({ handshakeTimeoutMs: 1200, tls: { key: TEST_KEY, cert: TEST_CERT } });
    const plain = connectTcp({ port: server.port, host: '127.0.0.1' });
    onTestFinished(() => void plain.destroy());
    await new Promise((resolve) => setTimeout(resolve, 900));
    const socket = connectTls({ socket: plain, ca: TEST_CERT, host: '127.0.0.1' });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const begun = performance.now();
    socket.write('GET / HTTP/1.1\r\nX: ');
    const dribble = setInterval(() => socket.write('a'), 20);
    await new Promise((resolve) => {
      socket.on('error', () => {}).once('end', resolve);
      socket.resume();
    });
    clearInterval(dribble);
    socket.destroy();
    // 300 ms are left of it.
    expect(performance.now() - begun).toBeLessThan(1200);
  });
});

describe('the other limits', () => {
  it.each<[string, ServerOptions, Parameters<typeof upgradeRequest>[0], number]>([
    ['maxConnections', { maxConnections: 0 }, {}, 503],
    ['acceptQueue', { acceptQueue: 0 }, {}, 503],
    ['maxHeaderBytes', { maxHeaderBytes: 300 }, { headers: { 'X-Long': 'a'.repeat(400) } }, 431],
    ['handshakeTimeoutMs', { handshakeTimeoutMs: 20, authorize: () => new Promise(() => {}) }, {}, 503],
  ])('tell wspipe:limit of %s', async (limit, options, request, status) => {
    const limits = listenTo<Message>('wspipe:limit');
    const server = await boundServer(options);
    expect((await exchange(server.port, upgradeRequest(request))).status).toBe(status);
    await until(() => limits.length > 0);
    expect(limits).toMatchObject([{ limit, error: { status } }]);
  });

  it('tell nothing of a handshake that is refused for another reason', async () => {
    const [limits, refused] = [listenTo<Message>('wspipe:limit'), listenTo<Message>('wspipe:refused')];
    const server = await boundServer({ path: '/chat' });
    expect((await exchange(server.port, upgradeRequest())).status).toBe(404);
    expect([limits.length, refused.length]).toEqual([0, 1]);
  });
});

describe('wspipe:handler-error', () => {
  it('tells of a handler that throws', async () => {
    const messages = listenTo<Message>('wspipe:handler-error');
    const server = await boundServer();
    server.on('handlerError', () => {});
    const thrown = new Error('a bad handler');
    const served = server.serve(() => Promise.reject(thrown));
    const client = await connect(urlOf(server));
    expect((await client.closeInfo).code).toBe(1011);
    expect(messages).toEqual([{ connection: expect.objectContaining({ role: 'server' }), error: thrown }]);
    await server.close();
    await served;
  });
});

describe('what a server limits by default', () => {
  it('is watched over: a connection of a server has a heartbeat, one of a client has none', async () => {
    const server = await boundServer({ heartbeat: { intervalMs: 20, timeoutMs: 5000 } });
    const { client, ours } = await linked(server);
    await until(() => ours.latencyMs !== undefined);
    expect(ours.latencyMs).toBeGreaterThan(0);
    expect(client.latencyMs).toBeUndefined();
    client.forceClose();
  });
});
