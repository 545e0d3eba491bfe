import { describe, expect, it } from 'vitest';
import { joinConnections } from '../../../lib/cli/proxy/join-connections.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';

/** client ↔ near | far ↔ server */
function begin() {
  const front = createPair();
  const back = createPair();
  return { client: front.client, server: back.server, joined: joinConnections(front.server, back.client) };
}

describe('joinConnections', () => {
  it('passes messages on both ways, with their type, of any size', async () => {
    const { client, server, joined } = begin();
    await client.sendText('Grüße');
    expect(await server.recvFrame()).toMatchObject({ opcode: 1, payload: Buffer.from('Grüße') });
    await server.sendBinary(new Uint8Array(300_000));
    expect(await client.recvFrame()).toMatchObject({ opcode: 2, payloadLength: 300_000 });
    await Promise.all([client.close(), server.recvFrame()]);
    await joined;
  });

  it.each([1000, 1001, 3000, 4999])('passes a close with %i on, either way, with its reason', async (code) => {
    for (const isClient of [true, false]) {
      const { client, server, joined } = begin();
      const [from, to] = isClient ? [client, server] : [server, client];
      const closing = from.close(code, 'why');
      expect(await to.recvFrame()).toBeNull();
      expect(await to.closeInfo).toMatchObject({ code, reason: 'why', wasClean: true, initiator: 'remote' });
      expect(await closing).toMatchObject({ code, wasClean: true });
      await joined;
    }
  });

  it('passes a close without a code on as one (§7.1.5)', async () => {
    const { client, server, joined } = begin();
    await client.sendClose();
    expect(await server.recvFrame()).toBeNull();
    expect((await server.closeInfo).code).toBe(1005);
    await joined;
  });

  it.each([false, true])(
    'tells the server with 1001 of a client that is gone (inside a message: %s)',
    async (isInside) => {
      const { client, server, joined } = begin();
      if (isInside) client.createMessage('binary').write(new Uint8Array(10));
      client.forceClose();
      expect(await server.recvFrame()).toBeNull();
      expect(await server.closeInfo).toMatchObject({ code: 1001, reason: 'the client is gone' });
      await joined;
    },
  );

  it.each([false, true])(
    'tells the client with 1014 of a server that is gone (inside a message: %s)',
    async (isInside) => {
      const { client, server, joined } = begin();
      if (isInside) server.createMessage('binary').write(new Uint8Array(10));
      server.forceClose();
      expect(await client.recvFrame()).toBeNull();
      expect(await client.closeInfo).toMatchObject({ code: 1014, reason: 'the server is gone' });
      await joined;
    },
  );

  it('holds the sender back where the receiver does not read', async () => {
    const { client, server, joined } = begin();
    const message = client.createMessage('binary');
    let written = 0;
    const writing = (async () => {
      for (; written < 200; written++) {
        if (!message.write(new Uint8Array(65_536))) await new Promise((resolve) => message.once('drain', resolve));
      }
      message.end();
    })();
    await expect.poll(() => written).toBeGreaterThan(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBeLessThan(100);
    let received = 0;
    for await (const streamed of server.messages()) {
      for await (const chunk of streamed) received += (chunk as Uint8Array).length;
      break;
    }
    await writing;
    expect(received).toBe(200 * 65_536);
    await Promise.all([client.close(), server.recvFrame()]);
    await joined;
  });
});
