import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createSecureServer as createHttp2Server } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { exchange, httpServer } from '../../support/endpoints.ts';
import { rawClient, upgradeRequest } from '../../support/sockets.ts';

const PAGE_REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** Whether this Node asks the HTTP server which upgrades are to be upgrades: 22.21 and 24.9 do, with a default. */
const knowsCallback = 'shouldUpgradeCallback' in createServer();
const isForWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket';

/** Lets an HTTP server listen, with a server of WebSockets at /chat. */
async function hosted(http: Server): Promise<{ port: number }> {
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const server = WsServer.attach(http, { path: '/chat' });
  onTestFinished(() => {
    server.drop();
    http.closeAllConnections();
    http.close();
  });
  return { port: server.port };
}

describe('WsServer.attach', () => {
  it('shares an HTTP server with its pages and with other paths', async () => {
    const { server: http, port } = await httpServer((_request, response) => response.end('page'));
    const [chat, news] = [WsServer.attach(http, { path: '/chat' }), WsServer.attach(http, { path: '/news' })];
    const isNews = (async () => (await news.accept())?.sendText('news'))();
    const isChat = (async () => (await chat.accept())?.sendText('chat'))();
    const clients = await Promise.all(['chat', 'news'].map((path) => connect(`ws://127.0.0.1:${port}/${path}`)));
    await Promise.all([isNews, isChat]);
    const texts = await Promise.all(clients.map(async (client) => (await client.recvFrame())?.payloadText()));
    expect(texts).toEqual(['chat', 'news']);
    expect((await exchange(port, upgradeRequest({ path: '/none' }))).status).toBe(404);
    expect((await exchange(port, PAGE_REQUEST)).body).toContain('page');
    expect([chat.port, chat.isValid(), chat.running]).toEqual([port, true, true]);
    chat.drop();
    news.drop();
  });

  it('lets the HTTP server go when it closes, and does not close it', async () => {
    const { server: http, port } = await httpServer((_request, response) => response.end('page'));
    const events = (): number[] => ['upgrade', 'close', 'error'].map((name) => http.listenerCount(name));
    const before = events();
    const server = WsServer.attach(http);
    const accepted = server.accept();
    const client = await connect(`ws://127.0.0.1:${port}`);
    await accepted;
    const closed = server.close();
    expect(await client.recvFrame()).toBeNull();
    await closed;
    expect([http.listening, server.isValid(), server.running]).toEqual([true, false, false]);
    expect(events()).toEqual(before);
    expect((await exchange(port, PAGE_REQUEST)).body).toContain('page');
  });

  it('leaves other upgrades to the pages where the HTTP server says so and Node can (22.21, 24.9)', async () => {
    // Clients of HTTP/2 without TLS ask for h2c with an ordinary request (curl --http2, Java).
    const options: object = { shouldUpgradeCallback: isForWebSocket };
    const { port } = await hosted(createServer(options, (_request, response) => response.end('page')));
    const answer = await exchange(port, PAGE_REQUEST.replace('close', 'Upgrade, close\r\nUpgrade: h2c'));
    expect(answer).toMatchObject(knowsCallback ? { status: 200, body: 'page' } : { status: 404 });
    expect((await rawClient(port, { path: '/chat' })).status).toBe(101);
  });

  it('asks a path function once', async () => {
    const { server: http, port } = await httpServer();
    const path = vi.fn(({ url }: { url: string }) => url.startsWith('/a'));
    const server = WsServer.attach(http, { path });
    expect((await rawClient(port, { path: '/abc' })).status).toBe(101);
    expect(path).toHaveBeenCalledTimes(1);
    server.drop();
  });

  it('stops with the HTTP server', async () => {
    const { server: http } = await httpServer();
    const server = WsServer.attach(http);
    const accepted = server.accept();
    http.close();
    expect(await accepted).toBeNull();
    expect(server.running).toBe(false);
  });

  it.each([
    ['https', () => createHttpsServer({ key: TEST_KEY, cert: TEST_CERT })],
    ['http2, for clients of HTTP/1.1', () => createHttp2Server({ key: TEST_KEY, cert: TEST_CERT, allowHTTP1: true })],
  ])('serves upgrades of %s', async (_title, create) => {
    const http = create();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void http.close());
    const server = WsServer.attach(http, { path: '/chat' });
    const echoing = server.runEcho();
    const client = await connect(`wss://localhost:${server.port}/chat`, { tls: { ca: TEST_CERT } });
    await client.sendText('hello');
    expect((await client.recvFrame())?.payloadText()).toBe('hello');
    await Promise.all([client.close(), server.close(), echoing]);
  });

  it.each([[undefined], [null], [{}]])('throws a TypeError for %s', (http) => {
    expect(() => WsServer.attach(http as never)).toThrow(TypeError);
  });
});
