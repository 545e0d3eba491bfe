import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import { describe, expect, it, vi } from 'vitest';
import { Http2Switch, isHttp2Server } from '../../../lib/endpoint/http2/http2-switch.ts';
import { deferred } from '../../support/endpoints.ts';
import { extendedConnect, http2Server, http2Session } from '../../support/http2.ts';

describe('isHttp2Server', () => {
  it('knows servers of HTTP/2', () => {
    expect([createHttp2Server(), createSecureServer()].map(isHttp2Server)).toEqual([true, true]);
    expect([createServer(), new EventEmitter()].map(isHttp2Server)).toEqual([false, false]);
  });
});

describe('Http2Switch', () => {
  it('asks about extended CONNECTs for WebSockets, and about nothing else (RFC 8441 §3)', async () => {
    const { server, port } = await http2Server({ settings: { maxConcurrentStreams: 50 } });
    const take = vi.fn((): boolean => false);
    const board = new Http2Switch(server, take);
    server.on('request', (_request, response) => response.end());
    const session = await http2Session(`http://127.0.0.1:${port}`);
    expect(session.remoteSettings).toMatchObject({ enableConnectProtocol: true, maxConcurrentStreams: 50 });
    const get = { ':method': 'GET', ':protocol': undefined };
    const statuses: number[] = [];
    for (const fields of [get, { ':protocol': 'other' }, {}])
      statuses.push((await extendedConnect(session, fields)).status);
    expect([statuses, take.mock.calls.length]).toEqual([[200, 501, 404], 1]);
    board.release();
    expect((await extendedConnect(session)).status).toBe(405);
  });

  it('reads the fields where a runtime does not give them as they came', async () => {
    const { server, port } = await http2Server();
    const { promise, resolve } = deferred<readonly string[]>();
    server.emit = new Proxy(server.emit, {
      apply: (emit, self, [event, ...args]) =>
        Reflect.apply(emit, self, [event, ...args.slice(0, event === 'stream' ? 3 : 9)]),
    });
    const board = new Http2Switch(server, ({ message, socket }) => {
      resolve(message.rawHeaders);
      socket.destroy();
      return true;
    });
    await extendedConnect(await http2Session(`http://127.0.0.1:${port}`), { 'x-y': 'z' });
    expect(await promise).toEqual(expect.arrayContaining([':method', 'CONNECT', 'x-y', 'z']));
    board.release();
  });
});
