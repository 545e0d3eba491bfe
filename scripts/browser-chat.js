// Drives the chat in a real browser: two pages, each at a process of its own, over a redis-server of their own.
//   npm run test:chat [-- folder]
//
// Screenshots go to the folder; without one, none are taken. It needs redis-server.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installBesideClients } from '../spec/brokers/install.js';
import { launchChromium } from './chromium.js';

const shots = process.argv[2];
const scratch = await mkdtemp(join(tmpdir(), 'wspipe-chat-'));
const cleanups = [() => rm(scratch, { recursive: true, force: true })];

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a process; kept when it says that it is ready. */
async function start(greeting, command, ...args) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const stop = (signal = 'SIGKILL') => {
    child.kill(signal);
    return ended;
  };
  cleanups.unshift(() => stop());
  let output = '';
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => {
      output += text;
      if (output.includes(greeting)) resolve();
    });
    ended.then((status) => reject(new Error(`${command} ended with ${status}: ${output}`)));
  });
  return { stop };
}

const redisPort = await freePort();
const redisArgs = ['--bind', '127.0.0.1', '--port', String(redisPort), '--save', '', '--dir', scratch];
const folder = installBesideClients();
const startChat = (port) => {
  const args = [`${folder}server.js`, '--port', String(port), '--redis', `redis://127.0.0.1:${redisPort}`];
  return start('Chat at', process.execPath, ...args);
};

async function openPage(context, port, name) {
  const page = await context.newPage();
  page.complaints = [];
  page.on('pageerror', (error) => page.complaints.push(String(error)));
  await page.goto(`http://localhost:${port}/`);
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Come in' }).click();
  await page.locator('#status[data-state="open"]').waitFor();
  return page;
}

async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

/** What stands in the page, when it is as many as that. */
async function read(page, count) {
  await page.locator(`#messages li:nth-child(${count})`).waitFor();
  return page.locator('#messages li').evaluateAll((items) => items.map((item) => item.lastChild.textContent));
}

async function shoot(page, name, { width, height, colorScheme }) {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `${name}: the page is wider than its window`);
  if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`) });
}

try {
  await start('Ready to accept connections', 'redis-server', ...redisArgs);
  const ports = [await freePort(), await freePort()];
  const [first] = await Promise.all(ports.map(startChat));
  const browser = await launchChromium();
  cleanups.unshift(() => browser.close());
  const context = await browser.newContext();
  const ada = await openPage(context, ports[0], 'Ada');
  const bob = await openPage(context, ports[1], 'Bob');

  for (const page of [ada, bob]) await page.locator('#people li:nth-child(2)').waitFor();
  assert.deepEqual(await ada.locator('#people li').allTextContents(), ['Ada', 'Bob']);
  assert.notEqual(await ada.locator('#state').textContent(), await bob.locator('#state').textContent());
  console.log('two pages at two processes see each other: ok');

  await say(ada, 'Hello from the first process');
  await read(bob, 1);
  await say(bob, 'And hello from the second 👋');
  await say(bob, '<b>This is text</b>, and nothing else');
  const said = [
    'Hello from the first process',
    'And hello from the second 👋',
    '<b>This is text</b>, and nothing else',
  ];
  for (const page of [ada, bob]) assert.deepEqual(await read(page, 3), said);
  console.log('what is said reaches both, in one order: ok');

  await first.stop('SIGTERM');
  await ada.locator('#status[data-state="closed"]').waitFor();
  await bob.locator('#people li:nth-child(2)').waitFor({ state: 'detached' });
  await say(bob, 'Are you still there?');
  await read(bob, 4);
  await startChat(ports[0]);
  await ada.locator('#status[data-state="open"]').waitFor();
  assert.deepEqual(await read(ada, 4), [...said, 'Are you still there?']);
  await say(ada, 'Back again, and I have missed nothing');
  await read(bob, 5);
  console.log('a page whose process was restarted gets what it missed, once: ok');

  await bob.goto(`http://localhost:${ports[1]}/#random`);
  await bob.locator('#empty').waitFor();
  await ada.locator('#people li:nth-child(2)').waitFor({ state: 'detached' });
  await bob.goto(`http://localhost:${ports[1]}/#general`);
  assert.equal((await read(bob, 5)).length, 5);
  console.log('rooms are apart, and a newcomer is shown what was said: ok');

  await ada.locator('#people li:nth-child(2)').waitFor();
  await shoot(ada, 'chat-light', { width: 1100, height: 720, colorScheme: 'light' });
  await shoot(bob, 'chat-dark', { width: 1100, height: 720, colorScheme: 'dark' });
  await shoot(ada, 'chat-phone', { width: 390, height: 760, colorScheme: 'light' });
  assert.deepEqual([...ada.complaints, ...bob.complaints], []);
} finally {
  for (const cleanup of cleanups) await cleanup();
}
