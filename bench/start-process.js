// The processes of a round, each on a core of its own where the system lets us choose.
import { fork, spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Unavailable } from './unavailable.js';

const LOAD_CORE = 0;
const PEER_CORE = 1;
const START_LIMIT_MS = 20_000;
const STOP_LIMIT_MS = 10_000;
const LOAD = fileURLToPath(new URL('load/main.js', import.meta.url));

export const isPinned =
  availableParallelism() > 1 && spawnSync('taskset', ['-c', String(PEER_CORE), 'true']).status === 0;

/** taskset becomes the command that it starts, so the process id is the command's. */
const pinned = (core, command) => (isPinned ? ['taskset', '-c', String(core), ...command] : command);

/** The process that is measured. */
class Peer {
  #child;
  #lines;
  #ended;
  #complaint = '';

  constructor(command, env) {
    const [file, ...args] = pinned(PEER_CORE, command);
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.on('data', (text) => {
      this.#complaint = (this.#complaint + text).slice(-2000);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => this.#child.once('error', resolve).once('close', resolve));
  }

  get pid() {
    return this.#child.pid;
  }

  /** What it wrote to its standard error. */
  get complaint() {
    return this.#complaint.trim().split('\n').slice(0, 10).join('\n');
  }

  /** The next line of its standard output. */
  async readLine(limitMs) {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), limitMs);
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (!done) return value;
    await this.#ended;
    throw new Error(`it ended: ${this.complaint}`);
  }

  async collectGarbage() {
    this.#child.stdin.write('collect\n');
    await this.readLine(START_LIMIT_MS);
  }

  /** Lets it end by itself, so that what a profiler collected is written. */
  async stop() {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}

/** Starts a server or a client that speaks servers/contract.js; resolves when it is ready, with its `port`. */
export async function startPeer(command, env) {
  const peer = new Peer(command, env);
  const [word, ...rest] = (await peer.readLine(START_LIMIT_MS)).split(' ');
  if (word === 'port') return Object.assign(peer, { port: Number(rest[0]) });
  await peer.stop();
  throw new Unavailable(rest.join(' '));
}

/** Runs what measures itself and prints what it measured. */
export async function runAlone(command, env, limitMs) {
  const peer = new Peer(command, env);
  try {
    return JSON.parse(await peer.readLine(limitMs));
  } finally {
    await peer.stop();
  }
}

/** What an error of another process was. */
function revive({ name, message, stack }) {
  return name === 'Unavailable' ? new Unavailable(message) : new Error(stack);
}

/** Gives one job to a load generator and resolves with what it measured; `answers` are functions that it may ask for. */
export function runLoad(job, answers, limitMs) {
  const [execPath, ...execArgv] = pinned(LOAD_CORE, [process.execPath]);
  const child = fork(LOAD, [], { execPath, execArgv });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    child.once('error', reject);
    // Unlike its exit, the end of the channel comes after the last message.
    child.once('disconnect', () => {
      clearTimeout(timer);
      reject(new Error('the load generator ended without an answer'));
    });
    child.on('message', ({ result, error, ask, ...details }) => {
      if (result !== undefined) resolve(result);
      else if (error !== undefined) reject(revive(error));
      else answers[ask](details).then((answer) => child.connected && child.send(answer ?? null), reject);
    });
    child.send(job);
  });
}
