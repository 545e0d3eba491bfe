import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { dialTcp } from '../../../lib/cli/proxy/dial-tcp.ts';
import { joinSocket } from '../../../lib/cli/proxy/join-socket.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { byteServer, deferred } from '../../support/endpoints.ts';
import { ByteCollector } from '../../support/sockets.ts';

/** client ↔ server's end | socket ↔ service */
async function begin() {
  const accepted = deferred<Socket>();
  const { port } = await byteServer((socket) => accepted.resolve(socket));
  const socket = await dialTcp({ host: '127.0.0.1', port });
  const service = await accepted.promise;
  const { client, server } = createPair();
  return { client, service, joined: joinSocket(server, socket, 1014) };
}

describe('joinSocket', () => {
  it('passes bytes on both ways', async () => {
    const { client, service, joined } = await begin();
    const received = new ByteCollector(service);
    await client.sendBinary(Buffer.from('ask'));
    expect(await received.read(3)).toEqual(Buffer.from('ask'));
    service.write('answer');
    expect((await client.recvFrame())?.payloadText()).toBe('answer');
    const closed = client.close();
    expect(await received.readAll()).toEqual(Buffer.alloc(0));
    service.end();
    expect(await closed).toMatchObject({ code: 1000, wasClean: true });
    await joined;
  });

  it('closes with 1000 when TCP has said its last, and delivers what comes before the answer', async () => {
    const { client, service, joined } = await begin();
    const received = new ByteCollector(service);
    service.end('all there is');
    expect((await client.recvFrame())?.payloadText()).toBe('all there is');
    await client.sendBinary(Buffer.from('an answer'));
    expect(await client.recvFrame()).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1000, wasClean: true });
    expect((await received.readAll()).toString()).toBe('an answer');
    await joined;
  });

  it('closes with the code for a cut where TCP is reset', async () => {
    const { client, service, joined } = await begin();
    service.resetAndDestroy();
    expect(await client.recvFrame()).toBeNull();
    expect(await client.closeInfo).toMatchObject({
      code: 1014,
      reason: 'the TCP connection broke off: ECONNRESET',
      wasClean: true,
    });
    await joined;
  });

  it('resets TCP where the connection is cut', async () => {
    const { client, service, joined } = await begin();
    const error = new Promise((resolve) => service.once('error', resolve));
    service.resume();
    client.forceClose();
    expect(await error).toMatchObject({ code: 'ECONNRESET' });
    await joined;
  });

  it('refuses text with 1003 (§7.4.1)', async () => {
    const { client, service, joined } = await begin();
    service.on('end', () => service.end()).resume();
    await client.sendText('no bytes');
    expect(await client.recvFrame()).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1003, reason: 'only binary messages lead to TCP' });
    await joined;
  });

  it('goes on reading TCP that speaks after the connection has ended, and hears its end', async () => {
    const { client, service, joined } = await begin();
    service.resume();
    service.once('end', () => {
      service.write(new Uint8Array(1_000_000));
      service.end();
    });
    expect(await client.close()).toMatchObject({ code: 1000, wasClean: true });
    await joined;
  });

  it('holds each side back where the other does not read', async () => {
    const { client, service, joined } = await begin();
    const message = client.createMessage('binary');
    let isDone = false;
    const writing = (async () => {
      for (let chunk = 0; chunk < 400; chunk++) {
        if (!message.write(new Uint8Array(65_536))) await new Promise((resolve) => message.once('drain', resolve));
      }
      isDone = true;
      message.end();
    })();
    await expect.poll(() => service.readableLength).toBeGreaterThan(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    let received = 0;
    service.on('data', (chunk: Buffer) => (received += chunk.length));
    service.on('end', () => service.end());
    await writing;
    await client.close();
    await joined;
    expect(received).toBe(400 * 65_536);
  });
});
