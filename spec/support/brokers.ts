/**
 * Brokers that specs talk to: a redis-server or nats-server of their own, on a port of their own, that can be killed and
 * comes back on the same port. All of them are gone when the test ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** Loads a client of a broker, from where `npm ci --prefix spec/brokers` has put it. */
export const requireClient: NodeJS.Require = createRequire(new URL('../brokers/package.json', import.meta.url));

interface BrokerKind {
  readonly command: string;
  readonly scheme: string;
  args(port: number, folder: string): readonly string[];
  /** What it says when it takes connections. */
  readonly greeting: RegExp;
}

const KINDS: Readonly<Record<'redis' | 'nats', BrokerKind>> = {
  redis: {
    command: 'redis-server',
    scheme: 'redis',
    args: (port, folder) => {
      const persistence = ['--appendonly', 'yes', '--save', '', '--dir', folder];
      return ['--bind', '127.0.0.1', '--port', String(port), ...persistence];
    },
    greeting: /Ready to accept connections/,
  },
  nats: {
    command: 'nats-server',
    scheme: 'nats',
    args: (port) => ['--addr', '127.0.0.1', '--port', String(port)],
    greeting: /Server is ready/,
  },
};

export class BrokerProcess {
  readonly port: number;
  readonly url: string;
  readonly #kind: BrokerKind;
  readonly #folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  constructor(kind: BrokerKind, port: number, args: readonly string[]) {
    this.port = port;
    this.url = `${kind.scheme}://127.0.0.1:${port}`;
    this.#kind = kind;
    this.#folder = mkdtempSync(join(tmpdir(), `wspipe-${kind.scheme}-`));
    this.#args = args;
  }

  /** Kept when it takes connections. */
  async start(): Promise<void> {
    const { command, args, greeting } = this.#kind;
    const child = spawn(command, [...args(this.port, this.#folder), ...this.#args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk;
        if (greeting.test(output)) resolve();
      };
      for (const stream of [child.stdout, child.stderr]) stream.on('data', read);
      child.once('error', reject);
      child.once('close', (status) => reject(new Error(`${command} ended with ${status}:\n${output}`)));
    });
  }

  /** Ends it without a good-bye; what it has written to its disk stays. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Stops it from doing anything, or lets it go on. Its connections stay. */
  freeze(isFrozen: boolean): void {
    this.#child?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Starts a broker that lives until the test ends. */
export async function startBroker(kind: keyof typeof KINDS, args: readonly string[] = []): Promise<BrokerProcess> {
  const broker = new BrokerProcess(KINDS[kind], await freePort(), args);
  onTestFinished(() => broker.remove());
  await broker.start();
  return broker;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
