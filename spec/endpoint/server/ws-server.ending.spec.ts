import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { boundServer, deferred, dial, exchange, linked, turns, until, urlOf } from '../../support/endpoints.ts';
import { rawClient, upgradeRequest } from '../../support/sockets.ts';

describe('stop', () => {
  it('takes no new connections, and lets those go on that stand', async () => {
    const server = await boundServer();
    const { client, ours } = await linked(server);
    server.stop();
    server.stop();
    await expect(connect(urlOf(server))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await ours.sendText('still there');
    expect((await client.recvFrame())?.payloadText()).toBe('still there');
    await Promise.all([client.close(), ours.recvFrame()]);
  });

  it('answers 503 to a handshake under way', async () => {
    const isAsked = deferred();
    const authorize = () => new Promise<void>(() => isAsked.resolve());
    const server = await boundServer({ authorize });
    const response = exchange(server.port, upgradeRequest());
    await isAsked.promise;
    server.stop();
    expect((await response).status).toBe(503);
  });
});

describe('close', () => {
  it('gives up when its signal aborts: what is left is destroyed, and the wait rejects with an AbortError', async () => {
    const server = await boundServer();
    // A peer that never answers a close.
    const peer = await rawClient(server.port);
    await until(() => server.connections.size === 1);
    const controller = new AbortController();
    const closing = server.close({ signal: controller.signal });
    controller.abort();
    await expect(closing).rejects.toMatchObject({ name: 'AbortError' });
    await peer.received.readAll();
    await server.close();
    expect(server.connections.size).toBe(0);
    await expect(server.close({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('closes all connections with 1001, or with what is said, and frees the port', async () => {
    const server = await boundServer();
    const links = [await linked(server), await linked(server)];
    const closed = server.close({ code: 4000, reason: 'night' });
    await Promise.all(links.map(({ client }) => client.recvFrame()));
    await closed;
    for (const { client } of links) {
      expect(await client.closeInfo).toMatchObject({ code: 4000, reason: 'night', wasClean: true });
    }
    expect(server.stats).toMatchObject({ connections: 0, queued: 0 });
    const next = await WsServer.bind({ port: server.port, host: '127.0.0.1' });
    await next.close();
  });

  it('resolves for all who call it', async () => {
    const server = await boundServer();
    await Promise.all([server.close(), server.close({ code: 1000 }), server[Symbol.asyncDispose]()]);
    await server.close();
  });

  it('destroys at the deadline what does not answer', async () => {
    const server = await boundServer();
    const { received } = await rawClient(server.port);
    const connection = (await server.accept())!;
    await server.close({ deadlineMs: 20 });
    expect(await connection.closeInfo).toMatchObject({ code: 1006, wasClean: false });
    expect((await received.readAll()).subarray(0, 4)).toEqual(Buffer.from([0x88, 0x02, 0x03, 0xe9]));
  });

  it('does not wait for peers that have asked nothing', async () => {
    const server = await boundServer();
    const { socket, received } = dial(server.port);
    await once(socket, 'connect');
    await until(() => socket.bytesWritten === 0);
    await turns(20);
    await server.close();
    expect((await received.readAll()).length).toBe(0);
  });

  it('closes what nobody has accepted', async () => {
    const server = await boundServer();
    const client = await connect(urlOf(server));
    const closed = server.close();
    expect(await client.recvFrame()).toBeNull();
    await closed;
    expect(await server.accept()).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1001 });
  });

  it.each<[string, object, unknown]>([
    ['a code that may not travel', { code: 1006 }, RangeError],
    ['a code that is text', { code: '1000' }, TypeError],
    ['a reason that is too long', { reason: 'a'.repeat(124) }, RangeError],
    ['a deadline below zero', { deadlineMs: -1 }, RangeError],
    ['a deadline that is text', { deadlineMs: 'soon' }, TypeError],
  ])('rejects %s, and goes on', async (_title, options, error) => {
    const server = await boundServer();
    await expect(server.close(options)).rejects.toThrow(error as typeof Error);
    expect(server.running).toBe(true);
  });
});

describe('drop', () => {
  it.each<[string, (server: WsServer) => void]>([
    ['drop()', (server) => server.drop()],
    ['[Symbol.dispose]()', (server) => server[Symbol.dispose]()],
  ])('destroys all at once: %s', async (_title, drop) => {
    const server = await boundServer();
    const { client, ours } = await linked(server);
    const waiting = await rawClient(server.port);
    const silent = dial(server.port);
    await once(silent.socket, 'connect');
    await turns(20);
    drop(server);
    expect(await ours.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
    expect(await client.closeInfo).toMatchObject({ code: 1006, initiator: 'remote' });
    expect((await waiting.received.readAll()).length + (await silent.received.readAll()).length).toBe(0);
    expect(await server.accept()).toBeNull();
    expect(server.stats).toMatchObject({ connections: 0, queued: 0, pending: 0 });
  });
});

describe('broadcast', () => {
  it('sends to all, or to those that are picked, and tells to how many', async () => {
    const server = await boundServer();
    const links = [await linked(server), await linked(server), await linked(server)];
    expect(await server.broadcast('all')).toBe(3);
    expect(await server.broadcast(Uint8Array.of(1), (connection) => connection === links[1]?.ours)).toBe(1);
    expect(await server.broadcast(WsFrame.text('end'), () => true)).toBe(3);
    const texts = await Promise.all(
      links.map(async ({ client }) => {
        const first = await client.recvFrame();
        const second = await client.recvFrame();
        return [first, second].map((frame) => (frame?.isText() ? frame.payloadText() : frame?.payload[0]));
      }),
    );
    expect(texts).toEqual([
      ['all', 'end'],
      ['all', 1],
      ['all', 'end'],
    ]);
    server.drop();
  });

  it('waits until the slowest has room, and drops nothing', async () => {
    const server = await boundServer();
    const slow = await rawClient(server.port);
    slow.socket.removeAllListeners('data').pause();
    await server.accept();
    let isSettled = false;
    const message = Buffer.alloc(16 * 1024 * 1024);
    const sending = server.broadcast(message).then((count) => {
      isSettled = true;
      return count;
    });
    await turns(50);
    expect(isSettled).toBe(false);
    let received = 0;
    slow.socket.on('data', ({ length }) => {
      received += length;
    });
    slow.socket.resume();
    expect(await sending).toBe(1);
    await until(() => received > message.length);
    server.drop();
  });

  it('counts nobody where nobody is', async () => {
    expect(await (await boundServer()).broadcast('anybody?')).toBe(0);
  });

  it('rejects what is no message', async () => {
    await expect((await boundServer()).broadcast(5 as never)).rejects.toThrow(TypeError);
  });
});
