/** What a connection counts: in both roles, with and without compression, over rests and beyond its end. */
import { describe, expect, it, vi } from 'vitest';
import { restWatch } from '../../lib/connection/road/rest-watch.ts';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { createPair, type WsPair } from '../../lib/endpoint/pair.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { meet, ROLES, turns } from '../support/naive-peer.ts';

const NOTHING = { messages: 0, frames: 0, payloadBytes: 0, wireBytes: 0, pings: 0, pongs: 0, bufferedBytes: 0 };

/** Lets both ends rest. */
async function rest(): Promise<void> {
  await vi.waitFor(
    () => {
      restWatch.elapsed();
      expect(restWatch.size).toBe(0);
    },
    { interval: 2 },
  );
}

async function part({ client, server }: WsPair): Promise<void> {
  server.resume();
  await client.close();
  await server.closeInfo;
}

describe.each(ROLES)('the stats of a connection (%s)', (role) => {
  it('are nothing at first, but the time', async () => {
    const before = Date.now();
    const { conn } = await meet(role);
    const { received, sent, openedAt, durationMs } = conn.stats;
    expect([received, sent]).toEqual([NOTHING, NOTHING].map((none) => ({ ...none, compressionRatio: undefined })));
    expect(openedAt).toBeGreaterThanOrEqual(before - 2);
    expect(openedAt).toBeLessThanOrEqual(Date.now() + 2);
    expect(durationMs).toBeGreaterThanOrEqual(0);
    conn.forceClose();
  });

  it('count messages, fragments, control frames and bytes each way', async () => {
    const { conn, peer } = await meet(role);
    const maskIn = role === 'server' ? 4 : 0;
    const maskOut = 4 - maskIn;
    peer.send(1, 'ab', false);
    peer.ping('123');
    peer.send(0, 'cde');
    peer.send(2, new Uint8Array(200));
    peer.send(10, 'stray');
    for (let index = 0; index < 2; index++) await conn.recvFrame();
    await turns();
    await conn.sendText('hello');
    await conn.sendPing();
    await conn.sendFrame(new WsFrame(2, Buffer.from('x'), { isFinal: false }));
    await conn.sendFrame(new WsFrame(0, Buffer.from('yz')));
    peer.listen();
    await vi.waitFor(() => expect(conn.stats.sent.bufferedBytes).toBe(0));
    const { received, sent } = conn.stats;
    expect(received).toMatchObject({
      ...{ messages: 2, frames: 5, payloadBytes: 205, pings: 1, pongs: 1, bufferedBytes: 0 },
      wireBytes: 2 + 2 + 2 + 3 + 2 + 3 + 4 + 200 + 2 + 5 + 5 * maskIn,
    });
    expect(sent).toMatchObject({
      ...{ messages: 2, frames: 5, payloadBytes: 8, pings: 1, pongs: 1 },
      wireBytes: 2 + 3 + 2 + 5 + 2 + 2 + 1 + 2 + 2 + 5 * maskOut,
    });
    expect(received.compressionRatio).toBe(205 / received.wireBytes);
    conn.forceClose();
  });

  it('count a large frame as one, though it comes in slices, and a large message by its fragments', async () => {
    const { conn, peer } = await meet(role);
    peer.listen();
    peer.send(2, new Uint8Array(300_000));
    await conn.recvFrame();
    await conn.sendBinary(new Uint8Array(300_000));
    expect(conn.stats.received).toMatchObject({ messages: 1, frames: 1, payloadBytes: 300_000 });
    expect(conn.stats.sent).toMatchObject({ messages: 1, frames: 5, payloadBytes: 300_000 });
    conn.forceClose();
  });

  it('tell what waits: unread, and to be sent', async () => {
    const { conn, peer } = await meet(role);
    peer.text('unread');
    await turns();
    expect(conn.stats.received.bufferedBytes).toBeGreaterThan(6);
    void conn.sendBinary(new Uint8Array(1_000_000));
    await turns();
    expect(conn.stats.sent.bufferedBytes).toBe(conn.bufferedAmount);
    expect(conn.bufferedAmount).toBeGreaterThan(500_000);
    await conn.recvFrame();
    expect(conn.stats.received.bufferedBytes).toBe(0);
    conn.forceClose();
  });

  it('stay when it is over, with the time that it stood', async () => {
    const { conn, peer, socket } = await meet(role);
    peer.text('last');
    await conn.recvFrame();
    peer.close(1000);
    peer.fin();
    await conn.closeInfo;
    await vi.waitFor(() => expect(socket.destroyed).toBe(true));
    await turns();
    const { stats } = conn;
    expect(stats.received).toMatchObject({ messages: 1, frames: 2, payloadBytes: 4 });
    expect(stats.sent).toMatchObject({ messages: 0, frames: 1, wireBytes: role === 'server' ? 4 : 8 });
    const [later] = await Promise.all([
      vi.waitUntil(() => Date.now() > stats.openedAt + stats.durationMs + 5),
      turns(),
    ]);
    expect(later).toBe(true);
    expect(conn.stats).toEqual(stats);
  });

  it('do not count what was still to be sent when it was cut', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp' });
    void conn.sendBinary(new Uint8Array(30_000_000));
    await vi.waitUntil(() => conn.stats.sent.wireBytes > 0);
    peer.reset();
    await conn.closeInfo;
    const { wireBytes } = conn.stats.sent;
    await turns();
    expect(conn.stats.sent).toMatchObject({ messages: 0, wireBytes, bufferedBytes: 0 });
  });
});

describe('the stats of both ends', () => {
  const talk = async (from: WsConnection, to: WsConnection, text: string): Promise<void> => {
    await from.sendText(text, { compress: true });
    expect((await to.recvFrame())?.payloadText()).toBe(text);
  };

  it.each([
    ['without compression', false, 0.9, 1] as const,
    ['with compression', { serverNoContextTakeover: true, clientNoContextTakeover: true }, 5, 100],
  ])('agree %s, over rests', async (_name, perMessageDeflate, least, most) => {
    const pair = createPair({ perMessageDeflate });
    for (let round = 0; round < 3; round++) {
      await talk(pair.client, pair.server, `${round} `.repeat(500));
      await talk(pair.server, pair.client, `${round} `.repeat(1000));
      await pair.client.ping();
      await rest();
    }
    const [client, server] = [pair.client.stats, pair.server.stats];
    expect(client.sent).toEqual(server.received);
    expect(server.sent).toEqual(client.received);
    expect(client.sent).toMatchObject({ messages: 3, frames: 6, payloadBytes: 3000, pings: 3, pongs: 0 });
    expect(server.sent).toMatchObject({ messages: 3, frames: 6, payloadBytes: 6000, pings: 0, pongs: 3 });
    for (const { compressionRatio } of [client.sent, server.sent]) {
      expect(compressionRatio).toBeGreaterThan(least);
      expect(compressionRatio).toBeLessThan(most);
    }
    await part(pair);
  });
});
