/** RFC 6455 §3 and §4.1 as a server sees them: what our client sends, and what makes it give up. */
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { parseConnectTarget } from '../../../lib/endpoint/client/connect-target.ts';
import type { ConnectOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { sha1 } from '../../../lib/endpoint/upgrade/upgrade-request.ts';
import { HandshakeError } from '../../../lib/errors.ts';
import { computeAccept } from '../../../lib/handshake/accept-key.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { byteServer, deferred, turns } from '../../support/endpoints.ts';
import { ByteCollector, portOf } from '../../support/sockets.ts';

interface Request {
  readonly line: string;
  /** Lower-case name and value, line by line. */
  readonly fields: readonly (readonly [string, string])[];
  readonly accept: string;
}

function parseRequest(head: Buffer): Request {
  const [line = '', ...lines] = head.toString('latin1').trimEnd().split('\r\n');
  const fields = lines.map((text) => {
    const colon = text.indexOf(':');
    return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()] as const;
  });
  const key = fields.find(([name]) => name === 'sec-websocket-key')?.[1] ?? '';
  return { line, fields, accept: computeAccept(key, sha1) };
}

const valuesOf = ({ fields }: Request, name: string): string[] =>
  fields.filter(([other]) => other === name).map(([, value]) => value);

const switched = (accept: string, ...more: string[]): string =>
  ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
    .concat(more, '\r\n')
    .join('\r\n');

/** Serves one handshake by hand; gives the request, and what came behind it. */
async function serveOnce(answer: (request: Request) => string): Promise<{
  readonly port: number;
  readonly request: Promise<Request>;
  readonly received: Promise<ByteCollector>;
}> {
  const request = deferred<Request>();
  const received = deferred<ByteCollector>();
  const { port } = await byteServer(async (socket) => {
    const collector = new ByteCollector(socket);
    const read = parseRequest(await collector.readThrough('\r\n\r\n'));
    request.resolve(read);
    received.resolve(collector);
    socket.write(answer(read));
  });
  return { port, request: request.promise, received: received.promise };
}

/** Connects to a server that is written by hand; gives what that server was asked. */
async function askedWith(path: string, options?: ConnectOptions): Promise<Request> {
  const { port, request } = await serveOnce(({ accept }) => switched(accept));
  const conn = await connect(`ws://127.0.0.1:${port}${path}`, options);
  conn.forceClose();
  return request;
}

describe('the URI', () => {
  it('has no fragment (§3)', async () => {
    await expect(connect('ws://127.0.0.1:1/a#b')).rejects.toThrow(TypeError);
    await expect(connect('ws://127.0.0.1:1/a#')).rejects.toThrow(TypeError);
  });

  it('keeps an escaped # escaped in the request (§3)', async () => {
    expect((await askedWith('/a%23b?c=%23')).line).toBe('GET /a%23b?c=%23 HTTP/1.1');
  });

  it.each(['', 'a', '/a', 'ws:', 'ws://', 'ws://a b/', 'ws://[::1', 'ws://a:65536/', 'ws://a:b/', 'ftp://a/'])(
    'that is not valid fails before anything is opened: %j (§4.1)',
    async (url) => {
      await expect(connect(url)).rejects.toThrow(TypeError);
    },
  );

  it('is brought to ASCII: the host as IDNA does it, the rest in percent-encoded UTF-8 (§11.1.1, §11.1.2)', async () => {
    expect((await askedWith('/caf\u00e9 \u65e5?q=\u00fc')).line).toBe('GET /caf%C3%A9%20%E6%97%A5?q=%C3%BC HTTP/1.1');
    for (const scheme of ['ws', 'wss']) {
      const { host, path } = parseConnectTarget(`${scheme}://B\u00fccher.example/\u00fc`);
      expect([host, path]).toEqual(['xn--bcher-kva.example', '/%C3%BC']);
    }
  });
});

describe('the request', () => {
  it('is a GET of HTTP/1.1 with each required field once (§4.1, §9.1, §11.3.1, §11.3.5)', async () => {
    const asked = await askedWith('/chat?room=7', { protocols: ['chat', 'superchat'] });
    expect(asked.line).toBe('GET /chat?room=7 HTTP/1.1');
    expect(valuesOf(asked, 'host')).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/)]);
    expect(valuesOf(asked, 'upgrade')).toEqual(['websocket']);
    expect(valuesOf(asked, 'connection')).toEqual(['Upgrade']);
    expect(valuesOf(asked, 'sec-websocket-version')).toEqual(['13']);
    expect(valuesOf(asked, 'sec-websocket-protocol')).toEqual(['chat, superchat']);
    const [key = '', ...others] = valuesOf(asked, 'sec-websocket-key');
    expect([Buffer.from(key, 'base64').length, others]).toEqual([16, []]);
    // A browser has an Origin, we have none to tell; and no extension is offered but the registered one (§9.1).
    const offer = 'permessage-deflate; client_max_window_bits';
    expect([valuesOf(asked, 'origin'), valuesOf(asked, 'sec-websocket-extensions')]).toEqual([[], [offer]]);
  });

  it('has one Host and one Authorization field, or is not sent (§4.1)', async () => {
    for (const name of ['Host', 'Authorization']) {
      const headers = [
        [name, 'a'],
        [name, 'b'],
      ] as const;
      await expect(connect('ws://127.0.0.1:1/', { headers })).rejects.toThrow(TypeError);
    }
  });

  it('has a key of its own for each connection (§4.1)', async () => {
    const [one, two] = await Promise.all([askedWith('/'), askedWith('/')]);
    expect(one.accept).not.toBe(two.accept);
  });

  it('is followed by nothing before the answer has come (§4.1)', async () => {
    const { port, request, received } = await serveOnce(() => '');
    const controller = new AbortController();
    const pending = connect(`ws://127.0.0.1:${port}/`, { signal: controller.signal });
    await request;
    await turns(20);
    expect((await received).pending.length).toBe(0);
    controller.abort();
    await expect(pending).rejects.toMatchObject({ name: 'AbortError' });
    expect((await (await received).readAll()).length).toBe(0);
  });
});

describe('the answer', () => {
  it.each<[what: string, answer: (request: Request) => string]>([
    ['another status', () => 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['a 101 of HTTP/1.0', ({ accept }) => switched(accept).replace('HTTP/1.1', 'HTTP/1.0')],
    ['no Upgrade', ({ accept }) => switched(accept).replace('Upgrade: websocket\r\n', '')],
    ['another Upgrade', ({ accept }) => switched(accept).replace('websocket', 'h2c')],
    ['no Connection', ({ accept }) => switched(accept).replace('Connection: Upgrade\r\n', '')],
    ['no accept value', ({ accept }) => switched(accept).replace(/Sec-WebSocket-Accept: .*\r\n/, '')],
    ['the accept value of another key', () => switched('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')],
    ['an extension that was not asked for', ({ accept }) => switched(accept, 'Sec-WebSocket-Extensions: mux')],
    ['a subprotocol that was not asked for', ({ accept }) => switched(accept, 'Sec-WebSocket-Protocol: other')],
    ['the accept value twice', ({ accept }) => switched(accept, `Sec-WebSocket-Accept: ${accept}`)],
    [
      'the subprotocol twice',
      ({ accept }) => switched(accept, 'Sec-WebSocket-Protocol: chat', 'Sec-WebSocket-Protocol: chat'),
    ],
    ['something that is no HTTP', () => 'SSH-2.0-OpenSSH_9.2\r\n'],
  ])('with %s fails the connection, and TCP is closed (§4.1, §7.2.1, §11.3.3, §11.3.4)', async (_what, answer) => {
    const { port, received } = await serveOnce(answer);
    await expect(connect(`ws://127.0.0.1:${port}/`, { protocols: 'chat' })).rejects.toBeInstanceOf(HandshakeError);
    expect((await (await received).readAll()).length).toBe(0);
  });

  it('is in order: the connection is open (§4.1)', async () => {
    const { port } = await serveOnce(({ accept }) => switched(accept, 'Sec-WebSocket-Protocol: chat'));
    const conn = await connect(`ws://127.0.0.1:${port}/`, { protocols: ['superchat', 'chat'] });
    expect([conn.isOpen(), conn.protocol, conn.extensions]).toEqual([true, 'chat', '']);
    conn.forceClose();
  });
});

describe('the transport', () => {
  it('that cannot be opened, or that is lost, fails the connection (§4.1, §7.2.1)', async () => {
    const { server, port } = await byteServer((socket) => socket.once('data', () => socket.destroy()));
    await expect(connect(`ws://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await new Promise((resolve) => server.close(resolve));
    await expect(connect(`ws://127.0.0.1:${port}/`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  /** A TLS server that answers one handshake; gives the sockets that got so far. */
  async function tlsServer(): Promise<{ readonly port: number; readonly sockets: TLSSocket[] }> {
    const sockets: TLSSocket[] = [];
    const server = createTlsServer({ key: TEST_KEY, cert: TEST_CERT }, async (socket) => {
      sockets.push(socket);
      const head = await new ByteCollector(socket).readThrough('\r\n\r\n');
      if (head.length > 0) socket.write(switched(parseRequest(head).accept));
    });
    onTestFinished(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    return { port: portOf(server), sockets };
  }

  it('is TLS from the first byte on where the URI says wss, with the name of the server (§4.1, §10.6)', async () => {
    const { port, sockets } = await tlsServer();
    const conn = await connect(`wss://localhost:${port}/`, { tls: { ca: TEST_CERT } });
    expect(sockets.map((socket) => [socket.encrypted, socket.servername])).toEqual([[true, 'localhost']]);
    conn.forceClose();

    const first = deferred<Buffer>();
    const plain = await byteServer((socket) => {
      socket.once('data', (chunk: Buffer) => {
        first.resolve(chunk);
        socket.destroy();
      });
    });
    await expect(connect(`wss://127.0.0.1:${plain.port}/`)).rejects.toThrow(Error);
    // 22 is a handshake of TLS (RFC 8446 §5.1).
    expect([(await first.promise)[0], (await first.promise).includes('GET')]).toEqual([22, false]);
  });

  it.each<[what: string, options: ConnectOptions, code: string]>([
    ['nobody vouches for', {}, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['is for another name', { tls: { ca: TEST_CERT, servername: 'other.example' } }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('with a certificate that %s fails, and the request is not sent (§4.1)', async (_what, options, code) => {
    const { port, sockets } = await tlsServer();
    await expect(connect(`wss://localhost:${port}/`, options)).rejects.toMatchObject({ code });
    for (const socket of sockets) expect(socket.bytesRead).toBe(0);
  });
});
