/** `wspipe echo`: starts the server, says where it is, and stops it when it is told to. */
import { formatLimit } from '../byte-count.ts';
import { EXIT_DONE, EXIT_FAILED } from '../exit-code.ts';
import { explainListenFailure, type ListenWords } from '../listen-failure.ts';
import { waitForStop } from '../stop.ts';
import { complain, createPaint, type Terminal } from '../terminal.ts';
import type { EchoOptions } from './echo-arguments.ts';
import { type EchoServer, startEcho } from './echo-server.ts';

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
    complain(terminal, explainListenFailure(error, describeListen(options, terminal)));
    return EXIT_FAILED;
  }
  const stop = waitForStop(terminal);
  terminal.stdout.write(formatWelcome(server, options, terminal, version));
  await stop.isAsked;
  await closeServer(server, terminal, stop.release);
  return EXIT_DONE;
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
${dim(`Messages of up to ${formatLimit(maxMessageBytes)}. Ctrl-C closes every connection and stops.`)}
`;
}

/** What the user typed to get here, so that the hint can be typed as it stands. */
function describeListen({ host, port }: EchoOptions, { env }: Terminal): ListenWords {
  const isNpmStart = env.npm_lifecycle_event === 'start' && env.npm_package_name === 'wspipe';
  const command = isNpmStart ? 'npm start --' : 'wspipe echo';
  return {
    host,
    port,
    withPort: (other) => `${command} --port ${other}`,
    withHost: (other) => `${command} --host ${other}`,
  };
}
