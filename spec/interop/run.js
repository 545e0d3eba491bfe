/**
 * Tries the built package against other people's WebSockets, in both roles, and prints a table. Ends by itself, with
 * status 1 where a case failed, did not report, or a peer is missing.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GAMES } from './games.js';
import { bin, CLIENTS, PYTHON, SERVERS } from './peers.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const PEER_LIMIT_MS = 90_000;

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

async function runClient({ game, names, command }, base) {
  const results = [];
  const peer = start([...command, base, game, ...names]);
  for await (const result of resultsOf(peer)) results.push(result);
  const status = await peer.ended;
  return { results, trouble: status === 0 ? '' : `ended with ${status}\n${peer.complaints}` };
}

async function runServer({ game, names, command }, open) {
  const results = [];
  const peer = start(command);
  const lines = resultsOf(peer);
  const { value } = await lines.next();
  if (value === undefined) return { results, trouble: `did not start\n${peer.complaints}` };
  await GAMES[game](names, open, `ws://127.0.0.1:${value.port}`, (result) => results.push(result));
  peer.child.stdin.end();
  const status = await peer.ended;
  return { results, trouble: status === 0 ? '' : `ended with ${status}\n${peer.complaints}` };
}

/** Fills a column: each expected case ok, failed, or not reported. */
function judge({ title, game, names }, { results, trouble }) {
  const cells = new Map();
  const failures = trouble === '' ? [] : [`${title}, ${game}: the peer ${trouble}`];
  for (const name of names) {
    const result = results.find((candidate) => candidate.case === name);
    cells.set(name, result?.ok ? 'ok' : 'FAIL');
    if (!result?.ok) failures.push(`${title}, ${game}: ${name}: ${result?.detail ?? 'no report'}`);
  }
  return { title, game, cells, failures };
}

function print(columns) {
  const rows = [...new Set(columns.flatMap(({ cells }) => [...cells.keys()]))];
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

/** Plays all columns of one game, one after another. */
async function play(game, { server, open }) {
  const columns = [];
  for (const peer of CLIENTS.filter((candidate) => candidate.game === game)) {
    columns.push(judge(peer, await runClient(peer, `ws://127.0.0.1:${server.port}`)));
  }
  await server.close({ deadlineMs: 1_000 });
  for (const peer of SERVERS.filter((candidate) => candidate.game === game)) {
    columns.push(judge(peer, await runServer(peer, open)));
  }
  print(columns);
  return columns.flatMap(({ failures }) => failures);
}

async function main() {
  const missing = findMissing();
  if (missing.length > 0) throw new Error(missing.join('\n'));
  const [ours, { open }] = await Promise.all([import('./our-server.js'), import('./our-client.js')]);
  const failures = await play('plain', { server: await ours.bindServer(), open });
  console.log('\npermessage-deflate; n/m: 2^n and 2^m bytes of window for the server and the client');
  return [...failures, ...(await play('compression', { server: await ours.bindCompressionServer(), open }))];
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
