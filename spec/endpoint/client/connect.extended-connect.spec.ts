import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { describe, expect, it, vi } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import type { ConnectOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import type { HandshakeError } from '../../../lib/errors.ts';
import { attachedServer, http2Server, http2Session } from '../../support/http2.ts';

const WITH_CONNECT = { settings: { enableConnectProtocol: true } };

/** A server that answers each stream as the test says. */
async function answering(answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void): Promise<string> {
  const { server, port } = await http2Server(WITH_CONNECT);
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    answer(stream, headers);
  });
  return `ws://127.0.0.1:${port}`;
}

async function failure(url: string, options?: ConnectOptions): Promise<HandshakeError> {
  return connect(url, { http2: true, ...options }).then(
    () => expect.unreachable('it connected'),
    (error) => error,
  );
}

describe('connect over HTTP/2 (RFC 8441 §5)', () => {
  it('asks as over HTTP/1.1, and gives the answer', async () => {
    const { ws, port } = await attachedServer({
      path: '/chat',
      protocols: ['b', 'a'],
      perMessageDeflate: true,
      responseHeaders: () => ({ 'Set-Cookie': ['x=1', 'y=2'], 'X-Y': 'z' }),
    });
    const accepted = ws.accept();
    const client = await connect(`ws://me:secret@127.0.0.1:${port}/chat?x=1`, {
      http2: true,
      protocols: ['a', 'b'],
      perMessageDeflate: true,
      origin: 'http://front.example',
      headers: { Host: 'front.example', Cookie: 'c=1', 'X-Many': ['1', '2'] },
    });
    const ours = (await accepted)!;
    expect([client.protocol, ours.protocol]).toEqual(['b', 'b']);
    expect(client.extensions).toMatch(/^permessage-deflate/);
    expect(client.response).toEqual({
      status: 200,
      headers: {
        'sec-websocket-protocol': 'b',
        'sec-websocket-extensions': expect.any(String),
        'set-cookie': ['x=1', 'y=2'],
        'x-y': 'z',
        date: expect.any(String),
      },
    });
    expect(ours.request?.headers).toMatchObject({
      host: 'front.example',
      authorization: `Basic ${btoa('me:secret')}`,
      cookie: 'c=1',
      'x-many': '1, 2',
    });
    expect(ours.request).toMatchObject({ url: '/chat?x=1', httpVersion: '2.0', protocols: ['a', 'b'] });
    await client.sendText('hello'.repeat(1000));
    expect((await ours.recvFrame())?.payloadText()).toBe('hello'.repeat(1000));
    const [info, theirs] = await Promise.all([client.close(4000, 'bye'), ours.recvFrame().then(() => ours.closeInfo)]);
    expect([info.code, info.wasClean, theirs.code, theirs.wasClean]).toEqual([4000, true, 4000, true]);
  });

  it('sends the fields of the RFC and no others', async () => {
    const asked = vi.fn();
    const url = await answering((stream, headers) => {
      asked({ ...headers });
      stream.respond({ ':status': 200 });
    });
    (await connect(`${url}/p?q`, { http2: true, perMessageDeflate: false })).forceClose();
    expect(Object.keys(asked.mock.calls[0]![0])).toEqual([
      ...[':method', ':protocol', ':scheme', ':authority', ':path', 'sec-websocket-version'],
    ]);
  });

  it('rejects with the status, the fields and the body of a refusal', async () => {
    const authorize = () => refuse(401, { headers: { 'WWW-Authenticate': 'Bearer' }, body: 'who are you?' });
    const { port } = await attachedServer({ authorize });
    expect(await failure(`ws://127.0.0.1:${port}`)).toMatchObject({
      code: 'WS_ERR_HANDSHAKE_REFUSED',
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: 'who are you?',
    });
  });

  it('keeps 4 KiB of a body that never ends', async () => {
    const url = await answering((stream) => {
      stream.respond({ ':status': 404 });
      const write = (): void => void (stream.destroyed || stream.write('x'.repeat(1000), write));
      write();
    });
    expect((await failure(url)).body).toHaveLength(4096);
  });

  it.each<[string, (stream: ServerHttp2Stream) => void, string]>([
    ['resets the stream', (stream) => stream.close(7), 'WS_ERR_HANDSHAKE'],
    ['cancels the stream', (stream) => stream.close(8), 'WS_ERR_HANDSHAKE'],
    ['ends the session', (stream) => stream.session?.destroy(), 'WS_ERR_HANDSHAKE'],
    [
      'chooses a protocol that was not offered',
      (stream) => stream.respond({ ':status': 200, 'sec-websocket-protocol': 'x' }),
      'WS_ERR_HANDSHAKE',
    ],
    [
      'uses an extension that was not offered',
      (stream) => stream.respond({ ':status': 200, 'sec-websocket-extensions': 'x' }),
      'WS_ERR_HANDSHAKE',
    ],
    [
      'sends a head of too many bytes',
      (stream) => stream.respond({ ':status': 200, 'x-long': 'x'.repeat(9000) }),
      'WS_ERR_HANDSHAKE',
    ],
    [
      'sends too many fields',
      (stream) => stream.respond({ ':status': 200, 'x-many': Array(120).fill('x') }),
      'WS_ERR_HANDSHAKE',
    ],
    [
      'sends fewer fields, but more than are taken',
      (stream) => stream.respond({ ':status': 200, 'x-many': Array(100).fill('x') }),
      'WS_ERR_HANDSHAKE',
    ],
    ['answers 1xx only', (stream) => stream.additionalHeaders({ ':status': 103 }), 'WS_ERR_HANDSHAKE_TIMEOUT'],
  ])('rejects where the server %s', async (_title, answer, code) => {
    const url = await answering(answer);
    const handshakeTimeoutMs = code.endsWith('TIMEOUT') ? 40 : undefined;
    expect((await failure(url, { handshakeTimeoutMs })).code).toBe(code);
  });

  it('takes larger heads where it is told to', async () => {
    const fields = { ':status': 200, 'x-long': 'x'.repeat(20_000), 'x-many': Array(300).fill('x') };
    const url = await answering((stream) => stream.respond(fields));
    for (const maxHeaderCount of [400, Number.POSITIVE_INFINITY]) {
      const client = await connect(url, { http2: true, maxHeaderBytes: 30_000, maxHeaderCount });
      client.forceClose();
    }
    const port = Number(new URL(url).port);
    const session = await http2Session(`http://127.0.0.1:${port}`, { maxHeaderListPairs: 400 });
    expect((await failure(url, { http2: session, maxHeaderCount: 400 })).message).toContain('8192 bytes');
  });

  it('is cut at once where the server ends the stream behind its 200', async () => {
    const url = await answering((stream) => stream.respond({ ':status': 200 }, { endStream: true }));
    const client = await connect(url, { http2: true });
    expect([await client.recvFrame(), (await client.closeInfo).code]).toEqual([null, 1006]);
  });
});

describe('redirects over HTTP/2', () => {
  it('are followed on sessions of our own, without credentials to another origin', async () => {
    const asked: IncomingHttpHeaders[] = [];
    const target = await answering((stream, headers) => {
      asked.push(headers);
      stream.respond({ ':status': 200 });
    });
    const url = await answering((stream) =>
      stream.respond({ ':status': 307, location: `${target}/x` }, { endStream: true }),
    );
    expect((await failure(url)).code).toBe('WS_ERR_REDIRECT');
    const client = await connect(url, { http2: true, maxRedirects: 1, headers: { Cookie: 'a=b', 'X-Y': 'z' } });
    client.forceClose();
    expect(asked[0]).toMatchObject({ ':path': '/x', 'x-y': 'z' });
    expect(asked[0]).not.toHaveProperty('cookie');
  });

  it('stay on a session of yours, and do not lead away from it', async () => {
    const url = await answering((stream, headers) => {
      const locations: Record<string, string> = { '/': '/b', '/away': 'ws://elsewhere.example' };
      const location = locations[String(headers[':path'])];
      stream.respond(location === undefined ? { ':status': 200 } : { ':status': 302, location });
    });
    const session = await http2Session(url.replace('ws:', 'http:'));
    (await connect(url, { http2: session, maxRedirects: 3 })).forceClose();
    const error = await failure(`${url}/away`, { http2: session, maxRedirects: 3 });
    expect([error.code, session.closed]).toEqual(['WS_ERR_REDIRECT', false]);
  });
});
