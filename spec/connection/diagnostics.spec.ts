import { describe, expect, it, vi } from 'vitest';
import {
  type HandshakeMessage,
  openChannel,
  publishHandshake,
  refusedChannel,
} from '../../lib/connection/diagnostics.ts';
import { listenTo } from '../support/channels.ts';
import { isClose, meet, ROLES, turns } from '../support/naive-peer.ts';

interface Message {
  readonly connection?: unknown;
  readonly info?: unknown;
  readonly error?: unknown;
  readonly limit?: unknown;
  readonly roundTripMs?: unknown;
}

describe('a channel', () => {
  it('knows whether anybody subscribes, so that nothing is made for nobody', () => {
    expect([openChannel.hasSubscribers, refusedChannel.hasSubscribers]).toEqual([false, false]);
    listenTo<Message>('wspipe:open');
    expect([openChannel.hasSubscribers, refusedChannel.hasSubscribers]).toEqual([true, false]);
  });
});

describe('a handshake', () => {
  const about = (): { role: 'client'; url: string } => ({ role: 'client', url: 'ws://a.example/' });

  it('is looked at by nobody where nobody subscribes', () => {
    const asked = vi.fn(about);
    expect(publishHandshake(asked)).toBeUndefined();
    expect(asked).not.toHaveBeenCalled();
  });

  it.each([
    ['both', ['wspipe:handshake-start', 'wspipe:handshake-end']],
    ['its beginning alone', ['wspipe:handshake-start']],
    ['its end alone', ['wspipe:handshake-end']],
  ])('is told with one object, whoever listens to %s', (_title, names) => {
    const messages = names.flatMap((name) => [listenTo<HandshakeMessage>(name)]);
    const error = new Error('no');
    const ended = publishHandshake(about);
    if (names[0] === 'wspipe:handshake-start')
      expect(messages[0]).toMatchObject([{ ...about(), durationMs: undefined }]);
    ended?.({ error });
    for (const [message] of messages)
      expect(message).toMatchObject({ ...about(), error, durationMs: expect.any(Number) });
    expect(new Set(messages.flat()).size).toBe(1);
  });
});

describe.each(ROLES)('a connection (%s)', (role) => {
  it('tells wspipe:open when it stands, ready to be used', async () => {
    const messages = listenTo<Message>('wspipe:open');
    const { conn } = await meet(role);
    expect(messages).toEqual([{ connection: conn }]);
    expect(conn.isOpen()).toBe(true);
    conn.forceClose();
  });

  it('tells wspipe:closed once, with what closeInfo says', async () => {
    const messages = listenTo<Message>('wspipe:closed');
    const { conn, peer } = await meet(role);
    peer.close(1000, 'bye');
    peer.fin();
    const info = await conn.closeInfo;
    conn.forceClose();
    await turns();
    expect(messages).toEqual([{ connection: conn, info }]);
    expect(messages[0]!.info).toBe(info);
  });

  it('tells wspipe:violation of what the peer broke, and no limit', async () => {
    const [violations, limits] = [listenTo<Message>('wspipe:violation'), listenTo<Message>('wspipe:limit')];
    const { conn, peer } = await meet(role);
    peer.send(3);
    peer.fin();
    const { error } = await conn.closeInfo;
    expect(error).toMatchObject({ code: 'WS_ERR_RESERVED_OPCODE' });
    expect(violations).toEqual([{ connection: conn, error }]);
    expect(violations[0]!.error).toBe(error);
    expect(limits).toEqual([]);
  });

  it.each([
    ['maxMessageBytes', { maxMessageBytes: 5 }, 'WS_ERR_MESSAGE_TOO_LARGE'],
    ['maxFrameBytes', { maxFrameBytes: 5 }, 'WS_ERR_FRAME_TOO_LARGE'],
  ])('tells wspipe:violation and wspipe:limit of what exceeds %s', async (limit, options, code) => {
    const [violations, limits] = [listenTo<Message>('wspipe:violation'), listenTo<Message>('wspipe:limit')];
    const { conn, peer } = await meet(role, options);
    peer.text('123456');
    peer.fin();
    expect(await conn.recvFrame()).toBeNull();
    expect(violations).toMatchObject([{ connection: conn, error: { code, closeCode: 1009 } }]);
    expect(limits).toEqual([{ limit, connection: conn }]);
    await conn.closeInfo;
  });

  it('tells wspipe:ping of each pong that answers a ping of ours', async () => {
    const messages = listenTo<Message>('wspipe:ping');
    const { conn, peer } = await meet(role);
    const asked = [conn.ping('1'), conn.ping('2')];
    peer.send(10, 'stray');
    peer.send(10, '2');
    await Promise.all(asked);
    expect(messages).toEqual([{ connection: conn, roundTripMs: conn.latencyMs }]);
    conn.forceClose();
  });

  it('tells wspipe:ping of the heartbeat', async () => {
    const messages = listenTo<Message>('wspipe:ping');
    const { conn, peer } = await meet(role, { heartbeat: { intervalMs: 5, timeoutMs: 10_000 } });
    expect(await peer.find(9)).toMatchObject({ payload: Buffer.alloc(0) });
    peer.send(10);
    peer.send(10);
    await vi.waitFor(() => expect(messages.length).toBeGreaterThan(0));
    expect(messages[0]).toEqual({ connection: conn, roundTripMs: conn.latencyMs });
    conn.forceClose();
  });

  it('tells wspipe:limit of a dead peer (heartbeat)', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const { conn } = await meet(role, { heartbeat: { intervalMs: 10, timeoutMs: 10 } });
    await conn.closeInfo;
    expect(limits).toEqual([{ limit: 'heartbeat', connection: conn }]);
  });

  it('tells wspipe:limit of a peer that reads nothing (writeTimeoutMs)', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const { conn } = await meet(role, { writeTimeoutMs: 20 });
    void conn.sendBinary(Buffer.alloc(1_000_000));
    await conn.closeInfo;
    expect(limits).toEqual([{ limit: 'writeTimeoutMs', connection: conn }]);
  });

  it('tells wspipe:limit of a silence (idleTimeoutMs), and of a close that stands still (closeTimeoutMs)', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const { conn, peer } = await meet(role, { idleTimeoutMs: 10, closeTimeoutMs: 20 });
    peer.listen();
    await conn.closeInfo;
    expect(limits).toEqual([
      { limit: 'idleTimeoutMs', connection: conn },
      { limit: 'closeTimeoutMs', connection: conn },
    ]);
  });

  it('tells wspipe:limit of a caller who does not wait (maxQueuedBytes)', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const { conn } = await meet(role, { maxQueuedBytes: 10_000 });
    while (conn.isOpen()) void conn.sendBinary(Buffer.alloc(30_000));
    expect(limits).toEqual([{ limit: 'maxQueuedBytes', connection: conn }]);
    conn.forceClose();
  });

  it('tells wspipe:limit of a peer that is held to a rate, each time that begins', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const { conn, peer } = await meet(role, { maxMessagesPerSecond: 4 });
    for (let index = 0; index < 6; index++) peer.text('x');
    for (let index = 0; index < 6; index++) await conn.recvFrame();
    expect(limits.length).toBeGreaterThan(0);
    expect(new Set(limits.map(({ limit }) => limit))).toEqual(new Set(['maxMessagesPerSecond']));
    conn.forceClose();
  });

  it('does not tell of plain backpressure, which is no limit: maxBufferedBytes', async () => {
    const limits = listenTo<Message>('wspipe:limit');
    const { conn, peer } = await meet(role, { maxBufferedBytes: 1 });
    for (let index = 0; index < 50; index++) peer.text('x');
    await turns();
    for (let index = 0; index < 50; index++) await conn.recvFrame();
    expect(limits).toEqual([]);
    conn.forceClose();
    expect(await peer.rest()).not.toContainEqual(isClose(1009));
  });
});
