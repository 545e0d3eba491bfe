/** Both ends of a handshake tell the channels when it begins and how it has ended. */
import { describe, expect, it } from 'vitest';
import type { HandshakeMessage } from '../../../lib/connection/diagnostics.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import { listenTo } from '../../support/channels.ts';
import { boundServer, byteServer, dial, until, urlOf } from '../../support/endpoints.ts';

/** Hears handshakes: those that have begun, and those that are over. */
function listen(role: string): { begun: HandshakeMessage[]; over: HandshakeMessage[]; mine(): HandshakeMessage[] } {
  const begun = listenTo<HandshakeMessage>('wspipe:handshake-start');
  const over = listenTo<HandshakeMessage>('wspipe:handshake-end');
  return { begun, over, mine: () => over.filter((message) => message.role === role) };
}

describe('a client', () => {
  it('tells of the URL without its password, and of the connection', async () => {
    const { begun, mine } = listen('client');
    const server = await boundServer();
    const conn = await connect(urlOf(server, '/a?b=c').replace('//', '//ada:secret@'));
    expect(mine()).toMatchObject([{ url: urlOf(server, '/a?b=c'), connection: conn, error: undefined }]);
    expect(mine()[0]!.durationMs).toBeGreaterThan(0);
    expect(begun).toContain(mine()[0]);
    conn.forceClose();
  });

  it.each<[string, object, (port: number) => Promise<unknown>]>([
    ['a refusal', { status: 403 }, (port) => connect(`ws://127.0.0.1:${port}`)],
    ['a system that says no', { code: 'ENOENT' }, () => connect('ws+unix:///nowhere/at/all.sock')],
    ['an abort', { name: 'AbortError' }, (port) => connect(`ws://127.0.0.1:${port}`, { signal: AbortSignal.abort() })],
  ])('tells of %s', async (_title, error, attempt) => {
    const { mine } = listen('client');
    const server = await boundServer({ authorize: () => refuse(403) });
    await expect(attempt(server.port)).rejects.toMatchObject(error);
    expect(mine()).toMatchObject([{ connection: undefined, error }]);
  });

  it('tells nothing of what never began: a mistake of the caller', async () => {
    const { begun } = listen('client');
    await expect(connect('nowhere')).rejects.toThrow(TypeError);
    expect(begun).toEqual([]);
  });
});

describe('a server', () => {
  it('tells of the request and the connection, with the time that authorize took', async () => {
    const { begun, mine } = listen('server');
    const server = await boundServer({ authorize: () => new Promise<void>((resolve) => setTimeout(resolve, 5)) });
    const client = await connect(urlOf(server, '/a'));
    const ours = await server.accept();
    expect(mine()).toMatchObject([{ url: '/a', request: { url: '/a' }, connection: ours, error: undefined }]);
    expect(mine()[0]!.durationMs).toBeGreaterThan(3);
    expect(begun).toContain(mine()[0]);
    client.forceClose();
  });

  it('tells of a refusal with its status', async () => {
    const { mine } = listen('server');
    const server = await boundServer({ path: '/chat' });
    await expect(connect(urlOf(server, '/x'))).rejects.toMatchObject({ status: 404 });
    expect(mine()).toMatchObject([
      { url: '/x', connection: undefined, error: { name: 'HandshakeError', status: 404 } },
    ]);
  });

  it('tells of a peer that has gone meanwhile without an error, for there is none', async () => {
    const { begun, mine } = listen('server');
    const server = await boundServer({ authorize: () => new Promise(() => {}) });
    const { socket } = dial(server.port);
    const fields = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13';
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n`);
    await until(() => begun.length === 1);
    expect(mine()).toEqual([]);
    socket.resetAndDestroy();
    await until(() => mine().length === 1);
    expect(mine()[0]).toMatchObject({ role: 'server', connection: undefined, error: undefined });
  });

  it('tells nothing where what came was no request', async () => {
    const { begun } = listen('server');
    const server = await boundServer();
    const { socket, received } = dial(server.port);
    socket.write('nonsense\r\n\r\n');
    await received.readAll();
    expect(begun).toEqual([]);
    const { port } = await byteServer((peer) => peer.end('HTTP/1.1 200 Hi\r\nContent-Length: 0\r\n\r\n'));
    await expect(connect(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({ status: 200 });
    expect(begun.map(({ role }) => role)).toEqual(['client']);
  });
});
