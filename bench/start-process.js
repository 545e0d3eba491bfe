// The processes of a round, each on a core of its own where the system lets us choose.
import { fork, spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const LOAD_CORE = 0;
const SERVER_CORE = 1;
const START_LIMIT_MS = 20_000;
const LOAD = fileURLToPath(new URL('load/main.js', import.meta.url));

export const isPinned =
  availableParallelism() > 1 && spawnSync('taskset', ['-c', String(SERVER_CORE), 'true']).status === 0;

/** taskset becomes the command that it starts, so the process id is the command's. */
const pinned = (core, command) => (isPinned ? ['taskset', '-c', String(core), ...command] : command);

/** Starts a server or a client that speaks `servers/contract.js`, and waits for its first line. */
export async function startPeer(command, env) {
  const [file, ...args] = pinned(SERVER_CORE, command);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = (complaint + text).slice(-2000);
  });
  child.stdin.on('error', () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.once('error', resolve).once('exit', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS);
  const first = await Promise.race([lines.next(), ended.then(() => ({ done: true }))]);
  clearTimeout(timer);
  if (first.done) throw new Error(`it did not start: ${complaint.trim().split('\n').slice(0, 8).join('\n')}`);
  return {
    pid: child.pid,
    port: Number(first.value.replace('port ', '')),
    complaint: () => complaint,
    async collectGarbage() {
      child.stdin.write('collect\n');
      await lines.next();
    },
    /** Lets it end by itself, so that what a profiler collected is written. */
    async stop() {
      child.stdin.end();
      const limit = setTimeout(() => child.kill('SIGKILL'), 5000);
      await ended;
      clearTimeout(limit);
    },
  };
}

/** Gives one job to a load generator and resolves with what it measured. */
export function runLoad(job, { collectGarbage, limitMs }) {
  const [execPath, ...execArgv] = pinned(LOAD_CORE, [process.execPath]);
  const child = fork(LOAD, [], { execPath, execArgv, serialization: 'advanced' });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`the load generator ended: ${signal ?? code}`));
    });
    child.on('message', async ({ ask, result, error }) => {
      if (error !== undefined) reject(new Error(error));
      else if (result !== undefined) resolve(result);
      else if (ask === 'collect') {
        await collectGarbage();
        child.send('collected');
      }
    });
    child.send(job);
  });
}
