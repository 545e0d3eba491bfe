/**
 * Tries the built package against other people's WebSockets, in both roles, and prints a table. Ends by itself, with
 * status 1 where a case failed, did not report, or a peer is missing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CASE_NAMES, runCases } from './cases.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PEER_LIMIT_MS = 90_000;
const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';

/** What a peer's interface has no way to do, or to see. */
const PLATFORM_CANNOT = ['fragments sent', 'ping sent'];
const LEGACY_PYTHON_CANNOT = ['close without code sent'];
const CURL_CASES = [
  'handshake 101',
  'own origin 101',
  'no upgrade 426',
  'version 8 426',
  'POST 405',
  'short key 400',
  'foreign origin 403',
  'large head 431',
  'refused 403',
  'refused 404',
];

const without = (names) => CASE_NAMES.filter((name) => !names.includes(name));
const bin = (name) => here(`node_modules/.bin/${name}`);

const CLIENTS = [
  { title: 'ws → us', names: CASE_NAMES, command: [process.execPath, here('peers/ws-client.js')] },
  { title: 'python → us', names: without(LEGACY_PYTHON_CANNOT), command: [PYTHON, here('peers/websockets_client.py')] },
  { title: 'bun → us', names: without(PLATFORM_CANNOT), command: [bin('bun'), here('peers/global-client.js')] },
  {
    title: 'deno → us',
    names: without(PLATFORM_CANNOT),
    command: [bin('deno'), 'run', '--no-prompt', '--allow-net', here('peers/global-client.js')],
  },
  { title: 'curl → us', names: CURL_CASES, command: [process.execPath, here('peers/curl.js')] },
];

const SERVERS = [
  { title: 'us → ws', names: CASE_NAMES, command: [process.execPath, here('peers/ws-server.js')] },
  { title: 'us → python', names: CASE_NAMES, command: [PYTHON, here('peers/websockets_server.py')] },
];

/** Says what is missing, and how it comes. */
function findMissing() {
  const missing = [];
  if (!existsSync(here('../../dist/index.js'))) missing.push('dist/ is not built: npm run build');
  const runs = (file, ...args) => spawnSync(file, args).status === 0;
  if (!existsSync(here('node_modules/ws')) || !runs(bin('bun'), '--version') || !runs(bin('deno'), '--version')) {
    missing.push('ws, bun or deno is not installed: npm ci --prefix spec/interop, with install scripts for bun');
  }
  if (!runs(PYTHON, '-c', 'import websockets')) {
    missing.push(`${PYTHON} has no websockets: apt-get install python3-websockets (or set PYTHON)`);
  }
  if (!runs('curl', '--version')) missing.push('curl is missing: apt-get install curl');
  return missing;
}

/** Starts a peer whose lines of standard output are JSON; what it complains of is kept for the report. */
function start([file, ...args]) {
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn(file, args, { cwd: here('.'), env, stdio: ['pipe', 'pipe', 'pipe'] });
  const limit = setTimeout(() => child.kill('SIGKILL'), PEER_LIMIT_MS);
  const peer = { child, complaints: '', ended: undefined };
  child.stderr.setEncoding('utf8').on('data', (text) => {
    peer.complaints += text;
  });
  peer.ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(String(error)));
    child.on('close', (code, signal) => resolve(signal ?? code));
  }).finally(() => clearTimeout(limit));
  return peer;
}

async function* resultsOf(peer) {
  for await (const line of createInterface({ input: peer.child.stdout })) {
    if (line.startsWith('{')) yield JSON.parse(line);
    else peer.complaints += `${line}\n`;
  }
}

async function runClient({ names, command }, base) {
  const results = [];
  const peer = start([...command, base, ...names]);
  for await (const result of resultsOf(peer)) results.push(result);
  const status = await peer.ended;
  return { results, trouble: status === 0 ? '' : `ended with ${status}\n${peer.complaints}` };
}

async function runServer({ names, command }, open) {
  const results = [];
  const peer = start(command);
  const lines = resultsOf(peer);
  const { value } = await lines.next();
  if (value === undefined) return { results, trouble: `did not start\n${peer.complaints}` };
  await runCases(names, open, `ws://127.0.0.1:${value.port}`, (result) => results.push(result));
  peer.child.stdin.end();
  const status = await peer.ended;
  return { results, trouble: status === 0 ? '' : `ended with ${status}\n${peer.complaints}` };
}

/** Fills a column: each expected case ok, failed, or not reported. */
function judge({ title, names }, { results, trouble }) {
  const cells = new Map();
  const failures = trouble === '' ? [] : [`${title}: the peer ${trouble}`];
  for (const name of names) {
    const result = results.find((candidate) => candidate.case === name);
    cells.set(name, result?.ok ? 'ok' : 'FAIL');
    if (!result?.ok) failures.push(`${title}: ${name}: ${result?.detail ?? 'no report'}`);
  }
  return { title, cells, failures };
}

function print(columns) {
  const rows = [...CASE_NAMES, ...CURL_CASES.filter((name) => !CASE_NAMES.includes(name))];
  const first = Math.max(...rows.map((name) => name.length));
  const line = (name, cells) =>
    console.log([name.padEnd(first), ...cells.map((cell, at) => cell.padEnd(columns[at].title.length))].join('  '));
  line(
    '',
    columns.map(({ title }) => title),
  );
  for (const name of rows)
    line(
      name,
      columns.map(({ cells }) => cells.get(name) ?? '–'),
    );
  console.log('– : the peer cannot do this, or the row is for another one');
}

async function main() {
  const missing = findMissing();
  if (missing.length > 0) throw new Error(missing.join('\n'));
  const [{ bindServer }, { open }] = await Promise.all([import('./our-server.js'), import('./our-client.js')]);
  const server = await bindServer();
  const columns = [];
  for (const peer of CLIENTS) columns.push(judge(peer, await runClient(peer, `ws://127.0.0.1:${server.port}`)));
  await server.close({ deadlineMs: 1_000 });
  for (const peer of SERVERS) columns.push(judge(peer, await runServer(peer, open)));
  print(columns);
  return columns.flatMap(({ failures }) => failures);
}

try {
  const failures = await main();
  for (const failure of failures) console.error(`\nFAIL ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

// Nothing of ours may keep the process alive; where something does, this says so instead of hanging.
setTimeout(() => {
  console.error(`FAIL the process does not end by itself: ${process.getActiveResourcesInfo().join(', ')}`);
  process.exit(1);
}, 5_000).unref();
