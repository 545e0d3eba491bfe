import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { type Http2Request, readHttp2Upgrade } from '../../../lib/endpoint/http2/http2-upgrade.ts';
import { extendedConnect, http2Server, http2Session } from '../../support/http2.ts';

async function request(): Promise<Http2Request> {
  const { server, port } = await http2Server({ settings: { enableConnectProtocol: true } });
  const coming = new Promise<Http2Request>((resolve) => {
    server.once(
      'stream',
      (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
        resolve({ stream, headers, rawHeaders });
      },
    );
  });
  const session = await http2Session(`http://127.0.0.1:${port}`);
  void extendedConnect(session, { ':path': '/x', ':authority': 'a.example', cookie: ['b=1', 'c=2'], 'x-y': 'z' });
  return coming;
}

describe('readHttp2Upgrade (RFC 8441 §5)', () => {
  it('makes of a request what HTTP/1.1 would have', async () => {
    const asked = await request();
    const { message, socket, head, answer } = readHttp2Upgrade(asked)!;
    expect(message).toMatchObject({ method: 'CONNECT', url: '/x', httpVersion: '2.0', rawHeaders: asked.rawHeaders });
    expect({ ...message.headers }).toEqual({
      host: 'a.example',
      cookie: 'b=1; c=2',
      'x-y': 'z',
      'sec-websocket-version': '13',
    });
    expect([message.socket.remoteAddress, head.length, answer === undefined]).toEqual(['127.0.0.1', 0, false]);
    expect(socket).toBe(asked.stream);
    expect(Object.hasOwn(asked.stream, 'destroy')).toBe(false);
  });

  it('gives nothing where the stream or the session is gone', async () => {
    const asked = await request();
    asked.stream.session?.destroy();
    expect(readHttp2Upgrade(asked)).toBeUndefined();
    asked.stream.destroy();
    expect(readHttp2Upgrade(asked)).toBeUndefined();
  });
});
