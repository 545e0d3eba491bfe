/** What a connection writes lies in memory that is used again, where the system has taken it. */
import { createHash, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect, it, onTestFinished } from 'vitest';
import { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { memoryPair, portOf, tcpPair } from '../../support/sockets.ts';

/** Notes the memory of what is written, and what was written, in order. */
function spyOnWrites(socket: Duplex): Set<unknown> {
  const memory = new Set<unknown>();
  const write = socket.write.bind(socket) as (chunk: Buffer, ...rest: unknown[]) => boolean;
  socket.write = ((chunk: Buffer, ...rest: unknown[]) => {
    memory.add(chunk.buffer);
    return write(chunk, ...rest);
  }) as typeof socket.write;
  return memory;
}

async function tlsPair(): Promise<{ client: Duplex; server: Duplex }> {
  const listener = createTlsServer({ key: TEST_KEY, cert: TEST_CERT });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<TLSSocket>((resolve) => listener.once('secureConnection', resolve));
  const client = connectTls({ port: portOf(listener), host: '127.0.0.1', servername: 'localhost', ca: TEST_CERT });
  const server = await accepted;
  onTestFinished(() => {
    for (const stream of [client, server]) stream.destroy();
    listener.close();
  });
  return { client, server };
}

/** Keeps what it is given, as a socket that is none may. */
async function keptPair(): Promise<{ client: Duplex; server: Duplex }> {
  const { client, server } = memoryPair({ highWaterMark: 1_000_000 });
  return { client, server: Object.assign(server, { setNoDelay: () => {}, bytesWritten: 0 }) };
}

const COUNT = 60;

const PLACES: readonly [name: string, pair: () => Promise<{ client: Duplex; server: Duplex }>][] = [
  ['TCP', tcpPair],
  ['TLS', tlsPair],
  ['memory', async () => memoryPair()],
  ['memory that looks like a socket', keptPair],
];

it.each(PLACES)('what is sent over %s comes as it was sent, both ways, read at once or late', async (name, pair) => {
  const { client, server } = await pair();
  const memory = spyOnWrites(server);
  const [near, far] = [WsConnection.fromServer(server), WsConnection.fromClient(client)];
  const sent = createHash('sha1');
  const received = createHash('sha1');
  const sending = (async () => {
    for (let index = 0; index < COUNT; index++) {
      const payload = randomBytes(60_000 + index);
      sent.update(payload);
      await near.sendBinary(payload);
    }
    await near.close();
  })();
  const back = (async () => {
    let bytes = 0;
    for await (const frame of near) bytes += frame.payloadLength;
    return bytes;
  })();
  let bytes = 0;
  for await (const frame of far) {
    if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    received.update(frame.payload);
    bytes += frame.payloadLength;
    await far.sendBinary(frame.payload);
  }
  await sending;
  expect(received.digest('hex')).toBe(sent.digest('hex'));
  expect(await back).toBe(bytes);
  if (name.startsWith('memory')) expect(memory.size).toBeGreaterThan(COUNT / 2);
  if (name === 'TCP') expect(memory.size).toBeLessThan(COUNT / 2);
});

it('what lies unread in a pair in memory is not written over', async () => {
  const { client, server } = createPair();
  const payloads = Array.from({ length: 6 }, () => randomBytes(30_000));
  const sending = payloads.map((payload) => server.sendBinary(payload));
  await new Promise((resolve) => setImmediate(resolve));
  for (const payload of payloads) expect(Buffer.compare((await client.recvFrame())!.payload, payload)).toBe(0);
  await Promise.all(sending);
  client.forceClose();
});
