/**
 * What has to work on every runtime: server, client, streams, compression, TLS, HTTP/2, against the built package. Prints a
 * line for each check; ends by itself, with status 1 where one fails.
 *
 *     node spec/interop/runtime-checks.js      bun spec/interop/runtime-checks.js
 *     deno run --allow-net --allow-env --allow-read --allow-sys spec/interop/runtime-checks.js
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { connect, createPair, refuse, WsFrame, WsServer, wsUpgrade } from '../../dist/index.js';
import { refusesOverHttp2ByStatus, sharesASessionOfHttp2, streamsOverHttp2AndHoldsTheSender } from './http2-checks.js';

const MIB = 1_048_576;
const LIMIT_MS = 30_000;
const LOCAL = { port: 0, host: '127.0.0.1' };
const JSON_TEXT = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `user ${id}`, active: true })));

const pem = readFileSync(new URL('../support/certificate.ts', import.meta.url), 'utf8').match(/-----BEGIN[^`]*-----/g);
const [key, cert] = pem;

async function serveEcho(options) {
  const server = await WsServer.bind(LOCAL, options);
  void server.runEcho();
  return { server, url: `ws://127.0.0.1:${server.port}` };
}

/** Sends each message and compares what comes back. */
async function assertEchoes(conn, messages) {
  for (const message of messages) {
    // Read while sending: an echo of more than the buffers hold would wait for us as we wait for it.
    const sending = typeof message === 'string' ? conn.sendText(message) : conn.sendBinary(message);
    const frame = await conn.recvFrame();
    await sending;
    assert.ok(frame !== null, 'the connection ended without an answer');
    if (typeof message === 'string') assert.equal(frame.payloadText(), message);
    else assertBytes(frame.payload, message);
  }
}

async function closeBoth(conn, server) {
  const info = await conn.close();
  await server.close();
  assert.deepEqual([info.code, info.wasClean], [1000, true]);
}

function assertBytes(actual, expected) {
  assert.ok(
    Buffer.compare(actual, expected) === 0,
    `${actual.length} bytes are not the ${expected.length} that were sent`,
  );
}

function filled(length) {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = index * 31 + (index >> 8);
  return bytes;
}

async function echoesTextAndBytesOfEverySize() {
  const { server, url } = await serveEcho();
  const conn = await connect(url);
  const sizes = [0, 1, 125, 126, 65_535, 65_536, 65_537, 3 * MIB];
  await assertEchoes(conn, ['', 'Grüße, 世界 👋🏽', 'x'.repeat(MIB), ...sizes.map(filled)]);
  await closeBoth(conn, server);
}

async function keepsWhatIsSentBeforeAnybodyReads() {
  const server = await WsServer.bind(LOCAL);
  server.on('connection', (conn) => {
    for (let index = 0; index < 100; index++) conn.write(`early ${index}`);
  });
  const conn = await connect(`ws://127.0.0.1:${server.port}`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (let index = 0; index < 100; index++) {
    assert.equal((await conn.recvFrame()).payloadText(), `early ${index}`);
  }
  await closeBoth(conn, server);
}

async function agreesOnASubprotocolAndRefusesByStatus() {
  const server = await WsServer.bind(LOCAL, {
    protocols: ['b', 'a'],
    path: ({ url }) => url !== '/nowhere',
    authorize: ({ url }) => (url === '/secret' ? refuse(401, { headers: { 'X-Why': 'no' } }) : 'known'),
  });
  server.on('connection', (conn) => conn.write(conn.context));
  const base = `ws://127.0.0.1:${server.port}`;
  const conn = await connect(base, { protocols: ['a', 'b'] });
  assert.equal(conn.protocol, 'b');
  assert.equal((await conn.recvFrame()).payloadText(), 'known');
  await assert.rejects(connect(`${base}/secret`), { status: 401 });
  await assert.rejects(connect(`${base}/nowhere`), { status: 404 });
  await assert.rejects(connect(base, { origin: 'https://evil.example' }), { status: 403 });
  await closeBoth(conn, server);
}

async function standsInSomebodysHttpServer() {
  const http = createServer((_request, response) => response.end('a page'));
  http.on('upgrade', async (request, socket, head) => {
    if (request.url !== '/one') return;
    const conn = await wsUpgrade(request, socket, head);
    for await (const frame of conn) await conn.sendText(`one: ${frame.payloadText()}`);
  });
  const server = WsServer.attach(http, { path: '/two' });
  void server.runEcho();
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address();
  const one = await connect(`ws://127.0.0.1:${port}/one`);
  await one.sendText('hello');
  assert.equal((await one.recvFrame()).payloadText(), 'one: hello');
  await one.close();
  const two = await connect(`ws://127.0.0.1:${port}/two`);
  await assertEchoes(two, ['hello']);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'a page');
  await closeBoth(two, server);
  http.closeAllConnections?.();
  await new Promise((resolve) => http.close(resolve));
}

async function streamsAMessageLargerThanTheLimit() {
  const { server, url } = await serveEcho();
  const conn = await connect(url, { maxMessageBytes: MIB });
  const piece = filled(MIB);
  const size = 48;
  const sent = createHash('sha256');
  const sending = pipeline(async function* () {
    for (let index = 0; index < size; index++) {
      piece[0] = index;
      sent.update(piece);
      yield Uint8Array.from(piece);
    }
  }, conn.createMessage('binary'));
  const received = createHash('sha256');
  let bytes = 0;
  for await (const message of conn.messages()) {
    for await (const chunk of message) {
      bytes += chunk.length;
      received.update(chunk);
    }
    break;
  }
  await sending;
  assert.deepEqual([bytes, received.digest('hex')], [size * MIB, sent.digest('hex')]);
  await closeBoth(conn, server);
}

async function holdsASenderWhomNobodyReads() {
  const server = await WsServer.bind(LOCAL);
  const accepted = server.accept();
  const conn = await connect(`ws://127.0.0.1:${server.port}`);
  const reader = await accepted;
  let sent = 0;
  const sending = (async () => {
    while (sent < 200) {
      await conn.sendBinary(filled(MIB));
      sent++;
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.ok(sent < 100, `${sent} MiB were taken though nobody reads`);
  for (let index = 0; index < 200; index++) assert.equal((await reader.recvFrame()).payloadLength, MIB);
  await sending;
  await closeBoth(conn, server);
}

async function pipesAsADuplex() {
  const server = await WsServer.bind(LOCAL);
  server.on('connection', (conn) => pipeline(conn, conn).catch(() => {}));
  const conn = await connect(`ws://127.0.0.1:${server.port}`);
  await assertEchoes(conn, ['through', filled(100_000)]);
  await closeBoth(conn, server);
}

async function givesWebStreamsAndPlainBytes() {
  const { server, url } = await serveEcho();
  const web = (await connect(url)).toWeb();
  const writer = web.writable.getWriter();
  const reader = web.readable.getReader();
  await writer.write('text');
  assert.equal((await reader.read()).value, 'text');
  await writer.close();
  const bytes = (await connect(url)).byteStream();
  const chunks = [];
  bytes.on('data', (chunk) => chunks.push(chunk));
  bytes.end('plain bytes');
  await new Promise((resolve) => bytes.once('close', resolve));
  assert.equal(Buffer.concat(chunks).toString(), 'plain bytes');
  await server.close();
}

async function compressesWithAndWithoutTakeover() {
  for (const noTakeover of [false, true]) {
    const perMessageDeflate = { serverNoContextTakeover: noTakeover, clientNoContextTakeover: noTakeover };
    const { server, url } = await serveEcho({ perMessageDeflate });
    const conn = await connect(url);
    assert.match(conn.extensions, /^permessage-deflate/);
    assert.equal(conn.extensions.includes('no_context_takeover'), noTakeover);
    assert.ok((await conn.sendText(JSON_TEXT)) < JSON_TEXT.length / 5);
    assert.equal((await conn.recvFrame()).payloadText(), JSON_TEXT);
    await assertEchoes(conn, [JSON_TEXT, '', filled(3 * MIB), 'short', JSON_TEXT.repeat(300)]);
    await closeBoth(conn, server);
  }
}

async function speaksTlsAndLooksAtTheName() {
  const { server } = await serveEcho({ tls: { key, cert } });
  const conn = await connect(`wss://localhost:${server.port}`, { tls: { ca: cert } });
  await assertEchoes(conn, ['over TLS', filled(MIB)]);
  await assert.rejects(connect(`wss://localhost:${server.port}`));
  await assert.rejects(connect(`wss://localhost:${server.port}`, { tls: { ca: cert, servername: 'other.example' } }));
  await closeBoth(conn, server);
}

async function pingsAndTellsOfEveryEnd() {
  const server = await WsServer.bind(LOCAL);
  const ends = [];
  server.on('connection', async (conn) => {
    for await (const frame of conn) {
      if (frame.payloadText() === 'close') await conn.close(4321, 'as you wish');
      else conn.forceClose();
    }
    ends.push(await conn.closeInfo);
  });
  const first = await connect(`ws://127.0.0.1:${server.port}`);
  assert.ok((await first.ping()) >= 0);
  await first.sendText('close');
  assert.equal(await first.recvFrame(), null);
  const { code, reason, wasClean, initiator } = await first.closeInfo;
  assert.deepEqual([code, reason, wasClean, initiator], [4321, 'as you wish', true, 'remote']);
  const second = await connect(`ws://127.0.0.1:${server.port}`);
  await second.sendText('cut');
  assert.equal(await second.recvFrame(), null);
  assert.deepEqual([(await second.closeInfo).code, (await second.closeInfo).wasClean], [1006, false]);
  const third = await connect(`ws://127.0.0.1:${server.port}`);
  const closing = server.close();
  assert.equal(await third.recvFrame(), null);
  assert.equal((await third.closeInfo).code, 1001);
  await closing;
  assert.equal(await second.sendText('late'), 0);
}

async function failsAPeerThatBreaksTheRules() {
  const server = await WsServer.bind(LOCAL, { maxMessageBytes: 1000 });
  const accepted = server.accept();
  const conn = await connect(`ws://127.0.0.1:${server.port}`);
  await conn.sendBinary(new Uint8Array(1001));
  const ours = await accepted;
  assert.equal(await ours.recvFrame(), null);
  assert.equal((await ours.closeInfo).code, 1009);
  assert.equal((await conn.closeInfo).code, 1009);
  await server.close();
}

async function talksToThePlatformsOwnWebSocket() {
  if (globalThis.WebSocket === undefined) return;
  const { server, url } = await serveEcho({ perMessageDeflate: true });
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  for (const message of ['hello', JSON_TEXT, filled(MIB)]) {
    const answer = new Promise((resolve) => {
      socket.onmessage = ({ data }) => resolve(data);
    });
    socket.send(message);
    const data = await answer;
    if (typeof message === 'string') assert.equal(data, message);
    else assertBytes(new Uint8Array(data), message);
  }
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  socket.close(1000, 'done');
  assert.equal((await closed).wasClean, true);
  await server.close();
}

async function pairsInMemory() {
  const { client, server } = createPair();
  await client.sendFrame(WsFrame.text('in memory'));
  assert.equal((await server.recvFrame()).payloadText(), 'in memory');
  assert.equal((await client.close()).wasClean, true);
}

const CHECKS = [
  echoesTextAndBytesOfEverySize,
  keepsWhatIsSentBeforeAnybodyReads,
  agreesOnASubprotocolAndRefusesByStatus,
  standsInSomebodysHttpServer,
  streamsAMessageLargerThanTheLimit,
  holdsASenderWhomNobodyReads,
  pipesAsADuplex,
  givesWebStreamsAndPlainBytes,
  compressesWithAndWithoutTakeover,
  speaksTlsAndLooksAtTheName,
  pingsAndTellsOfEveryEnd,
  failsAPeerThatBreaksTheRules,
  talksToThePlatformsOwnWebSocket,
  pairsInMemory,
  sharesASessionOfHttp2,
  streamsOverHttp2AndHoldsTheSender,
  refusesOverHttp2ByStatus,
];

async function runCheck(check) {
  let limit;
  const late = new Promise((_, reject) => {
    limit = setTimeout(() => reject(new Error(`not done after ${LIMIT_MS} ms`)), LIMIT_MS);
  });
  try {
    await Promise.race([check({ key, cert }), late]);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    clearTimeout(limit);
  }
}

process.on('unhandledRejection', (error) => {
  console.log(`FAIL unhandled rejection: ${error?.stack ?? error}`);
  process.exit(1);
});
const asked = process.argv.slice(2);
let failed = 0;
for (const check of CHECKS.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
  const error = await runCheck(check);
  console.log(`${error === undefined ? 'ok  ' : 'FAIL'} ${check.name}`);
  if (error !== undefined) {
    console.log(`     ${error.stack}`);
    failed++;
  }
}
process.exit(failed > 0 ? 1 : 0);
