import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import { PreparedFrame } from '../../lib/fanout/prepared-frame.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { WS_OPCODE_TEXT } from '../../lib/protocol/opcode.ts';
import { boundServer, linked, until, urlOf } from '../support/endpoints.ts';
import { rawClient } from '../support/sockets.ts';

const KIB = 1024;
const fragment = (text: string, isFinal: boolean): WsFrame =>
  new WsFrame(isFinal ? 0 : 1, Buffer.from(text), { isFinal });

async function read(client: WsConnection, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push((await client.recvFrame())?.payloadText() ?? 'the end');
  return texts;
}

describe('broadcast', () => {
  it('sends at once, and keeps its order with what is sent to one', async () => {
    const server = await boundServer();
    const links = [await linked(server), await linked(server), await linked(server)];
    const [first] = links;
    void first!.ours.sendText('before');
    const counts = [
      server.broadcast('one'),
      server.broadcast(new PreparedFrame('two')),
      server.broadcast(WsFrame.text('three')),
    ];
    void first!.ours.sendText('after');
    expect(await Promise.all(counts)).toEqual([3, 3, 3]);
    expect(await read(first!.client, 5)).toEqual(['before', 'one', 'two', 'three', 'after']);
    for (const { client } of links.slice(1)) expect(await read(client, 3)).toEqual(['one', 'two', 'three']);
    server.drop();
  });

  it('reaches each in what it has agreed to, compressed once for each set of parameters (RFC 7692 §7.1)', async () => {
    const server = await boundServer({ perMessageDeflate: { thresholdBytes: 0 } });
    const offers = [false, true, true, { serverMaxWindowBits: 9 }, { serverNoContextTakeover: true }] as const;
    const clients = await Promise.all(offers.map((perMessageDeflate) => connect(urlOf(server), { perMessageDeflate })));
    await until(() => server.connections.size === clients.length);
    const text = 'all of them, and all of them again. '.repeat(60);
    const large = 'much more than a frame holds. '.repeat(5000);
    for (const message of [text, `${text}!`, large, text]) {
      expect(await server.broadcast(message)).toBe(clients.length);
      for (const conn of server.connections) await conn.sendText(`and ${text}`);
    }
    const expected = [text, `${text}!`, large, text].flatMap((message) => [message, `and ${text}`]);
    for (const client of clients) expect(await read(client, 8)).toEqual(expected);
    server.drop();
  });

  it('sends control frames, and closes', async () => {
    const server = await boundServer();
    const { client, ours } = await linked(server);
    void ours.recvFrame();
    const reading = client.recvFrame();
    expect(await server.broadcast(WsFrame.ping('x'))).toBe(1);
    expect(await server.broadcast(WsFrame.close(1001, 'bye'))).toBe(1);
    expect(await reading).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1001, reason: 'bye' });
    expect(await server.broadcast('nobody')).toBe(0);
  });

  it('one that never reads costs the others nothing, holds at most maxQueuedBytes, and is let go with 1013', async () => {
    const server = await boundServer({ maxQueuedBytes: 256 * KIB, heartbeat: false });
    const stuck = await rawClient(server.port);
    stuck.socket.removeAllListeners('data').pause();
    const stuckConn = (await server.accept())!;
    const links = await Promise.all([linked(server), linked(server), linked(server)]);
    const message = Buffer.alloc(60 * KIB, 'x');
    const pending: Promise<number>[] = [];
    let most = 0;
    let rounds = 0;
    for (; stuckConn.isOpen() && rounds < 2000; rounds++) {
      // Nobody waits for the broadcast: that is the case in which something could pile up.
      pending.push(server.broadcast(message));
      for (const { client } of links) expect((await client.recvFrame())?.payloadLength).toBe(message.length);
      most = Math.max(most, stuckConn.bufferedAmount);
    }
    expect(stuckConn.isOpen()).toBe(false);
    // The queue, and what the encoder and the socket hold before it.
    expect(most).toBeLessThan(256 * KIB + 6 * 64 * KIB);
    expect(links.every(({ ours }) => ours.isOpen())).toBe(true);
    stuck.socket.destroy();
    expect((await stuckConn.closeInfo).error).toMatchObject({ code: 'WS_ERR_QUEUE_FULL' });
    const counts = await Promise.all(pending);
    expect(counts.every((count) => count === 3 || count === 4)).toBe(true);
    expect(counts.at(-1)).toBe(3);
    server.drop();
  });

  it('is sent to all others where one is inside a message of raw fragments, and then rejects (§5.4)', async () => {
    const server = await boundServer();
    const links = [await linked(server), await linked(server)];
    await links[0]!.ours.sendFrame(fragment('begun ', false));
    await expect(server.broadcast('to all')).rejects.toThrow(TypeError);
    expect(await read(links[1]!.client, 1)).toEqual(['to all']);
    await links[0]!.ours.sendFrame(fragment('and ended', true));
    expect(await read(links[0]!.client, 1)).toEqual(['begun and ended']);
    server.drop();
  });

  it('sends raw fragments as they are', async () => {
    const server = await boundServer();
    const { client } = await linked(server);
    await server.broadcast(fragment('half ', false));
    await server.broadcast(fragment('and half', true));
    expect(await read(client, 1)).toEqual(['half and half']);
    server.drop();
  });

  it('reaches nobody where the filter throws, or where it is no message', async () => {
    const server = await boundServer();
    const { client } = await linked(server);
    const fail = (): boolean => {
      throw new Error('no idea');
    };
    await expect(server.broadcast('x', fail)).rejects.toThrow('no idea');
    await expect(server.broadcast(5 as never)).rejects.toThrow(TypeError);
    const bits = new WsFrame(WS_OPCODE_TEXT, Buffer.from('a'), { rsv: 1 });
    await expect(server.broadcast(bits)).rejects.toThrow(TypeError);
    await server.broadcast('the first');
    expect(await read(client, 1)).toEqual(['the first']);
    server.drop();
  });
});
