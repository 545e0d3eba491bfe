/** The options of `wspipe echo` and its help, pure. */
import type { OptionTable, Words } from '../command-line.ts';
import { suggest } from '../near-word.ts';
import { Misuse } from '../values.ts';

/** What `wspipe echo` runs with. */
export interface EchoOptions {
  /** The address to listen on. */
  readonly host: string;
  /** The port to listen on; 0 takes any free one. */
  readonly port: number;
  /** The largest message that is echoed, in bytes. */
  readonly maxMessageBytes: number;
}

/**
 * The defaults of `wspipe echo`.
 *
 * The host is this machine alone: an echo server answers whoever reaches it, so the network is asked for by name
 * (`--host 0.0.0.0`). 64 MiB let people try their own files, yet a stranger cannot fill the memory with one message.
 */
export const ECHO_DEFAULTS: EchoOptions = { host: '127.0.0.1', port: 8080, maxMessageBytes: 64 * 1024 * 1024 };

export const ECHO_OPTIONS: OptionTable = {
  host: { type: 'string' },
  port: { type: 'string' },
  'max-message-bytes': { type: 'string' },
};

/** What `wspipe echo --help` prints. */
export const ECHO_HELP: string = `wspipe echo: a server that sends back what it gets, and a page to try it with

Usage
  wspipe echo [options]

Options
  --host <address>         where to listen. Default ${ECHO_DEFAULTS.host}: only this
                           machine. 0.0.0.0 (or ::) lets the whole network in.
  --port <number>          0 to 65535; 0 takes any free port. Default ${ECHO_DEFAULTS.port}.
  --max-message-bytes <n>  the largest message that is taken; a larger one ends
                           its connection with 1009. Default ${ECHO_DEFAULTS.maxMessageBytes} (64 MiB).
  -h, --help               print this text
  -v, --version            print the version

The page and the echo share one port. Open the address that is printed in a
browser: the page sends text and files, compares what comes back, and measures.
Any other WebSocket client may connect to the same address, on any path.
Browsers may connect only from the server's own page, other programs at will.

Ctrl-C closes every connection with 1001 (going away) and ends the server; once
more ends it at once. The exit code is 0, 1 where it could not start, and 2 for
a command line that makes no sense.

Examples
  wspipe echo                               on this machine, port ${ECHO_DEFAULTS.port}
  wspipe echo --port 3000
  wspipe echo --host 0.0.0.0                from other machines too
  wspipe echo --max-message-bytes 1048576   at most 1 MiB a message
`;

/** @throws Misuse */
export function parseEcho({ operands: [stranger], values }: Words): EchoOptions {
  if (stranger !== undefined) {
    const hint = suggest(stranger, Object.keys(ECHO_OPTIONS), '--');
    throw new Misuse(`wspipe echo takes options only, and ${stranger} is none.${hint}`);
  }
  const { host, port, maxMessageBytes } = ECHO_DEFAULTS;
  return {
    host: values.text('host') ?? host,
    port: values.port('port', port),
    maxMessageBytes: values.number('max-message-bytes', { fallback: maxMessageBytes, min: 1 }),
  };
}
