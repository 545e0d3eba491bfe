/** The face of a connection: how it is made, what it tells of itself, and what it makes of sockets of every kind. */
import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { EstablishedOptions } from '../../lib/connection/connection-arguments.ts';
import { WsConnection } from '../../lib/connection/ws-connection.ts';
import { ClosedError } from '../../lib/errors.ts';
import { WS_STATE_CLOSED, WS_STATE_CLOSING, WS_STATE_OPEN } from '../../lib/protocol/closing.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { closeBody, isClose, meet, NaivePeer, ROLES, turns } from '../support/naive-peer.ts';
import { memoryPair, tcpPair } from '../support/sockets.ts';

describe('a new connection', () => {
  it.each(ROLES)('is open at once, as %s', async (role) => {
    const { conn } = await meet(role);
    expect(conn).toBeInstanceOf(Duplex);
    expect(conn.readableObjectMode && conn.writableObjectMode).toBe(true);
    expect([conn.role, conn.isServer]).toEqual([role, role === 'server']);
    expect([conn.state, conn.isOpen(), conn.bufferedAmount]).toEqual([WS_STATE_OPEN, true, 0]);
    expect([conn.protocol, conn.extensions]).toEqual(['', '']);
    expect([conn.request, conn.response, conn.context]).toEqual([undefined, undefined, undefined]);
    expectTypeOf(conn.recvFrame()).resolves.toEqualTypeOf<WsFrame | null>();
    expectTypeOf(conn.closed).toEqualTypeOf<boolean>();
    expect(conn.closed).toBe(false);
  });

  it('tells what the handshake handed over', async () => {
    const request = { url: '/x', headers: {}, remoteAddress: undefined, protocols: ['a'], httpVersion: '1.1' };
    const context = { user: 'u' };
    const { conn } = await meet('server', {
      protocol: 'a',
      extensions: { header: 'e', rsv: 0, stages: [] },
      request,
      context,
    });
    expect([conn.protocol, conn.extensions]).toEqual(['a', 'e']);
    expect(conn.request).toBe(request);
    expect(conn.context).toBe(context);
  });

  it('tells its state: open, closing, closed', async () => {
    const { conn, peer } = await meet('server');
    const info = conn.close();
    expect([conn.state, conn.isOpen()]).toEqual([WS_STATE_CLOSING, false]);
    await peer.next();
    peer.close();
    peer.fin();
    await info;
    expect([conn.state, conn.isOpen()]).toEqual([WS_STATE_CLOSED, false]);
  });

  it.each([undefined, null, 5, {}, new PassThrough().on, { pipe() {} }])('is refused over %j (TypeError)', (socket) => {
    expect(() => WsConnection.fromServer(socket as unknown as Duplex)).toThrow(TypeError);
    expect(() => WsConnection.fromClient(socket as unknown as Duplex)).toThrow(TypeError);
  });

  it.each<[EstablishedOptions, typeof TypeError | typeof RangeError]>([
    [{ maxMessageBytes: -1 }, RangeError],
    [{ maxMessageBytes: 1.5 }, RangeError],
    [{ maxMessageBytes: '1' as unknown as number }, TypeError],
    [{ maxFrameBytes: Number.NaN }, RangeError],
    [{ closeTimeoutMs: 0 }, RangeError],
    [{ closeTimeoutMs: Number.POSITIVE_INFINITY }, RangeError],
    [{ autoPong: 1 as unknown as boolean }, TypeError],
    [{ heartbeat: { intervalMs: -1 } }, RangeError],
    [{ heartbeat: 5 as unknown as boolean }, TypeError],
    [{ head: 'text' as unknown as Uint8Array }, TypeError],
  ])('is refused with %j, and the socket is left alone', (options, type) => {
    const { server } = memoryPair();
    const before = server.eventNames().map((name) => [name, server.listenerCount(name)]);
    expect(() => WsConnection.fromServer(server, options)).toThrow(type);
    expect(server.eventNames().map((name) => [name, server.listenerCount(name)])).toEqual(before);
    expect(server.destroyed).toBe(false);
  });
});

describe.each(ROLES)('bytes that came with the handshake (%s)', (role) => {
  it('are read first, in order, also where they end inside a frame', async () => {
    const pair = memoryPair();
    const peer = new NaivePeer(pair[role === 'client' ? 'server' : 'client'], role === 'client' ? 'server' : 'client');
    const bytes = Buffer.concat(['one', 'two', 'three'].map((text) => peer.encode(1, text)));
    for (const cut of [0, 1, 3, 9, 14, bytes.length]) {
      const each = memoryPair();
      const make = role === 'client' ? WsConnection.fromClient : WsConnection.fromServer;
      const other = new NaivePeer(each[role === 'client' ? 'server' : 'client'], peer.role);
      const head = Uint8Array.from(bytes.subarray(0, cut));
      const conn = make(each[role], { head: cut % 2 === 0 ? head : head.buffer });
      if (cut < bytes.length) other.raw(bytes.subarray(cut));
      for (const text of ['one', 'two', 'three']) expect((await conn.recvFrame())?.payloadText()).toBe(text);
    }
  });

  it('may be all that ever comes, close frame and all', async () => {
    const { peer: sample } = await meet(role);
    const head = Buffer.concat([sample.encode(1, 'only'), sample.encode(8, closeBody(1000))]);
    const { conn, peer } = await meet(role, { head });
    expect((await conn.recvFrame())?.payloadText()).toBe('only');
    await conn.sendText('answer');
    expect(await conn.recvFrame()).toBeNull();
    expect((await peer.next())?.payload.toString()).toBe('answer');
    expect(await peer.next()).toMatchObject(isClose(1000));
  });

  it('may be many: nothing is lost, and what nobody reads waits', async () => {
    const { peer: sample } = await meet(role);
    const head = Buffer.concat(Array.from({ length: 5000 }, (_, i) => sample.encode(1, `${i}`)));
    const { conn, peer } = await meet(role, { head });
    peer.text('5000');
    await turns();
    for (let i = 0; i <= 5000; i++) {
      const text = (await conn.recvFrame())?.payloadText();
      if (text !== `${i}`) expect(text).toBe(`${i}`);
    }
  });
});

describe.each(ROLES)('sockets in every state (%s)', (role) => {
  const make = (socket: Duplex): WsConnection =>
    role === 'client' ? WsConnection.fromClient(socket) : WsConnection.fromServer(socket);

  it('may be destroyed already: the connection is over, and nothing throws', async () => {
    const pair = await tcpPair();
    pair[role].destroy();
    const conn = make(pair[role]);
    const sent = conn.sendText('x');
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1006, wasClean: false });
    expect(await sent).toEqual(expect.any(Number));
    expect(await conn.sendText('y')).toBe(0);
  });

  it('may have ended already, unread: what came is read', async () => {
    const pair = await tcpPair();
    const other = role === 'client' ? 'server' : 'client';
    const peer = new NaivePeer(pair[other], other);
    peer.text('early');
    peer.fin();
    await turns(20);
    const conn = make(pair[role]);
    expect((await conn.recvFrame())?.payloadText()).toBe('early');
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1006, initiator: 'remote' });
  });

  it('may have ended already, and that was seen', async () => {
    const pair = memoryPair();
    pair[role].allowHalfOpen = true;
    pair[role].resume();
    pair[role === 'client' ? 'server' : 'client'].end();
    await once(pair[role], 'end');
    const conn = make(pair[role]);
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1006, initiator: 'remote' });
  });

  it('may be paused', async () => {
    const pair = await tcpPair();
    const other = role === 'client' ? 'server' : 'client';
    pair[role].pause();
    const conn = make(pair[role]);
    new NaivePeer(pair[other], other).text('hello');
    expect((await conn.recvFrame())?.payloadText()).toBe('hello');
  });

  it('may fail when written to', async () => {
    const socket = new Duplex({
      read() {},
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    });
    const conn = make(socket);
    void conn.sendText('x');
    expect(await conn.recvFrame()).toBeNull();
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'remote' });
    expect(info.error).toBeInstanceOf(ClosedError);
    expect(info.error?.cause).toMatchObject({ code: 'EPIPE' });
    expect(socket.destroyed).toBe(true);
  });

  it('may never destroy themselves', async () => {
    const socket = new Duplex({
      read() {},
      write: (_chunk, _encoding, done) => done(),
      autoDestroy: false,
      emitClose: false,
    });
    const conn = make(socket);
    socket.push(null);
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1006 });
    await turns();
    expect(socket.destroyed).toBe(true);
  });

  it('is let go in the end: no listener of ours is left', async () => {
    const pair = memoryPair();
    const other = role === 'client' ? 'server' : 'client';
    const before = pair[role].eventNames().map((name) => [name, pair[role].listenerCount(name)]);
    const conn = make(pair[role]);
    const peer = new NaivePeer(pair[other], other);
    peer.close(1000);
    await peer.next();
    peer.fin();
    await conn.closeInfo;
    await turns();
    expect(pair[role].eventNames().map((name) => [name, pair[role].listenerCount(name)])).toEqual(before);
  });
});

it('two connections talk to each other', async () => {
  const { client: left, server: right } = memoryPair();
  const [client, server] = [WsConnection.fromClient(left), WsConnection.fromServer(right)];
  server.pipe(server);
  expect(await client.sendText('hello')).toBe(11);
  expect((await client.recvFrame())?.payloadText()).toBe('hello');
  expect(await client.ping()).toBeGreaterThanOrEqual(0);
  expect(await server.ping()).toBeGreaterThanOrEqual(0);
  await client.sendFrame(WsFrame.binary(new Uint8Array(300_000)));
  expect((await client.recvFrame())?.payloadLength).toBe(300_000);
  const [theirs, ours] = await Promise.all([server.closeInfo, client.close(4000, 'enough')]);
  expect(ours).toEqual({ code: 4000, reason: 'enough', wasClean: true, initiator: 'local' });
  expect(theirs).toEqual({ code: 4000, reason: 'enough', wasClean: true, initiator: 'remote' });
});
