/** Attacks by the opening handshake, against a server and against a client of ours. */
import { createServer, type Server } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../lib/endpoint/client/connect.ts';
import { WsServer } from '../../lib/endpoint/server/ws-server.ts';
import { wsUpgrade } from '../../lib/endpoint/upgrade/upgrade.ts';
import { HandshakeError } from '../../lib/errors.ts';
import {
  boundServer,
  byteServer,
  dial,
  exchange,
  linked,
  parseResponse,
  turns,
  until,
  urlOf,
} from '../support/endpoints.ts';
import { expectLinear } from '../support/linear.ts';
import { outcome } from '../support/outcome.ts';
import { memoryPair, portOf } from '../support/sockets.ts';
import { answerTo } from './duels.ts';
import { formatAttack, REQUEST_ATTACKS, RESPONSE_ATTACKS } from './handshake-attacks.ts';

describe('a request that attacks', () => {
  it.each(REQUEST_ATTACKS)('$name: $status, and the server goes on', async ({ request, status }) => {
    const server = await boundServer();
    const { socket, received } = dial(server.port);
    socket.write(request);
    const head = await received.readThrough('\r\n\r\n');
    expect(parseResponse(head).status).toBe(status);
    expect(head.includes('Sec-WebSocket-Extensions')).toBe(false);
    socket.destroy();
    const { client, ours } = await linked(server);
    await Promise.all([client.close(), ours.close()]);
    await until(() => server.connections.size === 0);
  });

  it('CVE-2026-130647, CVE-2026-100658: a request that is pipelined behind a refused one is not looked at', async () => {
    const server = await boundServer();
    const bad = formatAttack({ fields: { Upgrade: 'h2c' } });
    const answer = await exchange(server.port, Buffer.concat([bad, formatAttack(), formatAttack()]));
    expect(answer.status).toBe(426);
    expect(answer.body).not.toContain('HTTP/1.1');
    expect(server.stats.accepted).toBe(0);
  });

  it('CVE-2024-37890: an HTTP server that leaves fields out beyond its count gives 400, and no crash', async () => {
    const server = createServer({ maxHeaderSize: 65_536 });
    await listen(server);
    WsServer.attach(server, { maxHeaderBytes: 65_536, maxHeaderCount: 3000 });
    const answer = await exchange(portOf(server), formatAttack({ before: 'a: b\r\n'.repeat(2100) }));
    // From Node 26 on, the server itself refuses what is beyond its count.
    expect([400, 431]).toContain(answer.status);
  });

  it('CVE-2024-37890: 2,000 fields are no harm where there is room for them', async () => {
    const server = await boundServer({ maxHeaderBytes: 65_536, maxHeaderCount: 3000 });
    const { socket, received } = dial(server.port);
    socket.write(formatAttack({ before: 'a: b\r\n'.repeat(2100) }));
    expect(parseResponse(await received.readThrough('\r\n\r\n')).status).toBe(101);
    socket.destroy();
    await until(() => server.connections.size === 0);
  });

  it('CVE-2023-43669: a head that comes byte by byte is no more work than its bytes', async () => {
    const work = async (fields: number): Promise<number> => {
      const { client, server } = memoryPair();
      const bytes = formatAttack({ before: 'x: 0123456789\r\n'.repeat(fields) });
      const before = process.cpuUsage();
      const accepted = wsUpgrade(server, bytes.subarray(0, 1), { maxHeaderBytes: 1_000_000, maxHeaderCount: 100_000 });
      for (let at = 1; at < bytes.length; at++) {
        client.write(bytes.subarray(at, at + 1));
        if (at % 16 === 0) await turns(1);
      }
      const conn = await accepted;
      const { user, system } = process.cpuUsage(before);
      expect(conn).not.toBeNull();
      client.destroy();
      conn!.forceClose();
      return user + system;
    };
    await expectLinear(work, 128);
  });

  it('slowloris: a byte now and then does not keep a socket: 408, and others are served meanwhile', async () => {
    const server = await boundServer({ handshakeTimeoutMs: 150 });
    const request = formatAttack();
    const slow = Array.from({ length: 50 }, () => dial(server.port));
    let at = 0;
    const timer = setInterval(() => {
      for (const { socket } of slow) socket.write(request.subarray(at, at + 1));
      at++;
    }, 10);
    onTestFinished(() => clearInterval(timer));
    const { client, ours } = await linked(server);
    for (const { socket, received } of slow) {
      expect(parseResponse(await received.readAll()).status).toBe(408);
      socket.end();
    }
    clearInterval(timer);
    await Promise.all([client.close(), ours.close()]);
  });

  it('a thousand handshakes that never come are gone when their time is over, and nothing is left', async () => {
    const server = await boundServer({ handshakeTimeoutMs: 200 });
    const silent = Array.from({ length: 1000 }, () => dial(server.port));
    await Promise.all(
      silent.map(async ({ socket, received }) => {
        await received.readAll();
        socket.destroy();
      }),
    );
    expect(server.stats).toMatchObject({ accepted: 0, connections: 0, pending: 0 });
    await server.close();
  });

  it('CVE-2026-129500: a thousand resets behind a request, whatever the moment, end no process and leave nothing', async () => {
    const server = await boundServer({ authorize: () => turns(2) });
    void server.serve(async (conn) => void (await conn.recvFrame()));
    for (let round = 0; round < 20; round++) {
      const dialled = Array.from({ length: 50 }, () => dial(server.port));
      for (const { socket } of dialled) socket.write(formatAttack());
      await turns(round % 8);
      for (const { socket } of dialled) socket.resetAndDestroy();
    }
    await until(() => server.stats.pending === 0 && server.connections.size === 0);
    const after = await connect(urlOf(server));
    expect(await after.close()).toMatchObject({ wasClean: true });
  });
});

describe('a response that attacks', () => {
  it.each(RESPONSE_ATTACKS)('$name: connect rejects, and leaves nothing', async ({ response }) => {
    const { server, port } = await byteServer((socket) => {
      socket.once('data', (head: Buffer) => {
        const accept = /Sec-WebSocket-Accept: (.*)\r\n/.exec(answerTo(String(head)))?.[1] ?? '';
        socket.end(Buffer.from(response.replaceAll('{accept}', accept), 'latin1'));
      });
    });
    const options = { protocols: ['a', 'b'], handshakeTimeoutMs: 3000, maxRedirects: 3 };
    const error = await outcome(connect(`ws://127.0.0.1:${port}`, options));
    expect(error).toBeInstanceOf(HandshakeError);
    expect(await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBeLessThan(2);
  });

  it.each([
    ['Latin-1', 'caf\u00e9'],
    ['UTF-8', Buffer.from('é€😀').toString('latin1')],
  ])('CVE-2026-55517: a field in %s is no harm to a client', async (_what, value) => {
    const { port } = await byteServer((socket) => {
      socket.once(
        'data',
        (head: Buffer) => void socket.write(answerTo(String(head), `X-Name: ${value}\r\n`), 'latin1'),
      );
    });
    const conn = await connect(`ws://127.0.0.1:${port}`);
    expect(conn.response?.headers['x-name']).toBe(value);
    conn.forceClose();
  });

  it.each([
    ['bytes of a field that never ends', 'X: ' as string, 'a'.repeat(1000)],
    ['fields that never end', '', 'X: a\r\n'.repeat(100)],
    ['informational answers that never end', '', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('CVE-2026-54464, CVE-2026-54465: %s are cut', async (_what, begin, more) => {
    const { port } = await byteServer((socket) => {
      const isInformational = more.startsWith('HTTP');
      socket.write(isInformational ? begin : `HTTP/1.1 101 Switching Protocols\r\n${begin}`);
      const timer = setInterval(() => socket.write(more), 1);
      socket.once('close', () => clearInterval(timer));
    });
    const error = await outcome(connect(`ws://127.0.0.1:${port}`, { handshakeTimeoutMs: 300 }));
    expect(error).toBeInstanceOf(HandshakeError);
  });
});

describe('a caller who passes on what a peer said (CVE-2026-1527, CVE-2020-35678)', () => {
  const BAD = ['a\r\nX-Injected: 1', 'a\nb', 'a\rb', 'a\0b'];
  it.each(
    BAD.flatMap(
      (bad) =>
        [
          ['a header value', { headers: { 'X-A': bad } }],
          ['a header name', { headers: { [bad]: 'a' } }],
          ['a subprotocol', { protocols: [bad] }],
          ['the origin', { origin: bad }],
          ['the host', { headers: { Host: bad } }],
        ] as const,
    ),
  )('line ends and NUL in %s are a TypeError, and nothing is sent', async (_what, options) => {
    let sockets = 0;
    const { port } = await byteServer(() => sockets++);
    expect(await outcome(connect(`ws://127.0.0.1:${port}`, options))).toBeInstanceOf(TypeError);
    await turns(3);
    expect(sockets).toBe(0);
  });

  it.each(BAD)('line ends and NUL in a path never reach the wire as they are: %j', async (bad) => {
    const heads: string[] = [];
    const { port } = await byteServer((socket) => {
      socket.once('data', (head: Buffer) => {
        heads.push(String(head));
        socket.end('HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n');
      });
    });
    await outcome(connect(`ws://127.0.0.1:${port}/${bad}`));
    for (const head of heads) expect(head).not.toMatch(/^X-Injected|\0|[^\r]\n|\r[^\n]/m);
  });

  it.each(BAD)('line ends and NUL in the answer of a server are a 500: %j', async (bad) => {
    const server = await boundServer({ responseHeaders: () => ({ 'X-A': bad }) });
    expect(await outcome(connect(urlOf(server)))).toMatchObject({ status: 500 });
  });
});

async function listen(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
}
