// Plays the game of spec/interop/compression-cases.js with the WebSocket of a real page: npm run test:browser
//
// It needs a built package, `npm ci --prefix spec/browser` and a Chromium: /usr/bin/chromium, or the one that CHROMIUM
// names. The page offers `permessage-deflate; client_max_window_bits`; what is agreed on is the server's choice.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { bindCompressionServer } from '../spec/interop/our-server.js';
import { PLATFORM_COMPRESSION_NAMES } from '../spec/interop/peers.js';
import { launchChromium } from './chromium.js';

const MODULES = ['/cases.js', '/compression-cases.js', '/inbox.js', '/peers/platform-client.js'];

async function answerWithModule({ url }, response) {
  if (url === '/') return response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>cases</title>');
  if (!MODULES.includes(url)) return response.writeHead(404).end();
  const source = await readFile(new URL(`../spec/interop${url}`, import.meta.url));
  return response.setHeader('Content-Type', 'text/javascript').end(source);
}

/** Runs in the page. @returns what each case came to */
async function playInPage(names) {
  const { runCompressionCases } = await import('/compression-cases.js');
  const { open } = await import('/peers/platform-client.js');
  const results = [];
  await runCompressionCases(names, open, `ws://${location.host}`, (result) => results.push(result));
  return results;
}

const server = await bindCompressionServer(answerWithModule);
const browser = await launchChromium();
try {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.port}/`);
  const results = await page.evaluate(playInPage, PLATFORM_COMPRESSION_NAMES);
  for (const { case: name, ok, detail } of results)
    console.log(`${ok ? 'ok  ' : 'FAIL'} compressed: ${name} ${detail}`);
  assert.deepEqual(
    results.filter(({ ok }) => ok).map((result) => result.case),
    PLATFORM_COMPRESSION_NAMES,
  );
} finally {
  await browser.close();
  await server.close();
}
