import { EventEmitter } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { resolveServerOptions, type ServerOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { Lobby } from '../../../lib/endpoint/server/lobby.ts';
import { watchUpgrade } from '../../../lib/endpoint/upgrade/accept-upgrade.ts';
import { Refusal, refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import type { WsRequest } from '../../../lib/options.ts';
import { deferred, exchange, httpServer, turns, until } from '../../support/endpoints.ts';
import { rawClient, upgradeRequest } from '../../support/sockets.ts';

async function openLobby(options: ServerOptions = {}, emitter = new EventEmitter()) {
  const lobby = new Lobby(resolveServerOptions(options), emitter);
  const { server, port } = await httpServer();
  server.on('upgrade', (message, socket, head) => {
    lobby.enter({ message, socket, head }, watchUpgrade(socket, 5000), {});
  });
  onTestFinished(() => {
    for (const connection of lobby.connections) connection.forceClose();
  });
  return { lobby, emitter, port };
}

const request = { url: '/chat?a=b', headers: {}, remoteAddress: undefined, protocols: [], httpVersion: '1.1' };

describe('the path', () => {
  it.each<[string, ServerOptions['path'], string, string]>([
    ['anything where none is set', undefined, '/x', 'ours'],
    ['exactly the path', '/chat', '/chat', 'ours'],
    ['the path and a query', '/chat', '/chat?a=b', 'ours'],
    ['not a longer path', '/chat', '/chat/', 'other'],
    ['not a path that begins alike', '/chat', '/chats', 'other'],
    ['not another case', '/chat', '/Chat', 'other'],
    ['what a function says', ({ url }: WsRequest) => url.endsWith('x'), '/x', 'ours'],
    ['not what a function denies', () => false, '/x', 'other'],
    ['not what a function merely promises', (async () => true) as never, '/x', 'other'],
  ])('is %s', (_title, path, url, verdict) => {
    const lobby = new Lobby(resolveServerOptions({ path }), new EventEmitter());
    expect(lobby.judgePath({ ...request, url })).toBe(verdict);
  });

  it('may be judged by a function that stops the server: a 503, and no connection', async () => {
    const { lobby, port } = await openLobby({
      path: () => {
        lobby.close();
        return true;
      },
    });
    expect((await exchange(port, upgradeRequest())).status).toBe(503);
    expect(lobby.stats).toMatchObject({ connections: 0, pending: 0, accepted: 0, refused: 1 });
  });

  it('is a 500 where the function throws', () => {
    const path = (): never => {
      throw new Error('oops');
    };
    const lobby = new Lobby(resolveServerOptions({ path }), new EventEmitter());
    expect(lobby.judgePath(request)).toBeInstanceOf(Refusal);
    expect((lobby.judgePath(request) as Refusal).status).toBe(500);
  });

  it('answers 404, or the 500, on the wire', async () => {
    const missing = await openLobby({ path: '/chat' });
    expect((await exchange(missing.port, upgradeRequest({ path: '/x' }))).status).toBe(404);
    const broken = await openLobby({ path: () => JSON.parse('{') });
    expect((await exchange(broken.port, upgradeRequest())).status).toBe(500);
  });
});

describe('a Lobby', () => {
  it('queues what nobody has asked for, and counts', async () => {
    const { lobby, port } = await openLobby();
    await rawClient(port);
    await rawClient(port);
    await exchange(port, upgradeRequest({ headers: { Host: undefined } }));
    expect(lobby.stats).toMatchObject({ connections: 2, queued: 2, pending: 0, accepted: 2, refused: 1 });
    expect(lobby.stats.refusedByStatus).toEqual({ 400: 1 });
    const taken = await lobby.queue.take();
    taken?.forceClose();
    await taken?.closeInfo;
    expect(lobby.stats).toMatchObject({ connections: 1, queued: 1, accepted: 2 });
  });

  it('adds up what its connections have received and sent, those that are over too', async () => {
    const { lobby, port } = await openLobby({ path: '/chat' });
    const connections: WsConnection[] = [];
    for (let index = 0; index < 3; index++) {
      const client = await connect(`ws://127.0.0.1:${port}/chat`);
      const ours = (await lobby.queue.take())!;
      connections.push(client);
      await client.sendText('hello');
      await client.sendText('unread');
      await ours.recvFrame();
      await ours.sendText('hi');
      await client.recvFrame();
      await until(() => ours.stats.received.messages === 2);
    }
    await exchange(port, upgradeRequest({ path: '/x' }));
    await exchange(port, upgradeRequest({ path: '/y' }));
    expect(lobby.stats.refusedByStatus).toEqual({ 404: 2 });
    const before = lobby.stats;
    const sum = { messages: 6, frames: 6, payloadBytes: 33, wireBytes: 33 + 6 * 6, pings: 0, pongs: 0 };
    expect(before.received).toMatchObject({ ...sum, compressionRatio: 33 / (33 + 36) });
    expect(before.received.bufferedBytes).toBeGreaterThan(3 * 6);
    expect(before.sent).toMatchObject({ messages: 3, payloadBytes: 6, wireBytes: 12, bufferedBytes: 0 });
    for (const client of connections) client.forceClose();
    await until(() => lobby.connections.size === 0);
    expect(lobby.stats).toEqual({ ...before, connections: 0, received: { ...before.received, bufferedBytes: 0 } });
  });

  it('hands out a connection whose peer has gone meanwhile, with its messages', async () => {
    const { lobby, port } = await openLobby();
    const { socket } = await rawClient(port, { behind: Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]) });
    socket.end();
    await turns();
    const connection = await lobby.queue.take();
    expect((await connection?.recvFrame())?.payloadText()).toBe('hi');
    expect(await connection?.recvFrame()).toBeNull();
  });

  it('answers 503 beyond the queue, unless somebody waits', async () => {
    const { lobby, port } = await openLobby({ acceptQueue: 1 });
    expect((await rawClient(port)).status).toBe(101);
    expect((await exchange(port, upgradeRequest())).status).toBe(503);
    await lobby.queue.take();
    expect((await rawClient(port)).status).toBe(101);
    await lobby.queue.take();
    const waits = [lobby.queue.take(), lobby.queue.take()];
    const statuses = [await rawClient(port), await rawClient(port), await rawClient(port)].map(({ status }) => status);
    expect(statuses).toEqual([101, 101, 101]);
    expect(await Promise.all(waits)).toHaveLength(2);
  });

  it('takes with acceptQueue 0 who is waited for, and nobody else', async () => {
    const { lobby, port } = await openLobby({ acceptQueue: 0 });
    expect((await exchange(port, upgradeRequest())).status).toBe(503);
    const wait = lobby.queue.take();
    expect((await rawClient(port)).status).toBe(101);
    expect(await wait).not.toBeNull();
  });

  it('answers 503 beyond maxConnections, handshakes under way included', async () => {
    const goesOn = deferred();
    const authorize = () => goesOn.promise;
    const { lobby, port } = await openLobby({ maxConnections: 2, authorize });
    const first = rawClient(port);
    const second = rawClient(port);
    await until(() => lobby.stats.pending === 2);
    expect((await exchange(port, upgradeRequest())).status).toBe(503);
    goesOn.resolve();
    expect([(await first).status, (await second).status]).toEqual([101, 101]);
    expect((await exchange(port, upgradeRequest())).status).toBe(503);
    const [connection] = lobby.connections;
    connection?.forceClose();
    await connection?.closeInfo;
    expect((await rawClient(port)).status).toBe(101);
  });

  it('refuses, once closed, handshakes under way and those that come', async () => {
    const { lobby, port } = await openLobby({ authorize: () => new Promise(() => {}) });
    const first = exchange(port, upgradeRequest());
    await until(() => lobby.stats.pending === 1);
    lobby.close();
    expect((await first).status).toBe(503);
    expect((await exchange(port, upgradeRequest())).status).toBe(503);
    expect(lobby.stats).toMatchObject({ pending: 0, refused: 2 });
  });

  it('tells onRefused of each refusal', async () => {
    const onRefused = vi.fn();
    const { port } = await openLobby({ authorize: () => refuse(402), onRefused });
    await exchange(port, upgradeRequest());
    expect(onRefused).toHaveBeenCalledWith(expect.objectContaining({ status: 402 }));
  });
});

describe("the event 'connection'", () => {
  it('takes connections while it has a listener, whatever their number', async () => {
    const { lobby, emitter, port } = await openLobby({ acceptQueue: 0 });
    const taken: WsConnection[] = [];
    emitter.on('connection', (connection) => taken.push(connection));
    for (let count = 0; count < 3; count++) await rawClient(port);
    await until(() => taken.length === 3);
    expect(lobby.stats).toMatchObject({ connections: 3, queued: 0 });
  });

  it('gives a late listener what was queued, in order', async () => {
    const { lobby, emitter, port } = await openLobby();
    for (const path of ['/1', '/2']) await rawClient(port, { path });
    expect(lobby.stats.queued).toBe(2);
    const paths: unknown[] = [];
    emitter.on('connection', ({ request: { url } }) => paths.push(url));
    await turns(1);
    expect(paths).toEqual(['/1', '/2']);
  });

  it('leaves what a once-listener does not take to the queue', async () => {
    const { lobby, emitter, port } = await openLobby();
    await rawClient(port, { path: '/1' });
    await rawClient(port, { path: '/2' });
    const paths: unknown[] = [];
    emitter.once('connection', ({ request: { url } }) => paths.push(url));
    await turns(1);
    expect([paths, lobby.stats.queued]).toEqual([['/1'], 1]);
  });

  it('loses no connection where the listener goes in the last moment', async () => {
    const { lobby, emitter, port } = await openLobby();
    const listener = vi.fn();
    emitter.on('connection', listener);
    const add = lobby.connections.add.bind(lobby.connections);
    lobby.connections.add = (connection) => {
      queueMicrotask(() => emitter.off('connection', listener));
      return add(connection);
    };
    await rawClient(port);
    await until(() => lobby.stats.queued === 1 || listener.mock.calls.length === 1);
    expect(lobby.stats.queued + listener.mock.calls.length).toBe(1);
  });
});
