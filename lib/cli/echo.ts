/** `wspipe echo`: starts the server, says where it is, and stops it when it is told to. */
import type { EchoOptions } from './arguments.ts';
import { type EchoServer, startEcho } from './echo-server.ts';
import { createPaint, type Terminal } from './terminal.ts';

/**
 * npm hands on the Ctrl-C that the terminal gave to its child already, so under `npm start` one press comes twice.
 * What comes within this time is the same press; after it, the next one ends the process.
 */
const SAME_PRESS_MS = 500;

/**
 * Runs until SIGINT or SIGTERM, then closes gracefully.
 *
 * @param version shown in the first line
 * @returns the exit code: 0 after a stop, 1 where it could not start
 */
export async function runEchoCommand(options: EchoOptions, terminal: Terminal, version: string): Promise<number> {
  let server: EchoServer;
  try {
    server = await startEcho(options);
  } catch (error) {
    terminal.stderr.write(explainFailure(error, options, terminal));
    return 1;
  }
  const stop = waitForStop(terminal);
  terminal.stdout.write(formatWelcome(server, options, terminal, version));
  await stop.isAsked;
  await closeServer(server, terminal, stop.release);
  return 0;
}

interface Stop {
  readonly isAsked: Promise<void>;
  /** Gives the signals back to the system, which ends the process at the next one. */
  release(): void;
}

function waitForStop(terminal: Terminal): Stop {
  let ask = (): void => {};
  const isAsked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  terminal.on('SIGINT', ask);
  terminal.on('SIGTERM', ask);
  const release = (): void => {
    terminal.off('SIGINT', ask);
    terminal.off('SIGTERM', ask);
  };
  return { isAsked, release };
}

async function closeServer(server: EchoServer, { stdout }: Terminal, release: () => void): Promise<void> {
  const left = (): string => `${server.connectionCount} connection${server.connectionCount === 1 ? '' : 's'}`;
  stdout.write(server.connectionCount === 0 ? '\nStopping.\n' : `\nClosing ${left()} with 1001 (going away).\n`);
  const patience = setTimeout(() => {
    release();
    stdout.write(`Waiting for ${left()} to answer. Ctrl-C again stops at once.\n`);
  }, SAME_PRESS_MS);
  await server.close();
  clearTimeout(patience);
  release();
  stdout.write('Stopped.\n');
}

function formatWelcome(
  { urls }: EchoServer,
  { maxMessageBytes }: EchoOptions,
  { stdout }: Terminal,
  version: string,
): string {
  const { bold, dim, link } = createPaint(stdout);
  const list = (title: string, addresses: readonly string[]): string =>
    addresses
      .map((address, index) => `  ${dim(index === 0 ? title : ' '.repeat(title.length))}  ${link(address)}\n`)
      .join('');
  return `${bold(`wspipe ${version}`)}: the echo server runs.

${list('page', urls)}${list(
  'echo',
  urls.map((url) => url.replace('http', 'ws')),
)}
Open the page in a browser, or connect any WebSocket client: what you send comes back.
${dim(`Messages of up to ${formatBytes(maxMessageBytes)}. Ctrl-C closes every connection and stops.`)}
`;
}

/** Whole MiB and KiB by name, everything else to the byte. */
function formatBytes(bytes: number): string {
  if (bytes % 1_048_576 === 0) return `${bytes / 1_048_576} MiB`;
  if (bytes % 1024 === 0) return `${bytes / 1024} KiB`;
  return `${bytes} byte${bytes === 1 ? '' : 's'}`;
}

/**
 * Says in two lines why the server could not start, and what to type instead.
 *
 * @param error the system's
 */
export function explainFailure(error: unknown, { host, port }: EchoOptions, { env, stderr }: Terminal): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const say = (problem: string, hint = ''): string => `${createPaint(stderr).bold('wspipe:')} ${problem}\n${hint}`;
  const command = nameOfCommand(env);
  const tryPort = (other: number): string => `Try another one: ${command} --port ${other} (0 takes any free port).\n`;
  switch (code) {
    case 'EADDRINUSE':
      return say(`port ${port} of ${host} is taken by another program.`, tryPort(port < 65_535 ? port + 1 : 0));
    case 'EACCES':
      return say(`port ${port} of ${host} needs rights that you do not have here.`, tryPort(8080));
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return say(
        `this machine has no address ${host}.`,
        `Try ${command} --host 127.0.0.1, or 0.0.0.0 for all that it has.\n`,
      );
    default:
      return say(`the server could not start: ${message}`);
  }
}

/** What the user typed to get here, so that the hint can be typed as it stands. */
function nameOfCommand(env: Terminal['env']): string {
  const isNpmStart = env.npm_lifecycle_event === 'start' && env.npm_package_name === 'wspipe';
  return isNpmStart ? 'npm start --' : 'wspipe echo';
}
