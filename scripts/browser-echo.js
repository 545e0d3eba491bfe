// Drives the echo page in a real browser, against the built command: npm run test:browser [-- folder]
//
// Screenshots go to the folder; without one, none are taken. It needs `npm ci --prefix spec/browser` and a Chromium:
// /usr/bin/chromium (Debian: apt-get install chromium), or the one that CHROMIUM names.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchProfile } from './chromium.js';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const FILE_BYTES = 20 * 1024 * 1024;
const SCRIPTS = 'Hello, world · Γειά σου Κόσμε · مرحبا بالعالم · 你好，世界 · 👋🏽🌍👩‍👩‍👧';
const shots = process.argv[2];
const scratch = await mkdtemp(join(tmpdir(), 'wspipe-browser-'));
const cleanups = [() => rm(scratch, { recursive: true, force: true })];

async function startServer() {
  const child = spawn(process.execPath, [MAIN, 'echo', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise((resolve) => child.once('close', resolve));
  cleanups.unshift(() => child.kill('SIGKILL'));
  child.stdout.setEncoding('utf8');
  let output = '';
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      output += text;
      const found = /http:\/\/\S+/.exec(output);
      if (found) resolve(found[0]);
    });
    exit.then((code) => reject(new Error(`the server ended with ${code} before it listened`)));
  });
  return { url, exit, interrupt: () => child.kill('SIGINT') };
}

async function openPage(url) {
  const context = await launchProfile(join(scratch, 'profile'), {
    viewport: { width: 1280, height: 960 },
    colorScheme: 'light',
  });
  cleanups.unshift(() => context.close());
  const page = context.pages()[0] ?? (await context.newPage());
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints };
}

async function shoot(page, name, { width = 1280, height = 960, colorScheme = 'light', fullPage = true } = {}) {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(overflow, 0, `${name}: the page is wider than its window`);
  if (shots === undefined) return;
  // Two frames and the longest transition, so that what is drawn is what stays.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 250))));
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage });
}

const said = [];
async function step(title, run) {
  const began = performance.now();
  const detail = await run();
  said.push(title);
  console.log(`ok   ${title}${detail ? `: ${detail}` : ''} (${Math.round(performance.now() - began)} ms)`);
}

const untilState = (page, state) => page.waitForSelector(`#link[data-state="${state}"]`);
const lastBack = (type) => `#log li[data-direction="back"][data-type="${type}"]`;

async function sendText(page) {
  await page.fill('#message', SCRIPTS);
  await page.keyboard.press('Enter');
  const entry = await page.waitForSelector(lastBack('text'));
  assert.equal(await entry.getAttribute('data-verdict'), 'same');
  assert.equal(await (await entry.$('.body')).textContent(), SCRIPTS);
}

async function sendFile(page, mode, count) {
  const path = join(scratch, 'twenty-megabytes.bin');
  await writeFile(path, randomFillSync(Buffer.allocUnsafe(FILE_BYTES)));
  await page.selectOption('#file-mode', mode);
  await page.setInputFiles('#file', path);
  const all = `${lastBack('file')}[data-size="${FILE_BYTES}"]`;
  await page.waitForFunction(([query, n]) => document.querySelectorAll(query).length === n, [all, count]);
  const entries = await page.$$(all);
  const entry = entries.at(-1);
  assert.equal(await entry.getAttribute('data-verdict'), 'same');
  return (await (await entry.$('.body')).textContent()).split(': ')[1];
}

async function sendHostileText(page) {
  const text = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  await page.fill('#message', text);
  await page.keyboard.press('Enter');
  const shown = page.locator(`${lastBack('text')} .body`).last();
  await page.waitForFunction(([query]) => document.querySelectorAll(query).length >= 2, [lastBack('text')]);
  assert.equal(await shown.textContent(), text);
  assert.equal(await page.locator('#log img, #log script').count(), 0);
}

async function dropFile(page) {
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(new File(['dropped'], 'dropped.txt'));
    return data;
  });
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
  assert.notEqual(await page.getAttribute('body', 'data-dropping'), null);
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  await page.waitForSelector(`${lastBack('file')}[data-size="7"][data-verdict="same"]`);
}

async function runBurst(page) {
  await page.click('#burst');
  const entry = await page.waitForSelector(lastBack('burst'));
  assert.equal(await entry.getAttribute('data-verdict'), 'same');
  return (await entry.$('.body')).textContent();
}

async function measure(page) {
  await page.click('#probe');
  await page.waitForSelector(`${lastBack('binary')}[data-size="8"][data-verdict="same"]`);
  await page.waitForFunction(() => document.querySelector('#rtt-spark polyline').points.length >= 3);
  return page.textContent('#rtt');
}

async function expectClosed(page, code, reason, clean) {
  await untilState(page, 'closed');
  assert.equal(await page.textContent('#close-code'), String(code));
  assert.equal(await page.textContent('#close-reason'), reason);
  assert.equal(await page.getAttribute('#link', 'data-clean'), String(clean));
}

async function closeFromPage(page) {
  await page.fill('#code', '1001');
  await page.click('#close');
  assert.match(await page.textContent('#close-error'), /1000, or with 3000 to 4999/);
  await page.fill('#code', '1000');
  await page.fill('#reason', 'that is all, σᾶς εὐχαριστῶ');
  await page.keyboard.press('Enter');
  await expectClosed(page, 1000, 'that is all, σᾶς εὐχαριστῶ', true);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'reconnect');
  await page.keyboard.press('Enter');
  await untilState(page, 'open');
}

async function main() {
  if (shots !== undefined) await mkdir(shots, { recursive: true });
  const server = await startServer();
  const { page, complaints } = await openPage(server.url);
  await step('the page connects by itself', () => untilState(page, 'open').then(() => ''));
  await step('text of several scripts comes back unchanged', () => sendText(page));
  await step('text that looks like markup stays text', () => sendHostileText(page));
  await step('20 MB in one message come back unchanged', () => sendFile(page, 'whole', 1));
  await step('20 MB in many messages come back unchanged', () => sendFile(page, 'pieces', 2));
  await step('a dropped file comes back unchanged', () => dropFile(page));
  await step('a burst comes back unchanged', () => runBurst(page));
  await step('round trips are measured', () => measure(page));
  await step('it looks as it should, light and dark, wide and narrow', async () => {
    await shoot(page, 'desktop-light');
    await shoot(page, 'desktop-dark', { colorScheme: 'dark' });
    await shoot(page, 'tablet', { width: 820, height: 1180 });
    await shoot(page, 'mobile', { width: 390, height: 844 });
    await shoot(page, 'mobile-dark', { width: 360, height: 740, colorScheme: 'dark' });
    await page.setViewportSize({ width: 1280, height: 960 });
  });
  await step('the page closes with 1000, and connects again', () => closeFromPage(page));
  await step('Ctrl-C at the server shows 1001', async () => {
    server.interrupt();
    await expectClosed(page, 1001, 'the echo server stops', true);
    assert.equal(await server.exit, 0);
  });
  await shoot(page, 'closed-light', { fullPage: false });
  await shoot(page, 'closed-mobile-dark', { width: 390, height: 844, colorScheme: 'dark', fullPage: false });
  assert.deepEqual(complaints, []);
  await step('connecting to a server that is gone shows 1006', async () => {
    await page.click('#reconnect');
    await page.waitForFunction(() => document.querySelector('#close-code').textContent === '1006');
    await expectClosed(page, 1006, 'none', false);
  });
}

try {
  await main();
  console.log(`\n${said.length} checks passed${shots === undefined ? '' : `, screenshots in ${shots}`}`);
} finally {
  for (const cleanup of cleanups) await cleanup();
}
