import { describe, expect, it, vi } from 'vitest';
import { parseConnectTarget } from '../../../lib/endpoint/client/connect-target.ts';
import { resolveConnectOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { requestStream } from '../../../lib/endpoint/http2/http2-request.ts';
import { HandshakeDeadline } from '../../../lib/endpoint/server/handshake-deadline.ts';
import { formatExtendedConnect } from '../../../lib/handshake/extended-connect.ts';
import { until } from '../../support/endpoints.ts';
import { attachedServer, http2Session } from '../../support/http2.ts';

/** Asks on a session, as `connect` does. */
async function ask(port: number, path: string, session: Awaited<ReturnType<typeof http2Session>>) {
  const options = resolveConnectOptions({ http2: session });
  const target = parseConnectTarget(`ws://127.0.0.1:${port}${path}`);
  const deadline = new HandshakeDeadline(options.handshakeTimeoutMs, undefined);
  const lines = formatExtendedConnect(target, [['Sec-WebSocket-Version', '13']]);
  try {
    return await requestStream({ target, headers: [], tls: undefined }, lines, options, deadline);
  } finally {
    deadline.release();
  }
}

describe('requestStream (RFC 8441 §5)', () => {
  it('gives the stream where the answer is a 2xx, and else the body', async () => {
    const { port, ws } = await attachedServer({ path: '/chat' });
    const session = await http2Session(`http://127.0.0.1:${port}`);
    const accepted = await ask(port, '/chat', session);
    expect(accepted).toMatchObject({ message: { statusCode: 200, httpVersion: '2.0' }, socket: expect.anything() });
    expect(accepted.message.rawHeaders).toContain(':status');
    const refused = await ask(port, '/none', session);
    expect(refused).toMatchObject({ message: { statusCode: 404 }, body: expect.stringContaining('nothing is served') });
    accepted.socket?.destroy();
    await until(() => ws.connections.size === 0);
  });

  it('asks with one value for each field, as Bun takes no list of one for a pseudo-header field', async () => {
    const { port, ws } = await attachedServer();
    const session = await http2Session(`http://127.0.0.1:${port}`);
    const request = vi.spyOn(session, 'request');
    const { socket } = await ask(port, '/', session);
    const values = Object.entries(request.mock.calls[0]?.[0] ?? {});
    expect(values.length).toBeGreaterThan(5);
    expect(values.filter(([, value]) => Array.isArray(value))).toEqual([]);
    socket?.destroy();
    await until(() => ws.connections.size === 0);
  });

  it('fails where the session ends between its settings and the request', async () => {
    const { port } = await attachedServer();
    const session = await http2Session(`http://127.0.0.1:${port}`);
    vi.spyOn(session, 'request').mockImplementation(() => {
      session.destroy();
      throw Object.assign(new Error('gone'), { code: 'ERR_HTTP2_INVALID_SESSION' });
    });
    await expect(ask(port, '/', session)).rejects.toMatchObject({ code: 'WS_ERR_HTTP2', cause: { message: 'gone' } });
  });
});
