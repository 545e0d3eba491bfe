/** What an attacker has over HTTP/2 that he has not over HTTP/1.1: many streams on one socket, resets, bytes that are no request. */
import { describe, expect, it, vi } from 'vitest';
import { refuse } from '../../lib/endpoint/upgrade/refusal.ts';
import { clientText, deferred, until } from '../support/endpoints.ts';
import { attachedServer, extendedConnect, http2Session } from '../support/http2.ts';
import {
  byteSession,
  formatFieldBlock,
  formatHttp2Frame,
  GOAWAY,
  HEADERS,
  RST_STREAM,
} from '../support/http2-bytes.ts';

const GOOD = [
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'localhost'],
  ['sec-websocket-version', '13'],
] as const;
type Fields = readonly (readonly [string, string])[];
const without = (name: string): Fields => GOOD.filter(([field]) => field !== name);
const CANCEL = Buffer.of(0, 0, 0, 8);

describe('a malformed extended CONNECT (RFC 8441 §4, RFC 8441 §5)', () => {
  it('is not this one', async () => {
    const { ws, port } = await attachedServer();
    const session = byteSession(port);
    session.request(1, GOOD);
    const answer = await session.frame(({ type, stream }) => stream === 1 && type !== 0);
    // 0x88 is ":status: 200" of the static table (RFC 7541 §A).
    expect([answer?.type, answer?.payload[0]]).toEqual([HEADERS, 0x88]);
    expect(ws.connections.size).toBe(1);
  });

  it.each<[string, Fields]>([
    ['without :scheme', without(':scheme')],
    ['without :path', without(':path')],
    ['without :authority', without(':authority')],
    ['with two :protocol', [...GOOD.slice(0, 2), [':protocol', 'websocket'], ...GOOD.slice(2)]],
    ['with :protocol behind other fields', [...without(':protocol'), [':protocol', 'websocket']]],
    ['with :protocol, and another method', [[':method', 'GET'], ...GOOD.slice(1)]],
    ['with a Connection field', [...GOOD, ['connection', 'upgrade']]],
    ['with an Upgrade field', [...GOOD, ['upgrade', 'websocket']]],
    ['with a name in upper case', [...GOOD, ['Origin', 'http://localhost']]],
    ['with a pseudo-header field that there is not', [...GOOD, [':x', 'y']]],
  ])('%s is a PROTOCOL_ERROR, and hurts nobody else', async (_title, fields) => {
    const { ws, port } = await attachedServer();
    const session = byteSession(port);
    session.request(1, GOOD);
    await until(() => ws.connections.size === 1);
    session.request(3, fields);
    const reset = await session.frame(({ type, stream }) => stream === 3 && type === RST_STREAM);
    expect(reset?.payload.readUInt32BE()).toBe(1);
    expect([ws.connections.size, ws.stats.accepted]).toEqual([1, 1]);
  });

  it.each<[string, Buffer]>([
    ['bytes that are no frame', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['fields that are no HPACK', formatHttp2Frame(HEADERS, 4, 1, Buffer.alloc(20, 0xff))],
    ['frames of a WebSocket without a stream', clientText('hello')],
    ['data on a stream that nobody opened', formatHttp2Frame(0, 0, 1, Buffer.alloc(10))],
  ])('%s are answered with GOAWAY, and hurt nobody else', async (_title, bytes) => {
    const { ws, port } = await attachedServer();
    const session = byteSession(port);
    session.socket.write(bytes);
    const goaway = await session.frame(({ type }) => type === GOAWAY);
    expect(goaway?.payload.readUInt32BE(4)).not.toBe(0);
    expect((await extendedConnect(await http2Session(`http://127.0.0.1:${port}`))).status).toBe(200);
    expect(ws.connections.size).toBe(1);
  });
});

describe('a flood of streams on one session', () => {
  it('counts against maxConnections, stream by stream', async () => {
    const { ws, port } = await attachedServer({ maxConnections: 10 });
    const session = await http2Session(`http://127.0.0.1:${port}`);
    const streams = await Promise.all(Array.from({ length: 50 }, () => extendedConnect(session)));
    const statuses = streams.map(({ status }) => status);
    expect([
      statuses.filter((status) => status === 200).length,
      statuses.filter((status) => status === 503).length,
    ]).toEqual([10, 40]);
    streams[0]!.stream.close(8);
    await until(() => ws.connections.size === 9);
    expect((await extendedConnect(session)).status).toBe(200);
  });

  it('counts against maxConnectionsPerAddress and acceptQueue', async () => {
    const perAddress = await attachedServer({ maxConnectionsPerAddress: 3 });
    const queue = await attachedServer({ acceptQueue: 3 });
    for (const [{ port }, status] of [
      [perAddress, 429],
      [queue, 503],
    ] as const) {
      const session = await http2Session(`http://127.0.0.1:${port}`);
      const statuses: number[] = [];
      for (let turn = 0; turn < 5; turn++) statuses.push((await extendedConnect(session)).status);
      expect(statuses).toEqual([200, 200, 200, status, status]);
    }
  });

  it('counts against maxPendingHandshakes while authorize is waited for', async () => {
    const { promise, resolve } = deferred<void>();
    const authorize = vi.fn(() => promise);
    const { ws, port } = await attachedServer({ maxPendingHandshakes: 5, authorize });
    const session = await http2Session(`http://127.0.0.1:${port}`);
    const asking = Array.from({ length: 30 }, () => extendedConnect(session));
    await until(() => ws.stats.refused === 25);
    resolve();
    const statuses = (await Promise.all(asking)).map(({ status }) => status);
    expect([statuses.filter((status) => status === 503).length, authorize.mock.calls.length]).toEqual([25, 5]);
  });

  it('leaves nothing behind where all are refused', async () => {
    const { ws, port, sessions } = await attachedServer({ authorize: () => refuse(403) });
    const session = await http2Session(`http://127.0.0.1:${port}`);
    for (let round = 0; round < 5; round++) {
      const streams = await Promise.all(Array.from({ length: 100 }, () => extendedConnect(session)));
      await Promise.all(streams.map(({ closed }) => closed));
    }
    expect(ws.stats).toMatchObject({ connections: 0, pending: 0, refused: 500 });
    expect([sessions.size, session.destroyed]).toEqual([1, false]);
  });
});

describe('a stream that is reset in the same segment', () => {
  const REQUESTS: readonly (readonly [string, Fields])[] = [
    ['one that would be taken', GOOD],
    ['one for another path', [...without(':path'), [':path', '/none']].sort() as Fields],
    ['another protocol', [...without(':protocol'), [':protocol', 'connect-udp']].sort() as Fields],
    ['a tunnel', [...GOOD.slice(0, 1), ...GOOD.slice(4, 5)]],
  ];

  it.each(REQUESTS)('hurts nobody: %s', async (_title, fields) => {
    for (const hasHandler of [true, false]) {
      for (const authorize of [undefined, () => Promise.resolve('late')]) {
        const { server, ws, port } = await attachedServer({ path: '/', authorize });
        if (hasHandler) server.on('request', () => {});
        const session = byteSession(port);
        for (const [at, code] of [0, 1, 2, 7, 8].entries()) {
          const head = formatHttp2Frame(HEADERS, 4, 2 * at + 1, formatFieldBlock(fields));
          const reset = formatHttp2Frame(RST_STREAM, 0, 2 * at + 1, Buffer.of(0, 0, 0, code));
          session.socket.write(Buffer.concat([head, reset]));
        }
        session.request(101, GOOD);
        const answer = await session.frame(({ type, stream }) => stream === 101 && type === HEADERS);
        expect(answer?.payload[0]).toBe(0x88);
        await until(() => ws.stats.pending === 0 && ws.connections.size === 1);
        ws.drop();
      }
    }
  });
});

describe('a flood of resets (CVE-2023-44487)', () => {
  it('ends the session, and leaves no handshake and no connection', async () => {
    const { promise, resolve } = deferred<void>();
    const authorize = vi.fn(() => promise);
    const { ws, port } = await attachedServer({ authorize });
    const session = byteSession(port);
    // Node takes a thousand at once, and 33 a second.
    for (let stream = 1; stream < 6000; stream += 2) {
      session.request(stream, GOOD);
      session.socket.write(formatHttp2Frame(RST_STREAM, 0, stream, CANCEL));
    }
    const goaway = await session.frame(({ type }) => type === GOAWAY);
    expect(goaway?.payload.readUInt32BE(4)).not.toBe(0);
    await until(() => ws.stats.pending === 0);
    expect(authorize.mock.calls.length).toBeLessThan(3000);
    resolve();
    expect([ws.connections.size, ws.stats.accepted]).toEqual([0, 0]);
  });
});
