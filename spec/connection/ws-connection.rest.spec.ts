/** A connection at rest has no decoder, no encoder and no stages; nobody notices. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { CloseInfo } from '../../lib/connection/closer.ts';
import { restWatch } from '../../lib/connection/road/rest-watch.ts';
import { WsConnection } from '../../lib/connection/ws-connection.ts';
import type { PerMessageDeflateOptions } from '../../lib/deflate/per-message-deflate.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import { createPair } from '../../lib/endpoint/pair.ts';
import { WsServer } from '../../lib/endpoint/server/ws-server.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { tcpPair } from '../support/sockets.ts';

/** Lets the time pass after which what has not moved rests. @returns how much is still awake */
function rest(): number {
  restWatch.elapsed();
  restWatch.elapsed();
  return restWatch.size;
}

/** Lets it rest until so much is left awake: what is on its way arrives first. */
const restTo = (awake: number): Promise<void> => vi.waitFor(() => expect(rest()).toBe(awake), { interval: 2 });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function pair(): Promise<{ client: WsConnection; server: WsConnection }> {
  const sockets = await tcpPair();
  return { client: WsConnection.fromClient(sockets.client), server: WsConnection.fromServer(sockets.server) };
}

async function exchange(client: WsConnection, server: WsConnection, text: string): Promise<void> {
  expect(await client.sendText(text)).toBeGreaterThan(0);
  expect((await server.recvFrame())?.payloadText()).toBe(text);
  expect(await server.sendText(`${text} too`)).toBeGreaterThan(0);
  expect((await client.recvFrame())?.payloadText()).toBe(`${text} too`);
}

/** Closes, with somebody reading on the other end, who answers at once. */
function part(from: WsConnection, to: WsConnection): Promise<CloseInfo> {
  to.resume();
  return from.close();
}

beforeEach(() => expect(restWatch.size).toBe(0));

describe('a connection', () => {
  it('opens nothing before something moves', async () => {
    const { client, server } = await pair();
    expect(restWatch.size).toBe(0);
    await exchange(client, server, 'first');
    expect(restWatch.size).toBe(2);
    await part(client, server);
    await server.closeInfo;
  });

  it('rests again and again, and loses nothing', async () => {
    const { client, server } = await pair();
    for (let round = 0; round < 5; round++) {
      await exchange(client, server, `round ${round}`);
      await restTo(0);
      expect([client.bufferedAmount, server.bufferedAmount]).toEqual([0, 0]);
    }
    const [first, second] = [client.recvFrame(), client.recvFrame()];
    server.write('one');
    server.write('two');
    expect([(await first)?.payloadText(), (await second)?.payloadText()]).toEqual(['one', 'two']);
    expect(await part(client, server)).toMatchObject({ code: 1000, wasClean: true });
    expect(await server.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });

  it('does not rest inside a message, either way, nor while it is not read', async () => {
    const { client, server } = await pair();
    await client.sendFrame(new WsFrame(1, Buffer.from('half'), { isFinal: false }));
    await restTo(1);
    await client.sendFrame(new WsFrame(0, Buffer.from(' whole')));
    expect((await server.recvFrame())?.payloadText()).toBe('half whole');
    await restTo(0);
    // More than the server's inbox takes: its socket is held.
    const big = new Uint8Array(300_000).fill(7);
    const sending = Promise.all([client.sendBinary(big), client.sendBinary(big), client.sendBinary(big)]);
    await vi.waitFor(() => expect(rest()).toBeGreaterThan(0), { interval: 2 });
    for (let count = 0; count < 3; count++) expect((await server.recvFrame())?.payload.length).toBe(big.length);
    await sending;
    await restTo(0);
    await part(client, server);
  });

  it.each<[string, (client: WsConnection) => unknown, object]>([
    ['a close', (client) => client.close(4000, 'bye'), { code: 4000, reason: 'bye', wasClean: true }],
    ['a cut', (client) => client.forceClose(), { code: 1006, wasClean: false, initiator: 'remote' }],
    ['a message destroyed half way', (client) => abandon(client), { code: 1011, wasClean: true }],
  ])('hears of %s while it rests', async (_name, end, info) => {
    const { client, server } = await pair();
    await exchange(client, server, 'hello');
    await restTo(0);
    const read = server.recvFrame();
    await end(client);
    expect(await read).toBeNull();
    expect(await server.closeInfo).toMatchObject(info);
    await client.closeInfo;
  });

  it('tells its own end while it rests', async () => {
    const { client, server } = await pair();
    await exchange(client, server, 'hello');
    await restTo(0);
    client.forceClose();
    expect(await client.recvFrame()).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
    expect(await server.closeInfo).toMatchObject({ code: 1006, initiator: 'remote' });
  });

  it('answers a ping, and is pinged, while it rests', async () => {
    const { client, server } = await pair();
    await exchange(client, server, 'hello');
    await restTo(0);
    expect(await client.ping()).toBeGreaterThan(0);
    rest();
    expect(await server.ping()).toBeGreaterThan(0);
    await part(client, server);
  });
});

describe.each<[string, PerMessageDeflateOptions, number]>([
  ['without takeover', { serverNoContextTakeover: true, clientNoContextTakeover: true }, 0],
  // An inflater with takeover remembers, so the way in stays.
  ['with takeover', {}, 2],
])('with permessage-deflate %s, a connection', (_name, perMessageDeflate, awake) => {
  it('rests as far as it has nothing to remember', async () => {
    const { client, server } = createPair({ perMessageDeflate: { ...perMessageDeflate, thresholdBytes: 0 } });
    const text = 'the same again and again, '.repeat(20);
    for (let round = 0; round < 4; round++) {
      await exchange(client, server, `${text}${round}`);
      expect(await client.sendText(text)).toBeLessThan(text.length / 2);
      expect((await server.recvFrame())?.payloadText()).toBe(text);
      await restTo(awake);
    }
    const message = server.createMessage('text');
    message.write('half ');
    await restTo(2);
    message.end('whole');
    expect((await client.recvFrame())?.payloadText()).toBe('half whole');
    expect(await part(server, client)).toMatchObject({ wasClean: true });
  });
});

it('a server of connections that rest keeps count of them, also when one loses all its listeners', async () => {
  const server = await WsServer.bind({ port: 0, host: '127.0.0.1' });
  const client = await connect(`ws://127.0.0.1:${server.port}`);
  const conn = await server.accept();
  conn?.removeAllListeners();
  await client.close();
  await conn?.closeInfo;
  expect(server.connections.size).toBe(0);
  await server.close();
});

/** Destroys a message half way. */
async function abandon(conn: WsConnection): Promise<void> {
  const message = conn.createMessage('text');
  message.on('error', () => {});
  message.write('half');
  await turn();
  message.destroy();
}
