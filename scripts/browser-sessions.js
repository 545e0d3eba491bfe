// What a page's own WebSocket sees of a server of ours: npm run test:browser
//
// Subprotocols, 50 MB each way with backpressure, who may connect, and the close codes of the server. It needs a built
// package, `npm ci --prefix spec/browser` and a Chromium.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { WsServer } from '../dist/index.js';
import { launchChromium } from './chromium.js';

const MIB = 1_048_576;
const LARGE = 50 * MIB;
/** What may wait on the way to a peer that reads nothing: the buffers of both systems, and of the page. */
const MOST_ON_THE_WAY = 24 * MIB;

let floodBytes = 0;
/** Held by a test while the server must not read. */
let gate = Promise.resolve();

async function* pieces() {
  const piece = Buffer.alloc(MIB);
  for (floodBytes = 0; floodBytes < LARGE; floodBytes += MIB) {
    piece.fill(floodBytes / MIB);
    yield Buffer.from(piece);
  }
}

const PATHS = {
  async '/upload'(conn) {
    await gate;
    for await (const message of conn.messages()) {
      const hash = createHash('sha256');
      let size = 0;
      for await (const chunk of message) {
        hash.update(chunk);
        size += chunk.length;
      }
      await conn.sendText(JSON.stringify({ size, sha256: hash.digest('hex') }));
    }
  },
  async '/flood'(conn) {
    for await (const piece of pieces()) await conn.sendBinary(piece);
  },
  async '/protocol'(conn) {
    await conn.sendText(conn.protocol);
    await conn.closeInfo;
  },
  async '/close'(conn) {
    const { searchParams } = new URL(conn.request.url, 'http://unused');
    await conn.close(Number(searchParams.get('code')), 'as you wish, naïvely');
  },
  async '/cut'(conn) {
    conn.forceClose();
  },
  async '/throw'() {
    throw new Error('a handler that fails');
  },
};

async function startServer() {
  const http = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>sessions</title>');
  });
  const server = WsServer.attach(http, { protocols: ['v2.chat', 'v1.chat'], path: ({ url }) => pathOf(url) in PATHS });
  server.on('handlerError', () => {});
  void server.serve((conn) => PATHS[pathOf(conn.request.url)](conn));
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    await server.close({ deadlineMs: 100 });
    http.closeAllConnections();
    http.close();
  };
  return { port: http.address().port, close };
}

const pathOf = (url) => new URL(url, 'http://unused').pathname;

/** Runs in the page: opens, and tells how it ended. */
function openAndEnd([path, protocols]) {
  return new Promise((resolve) => {
    const socket = new WebSocket(`ws://${location.host}${path}`, protocols);
    const messages = [];
    socket.onmessage = ({ data }) => {
      messages.push(data);
      if (path === '/protocol') socket.close(1000);
    };
    socket.onclose = ({ code, reason, wasClean }) =>
      resolve({ code, reason, wasClean, messages, protocol: socket.protocol });
  });
}

async function chooseSubprotocols(page) {
  const chosen = await page.evaluate(openAndEnd, ['/protocol', ['v1.chat', 'v2.chat', 'v9.chat']]);
  assert.deepEqual([chosen.protocol, chosen.messages, chosen.code], ['v2.chat', ['v2.chat'], 1000]);
  // Who asks for subprotocols of which we speak none gets an answer without one, and a page then fails by itself.
  const none = await page.evaluate(openAndEnd, ['/protocol', ['v9.chat']]);
  assert.deepEqual([none.protocol, none.messages, none.code], ['', [], 1006]);
}

async function sendLarge(page) {
  let open = () => {};
  gate = new Promise((resolve) => (open = resolve));
  const waiting = page.evaluate(async (size) => {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const socket = new WebSocket(`ws://${location.host}/upload`);
    await new Promise((resolve) => (socket.onopen = resolve));
    globalThis.uploading = socket;
    socket.send(bytes);
    const { data } = await new Promise((resolve) => (socket.onmessage = resolve));
    socket.close();
    return { got: JSON.parse(data), sha256: [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
  }, LARGE);
  // Nobody reads on our side, so most of it has to wait in the page.
  await page.waitForFunction(() => globalThis.uploading?.bufferedAmount > 0);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const waits = await page.evaluate(() => globalThis.uploading.bufferedAmount);
  assert.ok(waits > LARGE - MOST_ON_THE_WAY, `only ${waits} bytes wait in the page`);
  open();
  const { got, sha256 } = await waiting;
  assert.deepEqual(got, { size: LARGE, sha256 });
  return `${Math.round(waits / MIB)} MiB waited in the page`;
}

async function receiveLarge(page) {
  // A WebSocketStream of the page is read when the page asks, and not before.
  await page.evaluate(async () => {
    const stream = new WebSocketStream(`ws://${location.host}/flood`);
    globalThis.flood = { closed: stream.closed, reader: (await stream.opened).readable.getReader() };
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const ahead = floodBytes;
  assert.ok(ahead < MOST_ON_THE_WAY, `${ahead} bytes were sent to a page that does not read`);
  const result = await page.evaluate(async () => {
    const { reader, closed } = globalThis.flood;
    let [size, wrong] = [0, 0];
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const bytes = new Uint8Array(value);
      if (bytes.some((byte) => byte !== bytes[0]) || bytes[0] !== size / bytes.length) wrong++;
      size += bytes.length;
    }
    return { size, wrong, code: (await closed).closeCode };
  });
  assert.deepEqual(result, { size: LARGE, wrong: 0, code: 1000 });
  return `${Math.round(ahead / MIB)} MiB were sent ahead`;
}

async function seeCloseCodes(page) {
  for (const code of [1000, 1001, 1008, 1011, 1012, 1013, 3000, 4999]) {
    const end = await page.evaluate(openAndEnd, [`/close?code=${code}`]);
    assert.deepEqual([end.code, end.reason, end.wasClean], [code, 'as you wish, naïvely', true]);
  }
  const failed = await page.evaluate(openAndEnd, ['/throw']);
  assert.deepEqual([failed.code, failed.wasClean], [1011, true]);
  const cut = await page.evaluate(openAndEnd, ['/cut']);
  assert.deepEqual([cut.code, cut.wasClean], [1006, false]);
}

async function beRefused(page) {
  const refused = await page.evaluate(openAndEnd, ['/nowhere']);
  assert.deepEqual([refused.code, refused.messages], [1006, []]);
}

/** The same server under another name is another site. */
async function beRefusedAsAnotherSite(browser, port) {
  const page = await browser.newPage();
  await page.goto(`http://localhost:${port}/`);
  const open = ([address]) =>
    new Promise((resolve) => {
      const socket = new WebSocket(address);
      socket.onopen = () => resolve('open');
      socket.onerror = () => resolve('refused');
    });
  assert.equal(await page.evaluate(open, [`ws://127.0.0.1:${port}/protocol`]), 'refused');
  assert.equal(await page.evaluate(open, [`ws://localhost:${port}/protocol`]), 'open');
  await page.close();
}

const server = await startServer();
const browser = await launchChromium();
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.port}/`);
  const steps = [
    ['a subprotocol is agreed on', () => chooseSubprotocols(page)],
    ['50 MiB from the page wait there while we do not read, and arrive unchanged', () => sendLarge(page)],
    ['50 MiB to the page wait here while it does not read, and arrive unchanged', () => receiveLarge(page)],
    ['the page sees the close codes of the server', () => seeCloseCodes(page)],
    ['a page is refused where nothing is served', () => beRefused(page)],
    ['a page of another site is refused', () => beRefusedAsAnotherSite(browser, server.port)],
  ];
  for (const [title, run] of steps) {
    const detail = await run();
    console.log(`ok   ${title}${detail === undefined ? '' : `: ${detail}`}`);
  }
} finally {
  await browser.close();
  await server.close();
}
