/** What the command says of itself. It teaches: what for, how, which defaults and why, and what to try next. */
import type { HelpTopic } from './arguments.ts';
import { CONNECT_HELP } from './connect/connect-arguments.ts';
import { ECHO_DEFAULTS, ECHO_HELP } from './echo/echo-arguments.ts';
import { PROXY_HELP } from './proxy/proxy-arguments.ts';
import { SERVE_HELP } from './serve/serve-arguments.ts';

const WSPIPE_HELP = `wspipe, streams-first WebSockets

Usage
  wspipe <command> [options]

Commands
  connect         talk to a server, or pipe through one
  echo            start a server with a page, to try a WebSocket connection
  serve           give each connection a process of its own
  proxy           lead WebSocket to TCP, TCP to WebSocket, or one to the other
  help [command]  print this text, or that of a command

Options
  -h, --help     print help
  -v, --version  print the version

Examples
  wspipe echo                   then open http://${ECHO_DEFAULTS.host}:${ECHO_DEFAULTS.port}/ in a browser
  wspipe connect ws://localhost:${ECHO_DEFAULTS.port}/
  wspipe connect --binary ws://localhost:${ECHO_DEFAULTS.port}/ <file >copy
  wspipe serve -- cat           one cat for each connection
  wspipe proxy --listen 8081 --to tcp://localhost:22
  wspipe connect --help         all options of a command

wspipe is a library first: import { wsServer, connect } from 'wspipe'.
`;

const TEXTS: Readonly<Record<HelpTopic, string>> = {
  wspipe: WSPIPE_HELP,
  connect: CONNECT_HELP,
  echo: ECHO_HELP,
  serve: SERVE_HELP,
  proxy: PROXY_HELP,
};

/**
 * Formats the help of a topic.
 *
 * @param bold marks the headings; plain where the output is no terminal
 */
export function formatHelp(topic: HelpTopic, bold: (text: string) => string): string {
  return TEXTS[topic].replace(/^[A-Z][a-z]+(?: codes)?$/gm, (heading) => bold(heading));
}
