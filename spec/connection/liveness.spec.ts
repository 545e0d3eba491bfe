import { describe, expect, it } from 'vitest';
import { WsConnection } from '../../lib/connection/ws-connection.ts';
import { createPair } from '../../lib/endpoint/pair.ts';
import { memoryPair } from '../support/sockets.ts';

describe('liveness', () => {
  it('measures the round trip of a ping (§5.5.2, §5.5.3)', async () => {
    const { client, server } = createPair();
    expect(await client.ping('a')).toBeGreaterThanOrEqual(0);
    expect(await server.ping()).toBeGreaterThanOrEqual(0);
    client.forceClose();
    await server.closeInfo;
  });

  it('gives null for a ping when the connection is over, before or meanwhile', async () => {
    const { client, server } = memoryPair();
    const conn = WsConnection.fromClient(client);
    const waiting = conn.ping();
    server.destroy();
    expect(await waiting).toBeNull();
    expect(await conn.ping()).toBeNull();
  });

  it('gives null after timeoutMs', async () => {
    const { client } = memoryPair();
    const conn = WsConnection.fromClient(client);
    expect(await conn.ping('x', { timeoutMs: 5 })).toBeNull();
    expect(conn.isOpen()).toBe(true);
    conn.forceClose();
  });

  it('cuts a peer that gives no sign of life, and says so', async () => {
    const { server } = memoryPair();
    const conn = WsConnection.fromServer(server, { heartbeat: { intervalMs: 20, timeoutMs: 20 } });
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect(info.error?.message).toMatch(/no sign of life for \d+ ms/);
  });

  it('keeps a peer that only answers pings', async () => {
    const { client, server } = createPair({
      client: { controlFrames: true },
      server: { heartbeat: { intervalMs: 5, timeoutMs: 1000 } },
    });
    // Each of them was sent after a silence, and answered.
    for (let count = 0; count < 3; count++) expect((await client.recvFrame())?.isPing()).toBe(true);
    expect(server.isOpen()).toBe(true);
    server.forceClose();
    await client.closeInfo;
  });
});
