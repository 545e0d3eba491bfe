import { describe, expect, it } from 'vitest';
import { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { until } from '../../support/endpoints.ts';
import { isClose, meet, ROLES } from '../../support/naive-peer.ts';
import { memoryPair } from '../../support/sockets.ts';

describe('a ping', () => {
  it('measures its round trip, which stays as latencyMs (§5.5.2, §5.5.3)', async () => {
    const { client, server } = createPair();
    expect(client.latencyMs).toBeUndefined();
    const roundTripMs = await client.ping('a');
    expect(roundTripMs).toBeGreaterThanOrEqual(0);
    expect(client.latencyMs).toBe(roundTripMs);
    expect(await server.ping()).toBe(server.latencyMs);
    client.forceClose();
    await server.closeInfo;
  });

  it('gives null when the connection is over, before or meanwhile', async () => {
    const { client, server } = memoryPair();
    const conn = WsConnection.fromClient(client);
    const waiting = conn.ping();
    server.destroy();
    expect(await waiting).toBeNull();
    expect(await conn.ping()).toBeNull();
    expect(conn.latencyMs).toBeUndefined();
  });

  it('gives null after timeoutMs', async () => {
    const { client } = memoryPair();
    const conn = WsConnection.fromClient(client);
    expect(await conn.ping('x', { timeoutMs: 5 })).toBeNull();
    expect(conn.isOpen()).toBe(true);
    conn.forceClose();
  });
});

describe.each(ROLES)('the heartbeat (%s)', (role) => {
  it('cuts a half-open peer, which gives no sign of life, with 1006, and says so (§5.5.2)', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', heartbeat: { intervalMs: 20, timeoutMs: 20 } });
    // It reads and the transport stands; only, nobody answers.
    expect(await peer.next()).toMatchObject({ opcode: 9 });
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect(info.error).toMatchObject({ code: 'WS_ERR_CLOSED', cause: { code: 'WS_ERR_HEARTBEAT_TIMEOUT' } });
    expect(info.error?.message).toMatch(/no sign of life for \d+ ms/);
    expect(await conn.recvFrame()).toBeNull();
  });

  it('keeps a peer that only answers pings, and measures how long that takes', async () => {
    const { conn, peer } = await meet(role, { heartbeat: { intervalMs: 5, timeoutMs: 1000 } });
    for (let count = 0; count < 3; count++) {
      const ping = await peer.find(9);
      peer.send(10, ping!.payload);
      await until(() => conn.latencyMs !== undefined);
    }
    expect(conn.latencyMs).toBeGreaterThan(0);
    expect(conn.isOpen()).toBe(true);
    conn.forceClose();
  });

  it('learns nothing from a pong that answers no ping of its own (§5.5.3)', async () => {
    const { conn, peer } = await meet(role, { heartbeat: true });
    peer.send(10);
    peer.send(10, 'of nothing');
    peer.text('behind');
    await conn.recvFrame();
    expect(conn.latencyMs).toBeUndefined();
    conn.forceClose();
  });

  it('does not punish a peer for what we ourselves do not read', async () => {
    const { conn, peer } = await meet(role, { heartbeat: { intervalMs: 15, timeoutMs: 15 }, maxBufferedBytes: 0 });
    peer.text('unread');
    peer.text('and held');
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(conn.isOpen()).toBe(true);
    expect((await conn.recvFrame())?.payloadText()).toBe('unread');
    conn.forceClose();
  });
});

describe.each(ROLES)('writeTimeoutMs (%s)', (role) => {
  it('cuts a peer that sends and never reads, and keeps the promise of what waited: 0', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', writeTimeoutMs: 60 });
    const sent = conn.sendBinary(Buffer.alloc(16_000_000));
    const chatter = setInterval(() => peer.send(10, 'I am here'), 5);
    const info = await conn.closeInfo;
    clearInterval(chatter);
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect(info.error).toMatchObject({ cause: { code: 'WS_ERR_WRITE_TIMEOUT' } });
    expect(info.error?.message).toMatch(/took nothing of what waits for it for \d+ ms/);
    expect(await sent).toBe(0);
  });

  it('leaves a peer alone for which nothing waits', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', writeTimeoutMs: 20 });
    await conn.sendText('taken by the system');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(conn.isOpen()).toBe(true);
    expect((await peer.next())?.payload.toString()).toBe('taken by the system');
    conn.forceClose();
  });
});

describe.each(ROLES)('idleTimeoutMs (%s)', (role) => {
  it('closes with 1001 where no message goes either way, though pings do', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', idleTimeoutMs: 60 });
    const pings = setInterval(() => peer.ping('x'), 5);
    const close = await peer.find(8);
    clearInterval(pings);
    expect(close).toMatchObject({ opcode: 8 });
    expect(close!.payload.readUInt16BE(0)).toBe(1001);
    expect(close!.payload.subarray(2).toString()).toMatch(/^no message for \d+ ms$/);
    peer.close(1001);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1001, wasClean: true, initiator: 'local' });
  });

  it('lets what is said go on, from either side', async () => {
    const { conn, peer } = await meet(role, { idleTimeoutMs: 400 });
    const begun = performance.now();
    for (let turn = 0; performance.now() - begun < 700; turn++) {
      if (turn % 2 === 0) peer.text('hello');
      else await conn.sendText('hello');
      if (turn % 2 === 0) await conn.recvFrame();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(conn.isOpen()).toBe(true);
    conn.close(4000).catch(() => {});
    expect(await peer.find(8)).toMatchObject(isClose(4000));
    conn.forceClose();
  });
});
