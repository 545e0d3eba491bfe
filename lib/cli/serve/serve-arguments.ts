/** The options of `wspipe serve` and its help, pure. */
import { type AllowedOrigins, ORIGIN_OPTIONS, readAllowedOrigins } from '../allowed-origins.ts';
import type { OptionTable, Words } from '../command-line.ts';
import { Misuse } from '../values.ts';

/** What `wspipe serve` runs with. */
export interface ServeOptions {
  readonly host: string;
  /** The port to listen on; 0 takes any free one. */
  readonly port: number;
  /** What is started for each connection, and with which arguments. */
  readonly command: string;
  readonly args: readonly string[];
  /** Bytes instead of lines of text. */
  readonly isBinary: boolean;
  readonly allowedOrigins: AllowedOrigins;
  readonly maxProcesses: number;
  /** ms that a process has from the end of its input to SIGTERM, and from there to SIGKILL. */
  readonly graceMs: number;
  readonly maxLineBytes: number;
}

/** The defaults of `wspipe serve`: this machine alone, and no more processes than it bears. */
export const SERVE_DEFAULTS = {
  host: '127.0.0.1',
  port: 8080,
  maxProcesses: 32,
  graceMs: 5000,
  maxLineBytes: 16_777_216,
} as const;

export const SERVE_OPTIONS: OptionTable = {
  host: { type: 'string' },
  port: { type: 'string' },
  binary: { type: 'boolean', short: 'b' },
  ...ORIGIN_OPTIONS,
  'max-processes': { type: 'string' },
  grace: { type: 'string' },
  'max-line-bytes': { type: 'string' },
};

/** What `wspipe serve --help` prints. */
export const SERVE_HELP: string = `wspipe serve: gives each connection a process of its own

Usage
  wspipe serve [options] -- <command> [arguments]

What comes on a connection is the process's input, what it prints is sent. A
line is a text message, and the other way round (a binary message that comes is
a line, too); with --binary, bytes go both ways as they are. What it writes to
stderr comes out here. Nothing is buffered beyond a bound: a process that does
not read holds the connection back, and the other way round.

Options
  --host <address>         where to listen. Default ${SERVE_DEFAULTS.host}: only this
                           machine. 0.0.0.0 (or ::) lets the whole network in.
  --port <number>          0 to 65535; 0 takes any free port. Default ${SERVE_DEFAULTS.port}.
  -b, --binary             bytes instead of lines; text messages are taken too
  --allow-origin <origin>  web pages of this origin may connect, as browsers
                           write it: https://example.com. May be repeated; '*'
                           is all. Default: pages of this server's own address.
                           Programs that are no browser may always connect.
  --max-processes <n>      how many at once; the next one is answered 503.
                           Default ${SERVE_DEFAULTS.maxProcesses}.
  --grace <time>           how long a process may go on when its connection has
                           ended, until SIGTERM, and from there to SIGKILL.
                           Default 5.
  --max-line-bytes <n>     the longest line that a process may print. Default
                           ${SERVE_DEFAULTS.maxLineBytes} (16 MiB).
  -h, --help               print this text
  -v, --version            print the version

A process that ends with 0 closes its connection with 1000, another one with
1011 and the reason. When the connection ends first, the process's input ends;
then see --grace. Programs that print into a pipe often hold lines back: sed -u,
grep --line-buffered, python -u, stdbuf -oL and their like print them at once.

The environment of a process has REMOTE_ADDR, REQUEST_URI, QUERY_STRING,
WEBSOCKET_PROTOCOL, HTTP_HOST, HTTP_ORIGIN, HTTP_COOKIE and HTTP_USER_AGENT,
each where there is such a thing. They come from the other side: quote them.

Ctrl-C closes every connection with 1001 and ends the processes; once more ends
at once. The exit code is 0, 1 where it could not start, and 2 for a command
line that makes no sense.

Examples
  wspipe serve -- cat
  wspipe serve -- sed -u 's/a/b/g'
  wspipe serve --port 3000 -- python3 -u bot.py
  wspipe serve --binary -- cat
  wspipe serve -- sh -c 'echo "you asked for $REQUEST_URI"'
`;

/** @throws Misuse */
export function parseServe({ operands: [command, ...args], values }: Words): ServeOptions {
  if (command === undefined) throw new Misuse('Which command? wspipe serve -- COMMAND ARGS');
  const { host, port, maxProcesses, graceMs, maxLineBytes } = SERVE_DEFAULTS;
  return {
    host: values.text('host') ?? host,
    port: values.port('port', port),
    command,
    args,
    isBinary: values.has('binary'),
    allowedOrigins: readAllowedOrigins(values),
    maxProcesses: values.number('max-processes', { fallback: maxProcesses, min: 1 }),
    graceMs: values.time('grace', graceMs),
    maxLineBytes: values.number('max-line-bytes', { fallback: maxLineBytes, min: 1, max: 1_073_741_824 }),
  };
}
