/** How the examples that do not end by themselves are used, and what they answer. */
import { createServer as createHttpServer } from 'node:http';
import { connect as connectTcp, createServer, type Server } from 'node:net';
import { pipeline } from 'node:stream';
import { expect, onTestFinished } from 'vitest';
import { connect, WsServer } from '../../lib/index.ts';
import { TEST_CERT, TEST_KEY } from '../support/certificate.ts';
import { type Run, start } from './example-runs.ts';

/** Starts an example that is gone when the test ends. */
export async function run(name: string, port: number): Promise<Run> {
  const started = await start(name, port);
  onTestFinished(async () => {
    started.child.kill('SIGKILL');
    await started.ended;
  });
  return started;
}

/** What a connection fails with while nobody listens yet, and where nobody answers in time. */
const NOT_YET: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'WS_ERR_HANDSHAKE_TIMEOUT']);

/** Connects as soon as the example answers. */
async function connectSoon(url: string, options: Parameters<typeof connect>[1] = {}): ReturnType<typeof connect> {
  for (;;) {
    try {
      return await connect(url, options);
    } catch (error) {
      if (!NOT_YET.has((error as NodeJS.ErrnoException).code)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function expectEcho(url: string, options: Parameters<typeof connect>[1] = {}): Promise<void> {
  const conn = await connectSoon(url, options);
  await conn.sendText('Grüße');
  expect((await conn.recvFrame())?.payloadText()).toBe('Grüße');
  expect((await conn.close()).wasClean).toBe(true);
}

const nextText = async (conn: Awaited<ReturnType<typeof connect>>): Promise<string | undefined> =>
  (await conn.recvFrame())?.payloadText();

/** Whether two servers may listen on one port here: it needs the kernel, and Node 22.12 or 23.1. */
async function canReusePort(): Promise<boolean> {
  const listen = (port: number): Promise<Server | undefined> =>
    new Promise((resolve) => {
      const server = createServer().once('error', () => resolve(undefined));
      // The types are those of Node 20, which does not know it.
      server.listen(Object.assign({ port }, { reusePort: true }), () => resolve(server));
    });
  const one = await listen(0);
  const other = one && (await listen((one.address() as { port: number }).port));
  for (const server of [one, other]) server?.close();
  return other !== undefined;
}

export const drivers: Record<string, (run: Run) => Promise<void>> = {
  'echo-server': async ({ url, output }) => {
    await expectEcho(url);
    await expect.poll(output).toContain('closed 1000 true');
  },
  'start-chat': async ({ url }) => {
    const page = url.replace('ws', 'http');
    const [one, other] = [await connectSoon(`${url}/chat`, { origin: page }), await connectSoon(`${url}/chat`)];
    expect(await (await fetch(page)).text()).toContain('new WebSocket(');
    await one.sendText('hello');
    expect([await nextText(one), await nextText(other)]).toEqual(['hello', 'hello']);
    await expect(connect(`${url}/chat`, { origin: 'https://evil.example' })).rejects.toMatchObject({ status: 403 });
    await Promise.all([one.close(), other.close()]);
  },
  'start-upload': async ({ url, output }) => {
    const cut = await connectSoon(url);
    cut.createMessage('binary').write(Buffer.alloc(1000));
    await cut.ping();
    cut.forceClose();
    const conn = await connect(url);
    await conn.sendBinary(Buffer.alloc(3_000_000));
    expect(await nextText(conn)).toBe('3000000 bytes are safe');
    await conn.close();
    expect(output()).toBe('');
  },
  'start-proxy': async ({ url, otherPort }) => {
    const behind = await WsServer.bind(otherPort);
    void behind.serve(async (conn) => {
      for await (const frame of conn) await conn.sendText(`${frame.payloadLength} behind`);
    });
    const conn = await connectSoon(url);
    await conn.sendBinary(Buffer.alloc(1_000_000));
    expect(await nextText(conn)).toBe('1000000 behind');
    expect(await conn.close(4000, 'passed on')).toMatchObject({ code: 4000, wasClean: true });
    await behind.close();
    await expect((await connect(url)).closeInfo).resolves.toMatchObject({ code: 1011 });
  },
  'migrating-server': async ({ url }) => {
    const conn = await connectSoon(url);
    await conn.sendText('hello');
    expect(await nextText(conn)).toBe('you said hello');
    await conn.close();
  },
  'pipeline-server': ({ url }) => expectEcho(url),
  'streamed-echo': ({ url }) => expectEcho(url),
  'http-upgrade': async ({ url }) => {
    await expectEcho(url);
    expect(await (await fetch(url.replace('ws', 'http'))).text()).toContain('plain HTTP');
  },
  'server-ways': async ({ url }) => {
    const first = await connectSoon(`${url}/chat`);
    expect(await nextText(first)).toBe('welcome, /chat');
    const second = await connectSoon(`${url}/chat`);
    expect(await nextText(second)).toBe('welcome, too');
    const third = await connectSoon(`${url}/chat`);
    expect(await nextText(third)).toBe('hello from the event');
    await expect(connect(`${url}/other`)).rejects.toMatchObject({ status: 404 });
    await Promise.all([first, second, third].map((conn) => conn.close()));
  },
  'server-serve': async ({ url, child, ended, output }) => {
    const conn = await connectSoon(url);
    await conn.sendText('loud');
    expect(await nextText(conn)).toBe('LOUD');
    child.kill('SIGTERM');
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1001, wasClean: true });
    expect(await ended).toBe(0);
    expect(output()).toContain('all connections are closed');
  },
  'server-authorize': async ({ url, output }) => {
    const conn = await connectSoon(`${url}/room?token=s3cret`, { protocols: ['chat.v1', 'chat.v2'] });
    expect(await nextText(conn)).toBe('Ada, you speak chat.v2');
    expect(conn.response?.headers['set-cookie']).toEqual(['seen=1; HttpOnly']);
    await expect(connect(`${url}/room`)).rejects.toMatchObject({ status: 401 });
    await expect(connect(`${url}/room`, { origin: 'https://evil.example' })).rejects.toMatchObject({ status: 403 });
    await expect.poll(output).toContain('refused: 401');
    await conn.close();
  },
  'runtimes-upgrade-callback': ({ url }) => expectEcho(`${url}/chat`),
  'server-attach': async ({ url }) => {
    await expectEcho(`${url}/chat`);
    const news = await connectSoon(`${url}/news`);
    expect(await nextText(news)).toBe('nothing new');
    await news.close();
    await expect(connect(`${url}/other`)).rejects.toMatchObject({ status: 404 });
  },
  'http2-server': async ({ url }) => {
    const secureUrl = `${url.replace('ws:', 'wss:')}/chat`;
    for (const [http2, version] of [
      [false, '1.1'],
      [true, '2.0'],
    ] as const) {
      const conn = await connectSoon(secureUrl, { http2, tls: { ca: TEST_CERT } });
      expect(await nextText(conn)).toBe(`you came by HTTP/${version}`);
      await conn.close();
    }
  },
  'server-raw': ({ url }) => expectEcho(url),
  'server-prepared': async ({ url }) => {
    const one = await connectSoon(url);
    await one.sendText('one');
    expect(await nextText(one)).toBe('one');
    const other = await connectSoon(url);
    await other.sendText('other');
    expect([await nextText(one), await nextText(other)]).toEqual(['other', 'other']);
    await Promise.all([one.close(), other.close()]);
  },
  prometheus: async ({ url }) => {
    await expectEcho(`${url}/chat`);
    await expect(connect(`${url}/chat`, { origin: 'https://evil.example' })).rejects.toMatchObject({ status: 403 });
    const page = async (): Promise<string> => (await fetch(url.replace('ws', 'http').concat('/metrics'))).text();
    await expect.poll(page).toContain('ws_closed_total{code="1000"} 1\n');
    const lines = (await page()).split('\n');
    // The text format of Prometheus: comments, and samples of a name, labels and a number.
    expect(lines.filter((line) => !/^(?:# TYPE \w+ \w+|\w+(?:\{\w+="\w+"\})? [\d.e-]+|)$/.test(line))).toEqual([]);
    expect(lines).toEqual(
      expect.arrayContaining([
        ...['ws_connections 0', 'ws_accepted_total 1', 'ws_refused_total{status="403"} 1'],
        ...['ws_messages_total{direction="in"} 1', 'ws_payload_bytes_total{direction="out"} 7'],
      ]),
    );
  },
  'fan-out-rooms': async ({ url }) => {
    const [one, other, third] = [
      await connectSoon(`${url}/red`),
      await connectSoon(`${url}/red`),
      await connectSoon(`${url}/blue`),
    ];
    await third.sendText('join /red');
    await third.ping();
    await one.sendText('hello');
    expect([await nextText(other), await nextText(third)]).toEqual(['hello', 'hello']);
    await other.sendText('you too');
    expect(await nextText(one)).toBe('you too');
    await Promise.all([one, other, third].map((conn) => conn.close()));
  },
  'scaling-cluster': async ({ url }) => {
    const greetings = new Set<string | undefined>();
    while (greetings.size < 2) {
      const conn = await connectSoon(url);
      greetings.add(await nextText(conn));
      await conn.close();
    }
    expect([...greetings].every((text) => text?.startsWith('this is worker '))).toBe(true);
  },
  'scaling-reuse-port': async ({ url, child }) => {
    await expectEcho(url);
    const isShared = await canReusePort();
    // It keeps its port, but answers nothing any more: what is answered from here on, another process answers.
    if (isShared) child.kill('SIGSTOP');
    const second = await run('scaling-reuse-port', Number(new URL(url).port));
    if (isShared) return expectEcho(url, { handshakeTimeoutMs: 250 });
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain('EADDRINUSE');
  },
  'server-broadcast': async ({ url }) => {
    const first = await connectSoon(url);
    expect(await nextText(first)).toBe('0 others know; here are 1');
    const second = await connectSoon(url);
    expect(await nextText(second)).toBe('1 others know; here are 2');
    expect(await nextText(first)).toBe('somebody came');
    await Promise.all([first.close(), second.close()]);
  },
};

/** Runs an example that goes to `server` through a proxy, which is all that it can reach. */
export async function expectTunnel(port: number, server: WsServer, start: () => Promise<Run>): Promise<void> {
  void server.runEcho();
  const proxy = createHttpServer().on('connect', (_request, socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const target = connectTcp(server.port);
    pipeline(socket, target, socket, () => target.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(port, resolve));
  const { ended, output } = await start();
  expect({ status: await ended, output: output() }).toEqual({ status: 0, output: 'through the tunnel\n' });
  await server.close();
  await new Promise((resolve) => proxy.close(resolve));
}

/** Examples that are clients of a proxy on the port of the documents, with the server that they reach. */
export const tunnelled: Record<string, Parameters<typeof WsServer.bind>[1]> = {
  'client-proxy': { tls: { key: TEST_KEY, cert: TEST_CERT } },
  'client-proxy-agent': {},
};
