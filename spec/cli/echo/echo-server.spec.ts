import { describe, expect, it, onTestFinished } from 'vitest';
import { ECHO_DEFAULTS, type EchoOptions } from '../../../lib/cli/echo/echo-arguments.ts';
import { type EchoServer, startEcho } from '../../../lib/cli/echo/echo-server.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { rawClient } from '../../support/sockets.ts';

async function start(options: Partial<EchoOptions> = {}): Promise<EchoServer> {
  const server = await startEcho({ ...ECHO_DEFAULTS, port: 0, ...options });
  onTestFinished(() => server.close());
  return server;
}

const socketUrl = ({ urls }: EchoServer): string => String(urls[0]).replace('http', 'ws');

describe('startEcho', () => {
  it('serves page and echo at one address', async () => {
    const server = await start();
    expect(server.urls).toEqual([`http://127.0.0.1:${server.port}/`]);
    const page = await fetch(String(server.urls[0]), { headers: { connection: 'close' } });
    expect(await page.text()).toContain('<title>wspipe echo</title>');
    const client = await connect(socketUrl(server));
    await client.sendText('hello, Γειά, 你好');
    expect((await client.recvFrame())?.payloadText()).toBe('hello, Γειά, 你好');
    expect(server.connectionCount).toBe(1);
    await client.close();
  });

  it('echoes on any path, and a message of 20 MiB unchanged', async () => {
    const server = await start();
    const client = await connect(`${socketUrl(server)}any/path?x=1`, { maxMessageBytes: 32 << 20 });
    const message = Buffer.alloc(20 << 20);
    for (let i = 0; i < message.length; i += 4) message.writeUInt32LE(Math.imul(i, 2_654_435_761) >>> 0, i);
    const sent = client.sendBinary(message);
    const frame = await client.recvFrame();
    await sent;
    expect(message.equals(frame?.payload ?? Buffer.alloc(0))).toBe(true);
    await client.close();
  });

  it('closes with 1009 what is larger than its limit, and takes what is exactly as large (§7.4.1)', async () => {
    const server = await start({ maxMessageBytes: 1000 });
    const client = await connect(socketUrl(server));
    await client.sendBinary(new Uint8Array(1000));
    expect((await client.recvFrame())?.payloadLength).toBe(1000);
    await client.sendBinary(new Uint8Array(1001));
    expect(await client.recvFrame()).toBeNull();
    expect((await client.closeInfo).code).toBe(1009);
  });

  it('takes the page of its own host and refuses pages of others (§10.2)', async () => {
    const server = await start();
    const Host = `127.0.0.1:${server.port}`;
    const own = await rawClient(server.port, { headers: { Host, Origin: `http://${Host}` } });
    const other = await rawClient(server.port, { headers: { Host, Origin: 'https://attacker.example' } });
    expect([own.status, other.status]).toEqual([101, 403]);
    own.socket.destroy();
  });

  it('closes every connection with 1001 and listens no longer (§7.4.1)', async () => {
    const server = await start();
    const clients = await Promise.all([connect(socketUrl(server)), connect(socketUrl(server))]);
    await server.close();
    for (const client of clients) {
      expect(await client.closeInfo).toMatchObject({ code: 1001, reason: 'the echo server stops', wasClean: true });
    }
    await expect(connect(socketUrl(server))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('rejects with the error of the system where the port is taken', async () => {
    const { port } = await start();
    await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
