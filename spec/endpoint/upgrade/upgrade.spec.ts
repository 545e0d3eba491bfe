import { channel } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import type { UpgradeOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import { wsUpgrade } from '../../../lib/endpoint/upgrade/upgrade.ts';
import type { HandshakeError } from '../../../lib/errors.ts';
import {
  byteServer,
  clientText,
  deferred,
  dial,
  exchange,
  httpServer,
  parseResponse,
  turns,
} from '../../support/endpoints.ts';
import { ByteCollector, memoryPair, rawClient, tcpPair, upgradeRequest } from '../../support/sockets.ts';
import { ACCEPT } from '../../vectors/handshake.ts';

const REQUEST = Buffer.from(upgradeRequest());

async function textsOf(connection: WsConnection | null): Promise<string[]> {
  const texts: string[] = [];
  if (connection !== null) for await (const frame of connection) texts.push(frame.payloadText());
  return texts;
}

/** Somebody's HTTP server, whose upgrades are handled as the test says. */
async function upgrading(handle: (request: IncomingMessage, socket: Duplex, head: Buffer) => void): Promise<number> {
  const { server, port } = await httpServer();
  server.on('upgrade', handle);
  return port;
}

describe('wsUpgrade in an upgrade event', () => {
  it('answers 101 and gives the connection (§4.2.2)', async () => {
    const given = deferred<WsConnection | null>();
    const port = await upgrading((...args) => given.resolve(wsUpgrade(...args, { protocols: ['b'] })));
    const { status, head } = await rawClient(port, { headers: { 'Sec-WebSocket-Protocol': 'a, b' } });
    expect(status).toBe(101);
    expect(head).toContain(`Sec-WebSocket-Accept: ${ACCEPT}\r\n`);
    expect(head).toContain('Sec-WebSocket-Protocol: b\r\n');
    const connection = (await given.promise)!;
    expect(connection).toMatchObject({ role: 'server', protocol: 'b', extensions: '' });
    expect(connection.request).toMatchObject({ url: '/', remoteAddress: '127.0.0.1', protocols: ['a', 'b'] });
    connection.forceClose();
  });

  it('keeps bytes that came with the request, and those that came while authorize ran, in order', async () => {
    const isAuthorized = deferred();
    const given = deferred<WsConnection | null>();
    const authorize = async (): Promise<string> => {
      await isAuthorized.promise;
      return 'ada';
    };
    const port = await upgrading((...args) => given.resolve(wsUpgrade(...args, { authorize })));
    const { socket } = dial(port);
    socket.write(Buffer.concat([REQUEST, clientText('one'), clientText('two').subarray(0, 3)]));
    await turns();
    socket.write(clientText('two').subarray(3));
    await turns();
    socket.end(clientText('three'));
    await turns();
    isAuthorized.resolve();
    const connection = await given.promise;
    expect(connection?.context).toBe('ada');
    expect(await textsOf(connection)).toEqual(['one', 'two', 'three']);
  });

  it('answers a refusal with its status, gives null, and tells onRefused and the diagnostics channel why', async () => {
    const given = deferred<WsConnection | null>();
    const errors: HandshakeError[] = [];
    const published: unknown[] = [];
    const onPublished = (message: unknown): void => void published.push(message);
    channel('wspipe:refused').subscribe(onPublished);
    const options: UpgradeOptions = {
      authorize: () => refuse(401, { headers: { 'WWW-Authenticate': 'Basic' }, body: 'who are you?' }),
      onRefused: (error) => errors.push(error),
    };
    const port = await upgrading((...args) => given.resolve(wsUpgrade(...args, options)));
    expect(await exchange(port, REQUEST)).toMatchObject({
      status: 401,
      headers: { connection: 'close', 'www-authenticate': 'Basic' },
      body: 'who are you?',
    });
    expect(await given.promise).toBeNull();
    expect(errors).toEqual([expect.objectContaining({ code: 'WS_ERR_HANDSHAKE_REFUSED', status: 401 })]);
    expect(published).toEqual([{ error: errors[0], request: expect.objectContaining({ url: '/' }) }]);
    channel('wspipe:refused').unsubscribe(onPublished);
  });

  it('gives null where the socket is dead, and where it dies during authorize', async () => {
    const results: unknown[] = [];
    const done = deferred();
    const port = await upgrading(async (request, socket, head) => {
      results.push(await wsUpgrade(request, socket, head, { authorize: () => new Promise(() => socket.destroy()) }));
      results.push(await wsUpgrade(request, socket, head));
      done.resolve();
    });
    const { socket, received } = dial(port);
    socket.write(REQUEST);
    await done.promise;
    expect(results).toEqual([null, null]);
    expect((await received.readAll()).length).toBe(0);
  });

  it('survives a reset during authorize with nobody listening for errors', async () => {
    const isAsked = deferred();
    const given = deferred<WsConnection | null>();
    const authorize = () => new Promise<void>(() => isAsked.resolve());
    const port = await upgrading((...args) => given.resolve(wsUpgrade(...args, { authorize })));
    const { socket } = dial(port);
    socket.write(REQUEST);
    await isAsked.promise;
    socket.resetAndDestroy();
    expect(await given.promise).toBeNull();
  });

  it('answers 503 when authorize takes longer than handshakeTimeoutMs', async () => {
    const given = deferred<WsConnection | null>();
    const options: UpgradeOptions = { authorize: () => new Promise(() => {}), handshakeTimeoutMs: 20 };
    const port = await upgrading((...args) => given.resolve(wsUpgrade(...args, options)));
    expect((await exchange(port, REQUEST)).status).toBe(503);
    expect(await given.promise).toBeNull();
  });

  it('lets no listener of the handshake stay on the socket', async () => {
    const counts = deferred<{ before: number; after: number }>();
    const port = await upgrading(async (request, socket, head) => {
      const count = (): number => socket.listenerCount('close') + socket.listenerCount('error');
      const before = count();
      await wsUpgrade(request, socket, head, { authorize: () => refuse(403) });
      await new Promise((resolve) => socket.once('close', resolve));
      counts.resolve({ before, after: socket.listenerCount('close') });
    });
    await exchange(port, REQUEST);
    const { before, after } = await counts.promise;
    expect(after).toBeLessThanOrEqual(before);
  });
});

describe('wsUpgrade over a bare connection', () => {
  async function accepting(handle: (socket: Duplex, bytes: Buffer) => void, pauses = false): Promise<number> {
    const { port } = await byteServer((socket) => {
      socket.once('data', (bytes) => {
        if (pauses) socket.pause();
        handle(socket, bytes);
      });
    });
    return port;
  }

  it.each([
    ['flows', false],
    ['is paused', true],
  ])('accepts a request that came whole, on a socket that %s', async (_title, pauses) => {
    const given = deferred<WsConnection | null>();
    const port = await accepting((socket, bytes) => given.resolve(wsUpgrade(socket, bytes)), pauses);
    const { status, write } = await rawClient(port, { behind: clientText('one') });
    expect(status).toBe(101);
    write(clientText('two'));
    const connection = (await given.promise)!;
    expect((await connection.recvFrame())?.payloadText()).toBe('one');
    expect((await connection.recvFrame())?.payloadText()).toBe('two');
    expect(connection.request?.remoteAddress).toBe('127.0.0.1');
    connection.forceClose();
  });

  it('reads the rest of a request that came in part', async () => {
    const given = deferred<WsConnection | null>();
    const port = await accepting((socket, bytes) => given.resolve(wsUpgrade(socket, bytes)));
    const { socket, received } = dial(port);
    socket.write(REQUEST.subarray(0, 20));
    await turns();
    for (const byte of REQUEST.subarray(20)) socket.write(Buffer.of(byte));
    socket.write(clientText('one'));
    expect(String(await received.readThrough('\r\n\r\n'))).toMatch(/^HTTP\/1\.1 101 /);
    const connection = (await given.promise)!;
    expect((await connection.recvFrame())?.payloadText()).toBe('one');
    connection.forceClose();
  });

  it('accepts over a Duplex that is no socket', async () => {
    const { client, server } = memoryPair();
    const received = new ByteCollector(client);
    const connection = (await wsUpgrade(server, Buffer.concat([REQUEST, clientText('hello')])))!;
    expect(String(await received.readThrough('\r\n\r\n'))).toMatch(/^HTTP\/1\.1 101 /);
    expect((await connection.recvFrame())?.payloadText()).toBe('hello');
    connection.forceClose();
  });

  it('reads what a peer sent that has ended its side', async () => {
    const given = deferred<WsConnection | null>();
    const { port } = await byteServer((socket) => {
      const chunks: Buffer[] = [];
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('end', () => given.resolve(wsUpgrade(socket, Buffer.concat(chunks))));
    });
    const { socket, received } = dial(port);
    socket.end(Buffer.concat([REQUEST, clientText('one'), clientText('two')]));
    const connection = await given.promise;
    expect(await textsOf(connection)).toEqual(['one', 'two']);
    expect(String(await received.readAll())).toMatch(/^HTTP\/1\.1 101 /);
  });

  it.each<[string, number, string]>([
    ['garbage', 400, '\r\n\r\nwhat?\r\n\r\n'],
    ['a plain request', 426, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another method', 405, upgradeRequest().replace('GET', 'POST')],
    ['CONNECT', 405, 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a foreign page', 403, upgradeRequest({ headers: { Origin: 'https://evil.example' } })],
    ['too large a head', 431, upgradeRequest({ headers: { 'X-A': 'a'.repeat(8192) } })],
    ['two thousand fields before Upgrade', 431, upgradeRequest().replace('Host', `${'A: b\r\n'.repeat(2000)}Host`)],
    ['a key of the wrong length', 400, upgradeRequest({ headers: { 'Sec-WebSocket-Key': 'AAAA' } })],
    ['a version of its own', 426, upgradeRequest({ headers: { 'Sec-WebSocket-Version': '12' } })],
  ])('refuses %s with %i (§4.2.1, §4.2.2)', async (_title, status, text) => {
    const given = deferred<WsConnection | null>();
    const onRefused = vi.fn();
    const port = await accepting((socket, bytes) => given.resolve(wsUpgrade(socket, bytes, { onRefused })));
    expect((await exchange(port, text)).status).toBe(status);
    expect(await given.promise).toBeNull();
    expect(onRefused).toHaveBeenCalledWith(expect.objectContaining({ status }));
  });

  it('answers 408 to a head that never ends', async () => {
    const given = deferred<WsConnection | null>();
    const options: UpgradeOptions = { handshakeTimeoutMs: 20 };
    const port = await accepting((socket, bytes) => given.resolve(wsUpgrade(socket, bytes, options)));
    expect((await exchange(port, REQUEST.subarray(0, 50))).status).toBe(408);
    expect(await given.promise).toBeNull();
  });

  it.each<[string, (socket: Duplex) => void]>([
    ['is destroyed', (socket) => socket.destroy()],
    ['has ended', (socket) => socket.end()],
  ])('gives null where the socket %s', async (_title, kill) => {
    const { client, server } = await tcpPair();
    client.resume();
    kill(server);
    expect(await wsUpgrade(server, REQUEST)).toBeNull();
    expect(server.destroyed).toBe(true);
  });

  it('gives null where the peer cuts in the middle of the head', async () => {
    const { client, server } = await tcpPair();
    const result = wsUpgrade(server, REQUEST.subarray(0, 30));
    client.resetAndDestroy();
    expect(await result).toBeNull();
  });

  it('gives null, and answers 400, where the peer ends in the middle of the head', async () => {
    const given = deferred<WsConnection | null>();
    const port = await accepting((socket, bytes) => given.resolve(wsUpgrade(socket, bytes)));
    const { socket, received } = dial(port);
    socket.end(REQUEST.subarray(0, 30));
    expect(parseResponse(await received.readAll()).status).toBe(400);
    expect(await given.promise).toBeNull();
  });

  it('is not ended by a timer of node:http', async () => {
    const { client, server } = await tcpPair();
    server.setTimeout(5, () => server.destroy());
    const connection = (await wsUpgrade(server, REQUEST))!;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([connection.isOpen(), server.timeout]).toEqual([true, 0]);
    client.destroy();
    await connection.closeInfo;
  });
});

describe('wsUpgrade', () => {
  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['no socket', [{}, REQUEST]],
    ['null for a socket', [null, REQUEST]],
    ['text for bytes', [memoryless(), 'GET / HTTP/1.1']],
    ['no request', [{}, memoryless(), Buffer.alloc(0)]],
    ['options that cannot be', [memoryless(), REQUEST, { origins: 5 }]],
  ])('rejects with a TypeError for %s', async (_title, args) => {
    await expect((wsUpgrade as (...args: unknown[]) => Promise<unknown>)(...args)).rejects.toThrow(TypeError);
  });

  it('rejects with a TypeError for a head that is no bytes', async () => {
    const result = deferred<unknown>();
    const port = await upgrading((request, socket) => {
      wsUpgrade(request, socket, 'head' as never).catch(result.resolve);
      socket.on('error', () => {}).destroy();
    });
    dial(port).socket.write(REQUEST);
    expect(await result.promise).toBeInstanceOf(TypeError);
  });

  it('tells of an onRefused that throws by a warning, and goes on', async () => {
    const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
    const { client, server } = memoryPair();
    client.resume().end();
    const onRefused = (): never => {
      throw new Error('oops');
    };
    expect(await wsUpgrade(server, Buffer.from('GET / HTTP/1.1\r\n\r\n'), { onRefused })).toBeNull();
    expect((await warning).message).toContain('oops');
  });
});

/** A Duplex for arguments that are refused before anybody looks at it. */
function memoryless(): Duplex {
  return { read() {}, write() {} } as unknown as Duplex;
}

it('survives a thousand bad handshakes, and leaves no socket (CVE of other servers: leaks on a bad key)', async () => {
  const server = createServer((socket) => {
    socket.once('data', (bytes) => void wsUpgrade(socket, bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const bad = Buffer.from(upgradeRequest({ headers: { 'Sec-WebSocket-Key': 'bad' } }));
  for (let round = 0; round < 20; round++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => exchange(port, bad)));
    expect(answers.every(({ status }) => status === 400)).toBe(true);
  }
  await new Promise((resolve) => server.close(resolve));
  expect(await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(0);
});
