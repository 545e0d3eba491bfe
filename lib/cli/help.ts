/** What the command says of itself. It teaches: what for, how, which defaults and why, and what to try next. */
import { ECHO_DEFAULTS, type HelpTopic } from './arguments.ts';

const WSPIPE = `wspipe, streams-first WebSockets

Usage
  wspipe <command> [options]

Commands
  echo         start a server with a page, to try a WebSocket connection
  help [echo]  print this text, or that of a command

Options
  -h, --help     print help
  -v, --version  print the version

Examples
  wspipe echo              then open http://${ECHO_DEFAULTS.host}:${ECHO_DEFAULTS.port}/ in a browser
  wspipe echo --port 0     on any free port
  wspipe echo --help       all options of the echo server

wspipe is a library first: import { wsServer, connect } from 'wspipe'.
`;

const ECHO = `wspipe echo: a server that sends back what it gets, and a page to try it with

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

const TEXTS: Readonly<Record<HelpTopic, string>> = { wspipe: WSPIPE, echo: ECHO };

/**
 * Formats the help of a topic.
 *
 * @param bold marks the headings; plain where the output is no terminal
 */
export function formatHelp(topic: HelpTopic, bold: (text: string) => string): string {
  return TEXTS[topic].replace(/^[A-Z][a-z]+$/gm, (heading) => bold(heading));
}
