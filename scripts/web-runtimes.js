// Runs wspipe/web where it is meant to run, against a server of ours: node scripts/web-runtimes.js [node bun deno chromium]
//
// It needs a built package, `npm ci --prefix spec/interop` (Bun, Deno), `npm ci --prefix spec/browser` and a Chromium
// (/usr/bin/chromium, or the one that CHROMIUM names). In Chromium the modules are loaded as they are, without a bundler.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { WsServer } from '../dist/index.js';
import { launchChromium } from './chromium.js';

const FLOOD = 64;
const MIB = 1_048_576;
const LIMIT_MS = 120_000;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const CHECKS = here('web-checks.js');
const bin = (name) => here(`../spec/interop/node_modules/.bin/${name}`);

let flooded = 0;

async function flood(conn) {
  flooded = 0;
  const payload = new Uint8Array(MIB);
  for (let index = 0; index < FLOOD; index++) {
    new DataView(payload.buffer).setUint32(0, index);
    await conn.sendBinary(payload);
    flooded++;
  }
  await conn.close();
}

async function echo(conn) {
  for await (const frame of conn) await conn.sendFrame(frame);
}

function serve(conn) {
  switch (conn.request.url) {
    case '/flood':
      return flood(conn);
    case '/cut':
      return conn.forceClose();
    default:
      return echo(conn);
  }
}

/** The files as they are, and the progress of the flood. */
async function answer(request, response) {
  if (request.url === '/progress') return response.end(String(flooded));
  if (request.url === '/') return response.setHeader('content-type', 'text/html').end('<!doctype html>');
  if (!/^\/(?:dist|scripts)\/[\w./-]+\.js$/.test(request.url)) return response.writeHead(404).end();
  const text = await readFile(here(`..${request.url}`));
  return response.setHeader('content-type', 'text/javascript').end(text);
}

async function startServer() {
  const http = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(404).end());
  });
  // It asks for an upgrade and gets no answer.
  http.on('upgrade', (request, socket) => {
    if (request.url === '/silent') socket.on('error', () => {});
  });
  const server = WsServer.attach(http, { path: ({ url }) => url !== '/silent' });
  void server.serve(serve);
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return `ws://127.0.0.1:${http.address().port}`;
}

async function runProcess(command, args) {
  const child = spawn(command, args, { stdio: 'inherit', timeout: LIMIT_MS });
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  assert.equal(status, 0, `${command} ended with ${status}`);
}

async function runChromium(url) {
  const browser = await launchChromium();
  try {
    await inPage(browser, url);
    await inPageWithout(browser, url);
  } finally {
    await browser.close();
  }
}

async function openPage(browser, url) {
  const page = await browser.newPage();
  page.on('console', (message) => message.type() === 'log' && console.log(`     ${message.text()}`));
  await page.goto(url.replace('ws:', 'http:'));
  return page;
}

/** The frame streams are ours, the other two classes are the page's own. */
async function inPage(browser, url) {
  const page = await openPage(browser, url);
  await page.evaluate(async (address) => {
    const web = await import('/dist/web/index.js');
    if (web.WebSocketStream !== globalThis.WebSocketStream) throw new Error('not the class of the page');
    if (web.WebSocketError !== globalThis.WebSocketError) throw new Error('not the error of the page');
    const { FRAME_CHECKS, PAGE_CHECKS, runChecks } = await import('/scripts/web-checks.js');
    await runChecks([...FRAME_CHECKS, ...PAGE_CHECKS], address, (line) => console.log(line));
  }, url);
}

/** A page as other browsers have it. */
async function inPageWithout(browser, url) {
  const page = await openPage(browser, url);
  const name = await page.evaluate(async (address) => {
    delete globalThis.WebSocketStream;
    const { WebSocketStream } = await import('/dist/web/index.js');
    try {
      return String(new WebSocketStream(address));
    } catch (error) {
      return error.name;
    }
  }, url);
  assert.equal(name, 'NotSupportedError');
  console.log('     ok   refusesWithoutAClassOfThePage');
}

const RUNTIMES = {
  node: (url) => runProcess(process.execPath, [CHECKS, url]),
  bun: (url) => runProcess(bin('bun'), [CHECKS, url]),
  deno: (url) =>
    runProcess(bin('deno'), ['run', '--no-prompt', '--allow-net', '--allow-env', '--allow-read', CHECKS, url]),
  chromium: runChromium,
};

const url = await startServer();
const asked = process.argv.slice(2);
const failed = [];
for (const name of asked.length > 0 ? asked : Object.keys(RUNTIMES)) {
  console.log(`== ${name} ==`);
  await RUNTIMES[name](url).catch((error) => {
    console.error(`     FAIL ${error.message}`);
    failed.push(name);
  });
}
process.exit(failed.length > 0 ? 1 : 0);
