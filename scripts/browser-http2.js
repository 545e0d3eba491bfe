// What a page's own WebSocket makes of a server of ours over HTTP/2 (RFC 8441): npm run test:browser
//
// Chromium loads the page by HTTP/2 and then opens its WebSockets as streams of the same session. It needs a built
// package, `npm ci --prefix spec/browser` and a Chromium.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { WsServer } from '../dist/index.js';
import { launchChromium } from './chromium.js';

const LARGE = 20_000_000;
const CONNECTIONS = 20;
const JSON_TEXT = JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, name: `user ${id}`, active: true })));

const certificate = readFileSync(new URL('../spec/support/certificate.ts', import.meta.url), 'utf8');
const [key, cert] = certificate.match(/-----BEGIN[^`]*-----/g);

const PATHS = {
  async '/echo'(conn) {
    for await (const message of conn.messages()) await pipeline(message, conn.createMessage(message.type));
  },
  async '/measure'(conn) {
    for await (const frame of conn) await conn.sendText(String(await conn.sendText(frame.payloadText())));
  },
  async '/close'(conn) {
    await conn.close(Number(queryOf(conn).get('code')), 'as you wish, naïvely');
  },
  async '/cut'(conn) {
    conn.forceClose();
  },
  async '/throw'() {
    throw new Error('a handler that fails');
  },
};
const pathOf = (url) => new URL(url, 'http://unused').pathname;
const queryOf = (conn) => new URL(conn.request.url, 'http://unused').searchParams;

async function startServer() {
  const sessions = new Set();
  /** The sessions that have carried a WebSocket. */
  const carriers = new Set();
  const http = createSecureServer({ key, cert, allowHTTP1: true }, (_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>HTTP/2</title>');
  });
  http.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    session.on('stream', (_stream, headers) => headers[':protocol'] === 'websocket' && carriers.add(session));
  });
  const path = ({ url }) => pathOf(url) in PATHS;
  const ws = WsServer.attach(http, { path, protocols: ['v2.chat'], perMessageDeflate: true });
  ws.on('handlerError', () => {});
  void ws.serve((conn) => PATHS[pathOf(conn.request.url)](conn));
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    await ws.close({ deadlineMs: 100 });
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => http.close(resolve));
  };
  return { ws, carriers, port: http.address().port, close };
}

/** Opens a page with what the steps need in it. */
async function openPage(browser, address) {
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  await page.goto(address);
  await page.evaluate(() => {
    globalThis.create = (path, protocols) =>
      new WebSocket(new URL(path, location.href.replace('https', 'wss')), protocols);
    globalThis.open = (path, protocols) =>
      new Promise((resolve, reject) => {
        const socket = create(path, protocols);
        socket.binaryType = 'arraybuffer';
        socket.onopen = () => resolve(socket);
        socket.onerror = () => reject(new Error('refused'));
      });
    globalThis.nextMessage = (socket) => new Promise((resolve) => (socket.onmessage = ({ data }) => resolve(data)));
    globalThis.endOf = (socket) =>
      new Promise((resolve) => {
        socket.onclose = ({ code, reason, wasClean }) => resolve([code, reason, wasClean]);
      });
  });
  return page;
}

/** All of them are streams of the session on which the page came, and closing one leaves the others as they are. */
async function shareASession(page, { ws, carriers }) {
  const opened = await page.evaluate(async (count) => {
    globalThis.sockets = await Promise.all(Array.from({ length: count }, () => open('/echo', ['v1.chat', 'v2.chat'])));
    const [closing, ...others] = globalThis.sockets;
    const end = endOf(closing);
    closing.close(4000, 'one of many');
    const answers = others.map((socket, index) => {
      const answer = nextMessage(socket);
      socket.send(`message ${index}`);
      return answer;
    });
    return { end: await end, answers: await Promise.all(answers), protocol: closing.protocol };
  }, CONNECTIONS);
  assert.deepEqual(opened.end, [4000, 'one of many', true]);
  assert.equal(opened.protocol, 'v2.chat');
  assert.deepEqual(
    opened.answers,
    Array.from({ length: CONNECTIONS - 1 }, (_, index) => `message ${index}`),
  );
  // Chromium 150 leaves its end of the stream open, which the server ends a second later.
  for (let look = 0; look < 50 && ws.connections.size === CONNECTIONS; look++) await wait(100);
  const requests = [...ws.connections].map((conn) => conn.request);
  assert.equal(requests.length, CONNECTIONS - 1);
  assert.ok(requests.every(({ httpVersion }) => httpVersion === '2.0'));
  assert.equal(carriers.size, 1);
  await page.evaluate(() => Promise.all(globalThis.sockets.map((socket) => socket.close())));
}

async function echoLarge(page) {
  const isSame = await page.evaluate(async (size) => {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    const socket = await open('/echo');
    const answer = nextMessage(socket);
    socket.send(bytes);
    const echoed = new Uint8Array(await answer);
    socket.close();
    return echoed.length === size && echoed.every((byte, index) => byte === bytes[index]);
  }, LARGE);
  assert.equal(isSame, true);
}

async function compress(page) {
  const { extensions, text, sent } = await page.evaluate(async (json) => {
    const socket = await open('/measure');
    const first = nextMessage(socket);
    socket.send(json);
    const echoed = await first;
    const second = nextMessage(socket);
    const measured = await second;
    socket.close();
    return { extensions: socket.extensions, text: echoed, sent: Number(measured) };
  }, JSON_TEXT);
  assert.match(extensions, /^permessage-deflate/);
  assert.equal(text, JSON_TEXT);
  assert.ok(sent > 0 && sent < JSON_TEXT.length / 5, `${sent} bytes`);
  return `${JSON_TEXT.length} bytes in ${sent}`;
}

async function seeCloseCodes(page) {
  const endAt = (path) => page.evaluate((where) => endOf(create(where)), path);
  for (const code of [1000, 1001, 1008, 1011, 1012, 1013, 3000, 4999]) {
    assert.deepEqual(await endAt(`/close?code=${code}`), [code, 'as you wish, naïvely', true]);
  }
  assert.deepEqual(await endAt('/throw'), [1011, '', true]);
  assert.deepEqual(await endAt('/cut'), [1006, '', false]);
}

/** The same server under another name is another site; a path of nobody is no endpoint. */
async function beRefused(page, { port }) {
  const tryToOpen = (address) =>
    page.evaluate(
      async (to) =>
        open(to).then(
          () => 'open',
          (error) => error.message,
        ),
      address,
    );
  assert.equal(await tryToOpen(`wss://localhost:${port}/echo`), 'open');
  assert.equal(await tryToOpen(`wss://127.0.0.1:${port}/echo`), 'refused');
  assert.equal(await tryToOpen(`wss://localhost:${port}/nowhere`), 'refused');
}

const server = await startServer();
const browser = await launchChromium();
try {
  const page = await openPage(browser, `https://localhost:${server.port}/`);
  const steps = [
    [`${CONNECTIONS} connections are streams of one session`, shareASession],
    ['20 MB are echoed unchanged', echoLarge],
    ['messages are compressed', compress],
    ['the page sees the close codes of the server', seeCloseCodes],
    ['a page of another site is refused, and where nothing is served', beRefused],
  ];
  for (const [title, run] of steps) {
    const detail = await run(page, server);
    console.log(`ok   HTTP/2: ${title}${detail === undefined ? '' : `: ${detail}`}`);
  }
} finally {
  await browser.close();
  await server.close();
}
