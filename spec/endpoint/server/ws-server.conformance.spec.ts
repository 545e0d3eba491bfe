/** RFC 6455 §4.2 as a client of bytes sees it: what our server answers, and what it does with those it refuses. */
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServerOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { boundServer, clientText } from '../../support/endpoints.ts';
import { ByteCollector, rawClient, upgradeRequest } from '../../support/sockets.ts';

/** The lines of a head with this name. */
const linesOf = (head: string, name: string): string[] =>
  head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());

const OFFER = {
  'Sec-WebSocket-Protocol': 'chat, superchat',
  'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits, mux',
};

describe('a handshake that is accepted', () => {
  it('is answered with 101 and each field once (§4.2.2, §11.3.3, §11.3.4)', async () => {
    const server = await boundServer({ protocols: ['superchat'] });
    const { status, head } = await rawClient(server.port, { headers: OFFER });
    expect([status, head.startsWith('HTTP/1.1 101 Switching Protocols\r\n')]).toEqual([101, true]);
    expect(linesOf(head, 'Upgrade')).toEqual(['websocket']);
    expect(linesOf(head, 'Connection')).toEqual(['Upgrade']);
    expect(linesOf(head, 'Sec-WebSocket-Accept')).toEqual(['s3pPLMBiTxaQ9kYGzzhZRbK+xOo=']);
    expect(linesOf(head, 'Sec-WebSocket-Protocol')).toEqual(['superchat']);
  });

  it('gets no extension that we do not speak, and none that was not asked for (§4.2.2, §9, §11.3.2)', async () => {
    const server = await boundServer();
    for (const headers of [OFFER, {}]) {
      const { status, head } = await rawClient(server.port, { headers });
      expect([status, linesOf(head, 'Sec-WebSocket-Extensions')]).toEqual([101, []]);
    }
  });

  it.each<[what: string, options: ServerOptions, headers: Record<string, string>]>([
    ['none was offered', { protocols: ['chat'] }, {}],
    ['none is spoken', {}, OFFER],
    ['none is agreed on', { protocols: ['other'] }, OFFER],
    ['the server wants none', { selectProtocol: () => undefined }, OFFER],
  ])('gets no Sec-WebSocket-Protocol where %s (§4.2.2)', async (_what, options, headers) => {
    const server = await boundServer(options);
    const { status, head } = await rawClient(server.port, { headers });
    expect([status, linesOf(head, 'Sec-WebSocket-Protocol')]).toEqual([101, []]);
  });
});

describe('a handshake that is refused', () => {
  const AT = { Host: 'example.com' };

  it.each<[what: string, status: number, request: Parameters<typeof upgradeRequest>[0], options?: ServerOptions]>([
    ['no key', 400, { headers: { 'Sec-WebSocket-Key': undefined } }],
    ['no Host', 400, { headers: { Host: undefined } }],
    ['malformed extensions', 400, { headers: { 'Sec-WebSocket-Extensions': 'a; b="c d"' } }],
    ['a foreign Origin', 403, { headers: { ...AT, Origin: 'http://evil.example' } }],
    ['another path', 404, { path: '/b' }, { path: '/a' }],
    ['a target in absolute form', 400, { path: 'http://localhost/' }],
    ['no Upgrade', 426, { headers: { Upgrade: undefined } }],
    ['another version', 426, { headers: { 'Sec-WebSocket-Version': '8' } }],
    ['too large a head', 431, { headers: { Cookie: 'a'.repeat(9000) } }],
  ])(
    'for %s gets %i, TCP is closed, and nobody is given a connection (§4.2.1, §4.2.2, §7.2.2, §10.7)',
    async (...row) => {
      const [, status, request, options] = row;
      const server = await boundServer(options);
      const client = await rawClient(server.port, { ...request, behind: clientText('as if it were open') });
      expect(client.status).toBe(status);
      await client.received.readAll();
      client.socket.end();
      expect(server.stats).toMatchObject({ accepted: 0, connections: 0, queued: 0 });
    },
  );

  it('for its version is told the one that we speak (§4.2.2, §4.4)', async () => {
    const server = await boundServer();
    const { status, head } = await rawClient(server.port, { headers: { 'Sec-WebSocket-Version': '25' } });
    expect([status, linesOf(head, 'Sec-WebSocket-Version')]).toEqual([426, ['13']]);
  });
});

it('speaks TLS and nothing else where it is given a certificate (§4.2.2, §10.6)', async () => {
  const server = await boundServer({ tls: { key: TEST_KEY, cert: TEST_CERT } });
  const socket = connectTls({ port: server.port, host: '127.0.0.1', ca: TEST_CERT });
  onTestFinished(() => {
    socket.destroy();
  });
  const received = new ByteCollector(socket);
  socket.write(upgradeRequest());
  expect(String(await received.readThrough('\r\n\r\n'))).toContain('HTTP/1.1 101 ');
  const conn = await server.accept();
  await conn?.sendText('sealed');
  expect(await received.read(8)).toEqual(Buffer.from('\x81\x06sealed', 'latin1'));
  expect((await rawClient(server.port)).status).toBe(0);
});
