/**
 * Runs each program of docs/guide/frameworks.md as it stands there, with the real framework, and uses it as its users
 * would. Ends by itself, with status 1 where one fails.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { DRIVERS } from './drivers.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const FOLDER = here('programs/');
const LIMIT_MS = 30_000;

function readPrograms() {
  const text = readFileSync(here('../../../docs/guide/frameworks.md'), 'utf8');
  const programs = [...text.matchAll(/<!-- framework: ([\w-]+) -->\n```js\n([\s\S]*?)```/g)];
  const blocks = text.match(/^```\w/gm)?.length;
  assert.equal(programs.length, blocks, 'a code block has no name');
  return programs.map(([, name, source]) => ({ name, source }));
}

async function findFreePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until somebody listens. */
async function untilServed(port, program) {
  while (program.exitCode === null && program.signalCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isServed = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (isServed) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error('it ended before it listened');
}

async function tryProgram({ name, source }) {
  const driver = DRIVERS[name];
  assert.ok(driver, `nobody knows how ${name} is used`);
  const port = await findFreePort();
  const path = `${FOLDER}${name}.js`;
  const ours = new URL('../../../dist/index.js', import.meta.url).href;
  writeFileSync(path, source.replaceAll('8080', port).replace("'wspipe'", `'${ours}'`));
  const program = spawn(process.execPath, [path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [program.stdout, program.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise((resolve) => program.once('close', resolve));
  const limit = setTimeout(() => program.kill('SIGKILL'), LIMIT_MS);
  try {
    await untilServed(port, program);
    await driver({
      http: `http://127.0.0.1:${port}`,
      ws: `ws://127.0.0.1:${port}`,
      ended,
      stop: () => program.kill('SIGTERM'),
    });
    return '';
  } catch (error) {
    return `${error.stack}\n${output}`;
  } finally {
    clearTimeout(limit);
    program.kill('SIGKILL');
    await ended;
  }
}

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
for (const program of readPrograms()) {
  const trouble = await tryProgram(program);
  console.log(`${trouble === '' ? 'ok  ' : 'FAIL'} ${program.name}`);
  if (trouble === '') continue;
  console.error(trouble);
  process.exitCode = 1;
}
rmSync(FOLDER, { recursive: true, force: true });
