import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { ByteCollector, memoryPair, portOf, rawClient, SAMPLE_KEY, tcpPair } from './sockets.ts';

it.each([
  ['tcpPair', tcpPair],
  ['memoryPair', async () => memoryPair({ highWaterMark: 8 })],
])('%s carries bytes both ways and then the end', async (_name, create) => {
  const { client, server } = await create();
  const [atClient, atServer] = [new ByteCollector(client), new ByteCollector(server)];
  client.write('to the ');
  client.end('server, more than the mark');
  server.end('to the client');
  expect((await atServer.read(7)).toString()).toBe('to the ');
  expect((await atServer.readAll()).toString()).toBe('server, more than the mark');
  expect((await atClient.readAll()).toString()).toBe('to the client');
});

it('memoryPair holds a writer back while nobody reads', async () => {
  const { client, server } = memoryPair({ highWaterMark: 4 });
  let written = 0;
  for (const part of ['1234', '5678']) client.write(part, () => written++);
  await new Promise(setImmediate);
  expect(written).toBe(0);
  expect((await new ByteCollector(server).read(8)).toString()).toBe('12345678');
  expect(written).toBe(2);
});

it('rawClient shakes hands by hand and keeps what comes behind the answer', async () => {
  const server = createServer();
  server.on('upgrade', (request, socket, head: Buffer) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nKey: ${request.headers['sec-websocket-key']}`,
    );
    socket.end(`\r\n\r\nbehind:${head}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const client = await rawClient(portOf(server), { path: '/x', behind: Buffer.from('early') });
  expect(client.status).toBe(101);
  expect(client.head).toContain(SAMPLE_KEY);
  expect((await client.received.readAll()).toString()).toBe('behind:early');
});
