import { describe, expect, it } from 'vitest';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { meet, ROLES } from '../../support/naive-peer.ts';

const shown = (frame: WsFrame): string =>
  `${frame.opcode}${frame.isFinal ? '' : '…'} ${frame.payload.length < 20 ? frame.payloadText() : frame.payload.length}`;

describe.each(ROLES)('fragments() (%s)', (role) => {
  it('gives fragments as the peer made them, and answers the pings between them (§5.4)', async () => {
    const { conn, peer } = await meet(role, { controlFrames: true });
    peer.send(1, 'a', false);
    peer.send(9, 'ping');
    peer.send(0, 'b');
    peer.send(2, 'c');
    const seen: string[] = [];
    for await (const frame of conn.fragments()) {
      seen.push(shown(frame));
      if (frame.isBinary()) break;
    }
    expect(seen).toEqual(['1… a', '0 b', '2 c']);
    expect((await peer.next())?.opcode).toBe(10);
  });

  it('refuses a message beyond its limit, and none without one (§10.4)', async () => {
    const { conn, peer } = await meet(role, { maxMessageBytes: 1 });
    peer.send(2, Buffer.alloc(10), false);
    peer.send(0, Buffer.alloc(10));
    peer.send(2, Buffer.alloc(10), false);
    peer.send(0, Buffer.alloc(11));
    let bytes = 0;
    for await (const frame of conn.fragments({ maxMessageBytes: 20 })) bytes += frame.payload.length;
    expect(bytes).toBe(30);
    expect((await peer.next())?.payload.readUInt16BE(0)).toBe(1009);
  });
});

describe('fragments()', () => {
  it('is a proxy’s loop: each frame can be sent on as it is, and a large one comes in slices', async () => {
    const [near, far] = [createPair(), createPair()];
    void (async () => {
      for await (const frame of near.server.fragments()) await far.client.sendFrame(frame);
    })();
    const data = Buffer.alloc(300_000, 'wspipe');
    await near.client.sendBinary(data);
    expect(data.equals((await far.server.recvFrame())?.payload ?? Buffer.alloc(0))).toBe(true);
    near.client.forceClose();
    far.client.forceClose();
    await Promise.all([near.server.closeInfo, far.server.closeInfo]);
  });

  it('waits for what has not come, passing over control frames', async () => {
    const { client, server } = createPair({ server: { controlFrames: true } });
    const next = server.fragments().next();
    await client.sendPing();
    await client.sendText('at last');
    expect((await next).value?.payloadText()).toBe('at last');
    client.forceClose();
    await server.closeInfo;
  });

  it('locks the connection until the loop is left, and leaves no half message to others', async () => {
    const { client, server } = createPair();
    await client.sendFrame(new WsFrame(1, Buffer.from('half'), { isFinal: false }));
    const fragments = server.fragments();
    expect((await fragments.next()).value?.payloadText()).toBe('half');
    await expect(server.recvFrame()).rejects.toMatchObject({ code: 'WS_ERR_LOCKED' });
    await fragments.return();
    await client.sendFrame(new WsFrame(0, Buffer.from('other half')));
    await client.sendText('whole');
    expect((await server.recvFrame())?.payloadText()).toBe('whole');
    client.forceClose();
    expect(await server.recvFrame()).toBeNull();
    expect(await server.fragments().next()).toEqual({ value: undefined, done: true });
  });

  it('takes a limit that can be one', () => {
    const { client } = createPair();
    expect(() => client.fragments({ maxMessageBytes: -1 })).toThrow(RangeError);
    client.forceClose();
  });
});
