/** The command `wspipe`: from words to an exit code. */
import { readFile } from 'node:fs/promises';
import { type Command, parseArguments } from './arguments.ts';
import { runConnectCommand } from './connect/connect.ts';
import { runEchoCommand } from './echo/echo.ts';
import { EXIT_DONE, EXIT_MISUSE } from './exit-code.ts';
import { formatHelp } from './help.ts';
import { runProxyCommand } from './proxy/proxy.ts';
import { runServeCommand } from './serve/serve.ts';
import { complain, createPaint, type Terminal } from './terminal.ts';

/** Stands two floors up, from lib/cli/ as from dist/cli/. */
const PACKAGE_URL = new URL('../../package.json', import.meta.url);

/**
 * Runs one command line.
 *
 * @param args the words behind the command's name
 * @returns the exit code, one of `EXIT_…`
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  // Who reads our output may go when he has enough, as `head` does; without a listener that would end the process loudly.
  for (const output of [terminal.stdout, terminal.stderr]) output.on('error', () => {});
  const command = parseArguments(args);
  switch (command.kind) {
    case 'help':
      terminal.stdout.write(formatHelp(command.topic, createPaint(terminal.stdout).bold));
      return EXIT_DONE;
    case 'version':
      terminal.stdout.write(`${await readVersion()}\n`);
      return EXIT_DONE;
    case 'connect':
      return runConnectCommand(command.options, terminal);
    case 'echo':
      return runEchoCommand(command.options, terminal, await readVersion());
    case 'serve':
      return runServeCommand(command.options, terminal);
    case 'proxy':
      return runProxyCommand(command.options, terminal);
    case 'misuse':
      // Who typed nothing at all gets the whole help; who made a slip gets a line and the way to more.
      if (args.length === 0) terminal.stderr.write(formatHelp('wspipe', createPaint(terminal.stderr).bold));
      else explainMisuse(command, terminal);
      return EXIT_MISUSE;
  }
}

async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(PACKAGE_URL, 'utf8')) as { version: string };
  return version;
}

function explainMisuse({ topic, message }: Extract<Command, { kind: 'misuse' }>, terminal: Terminal): void {
  complain(terminal, `${message}\nHelp: wspipe ${topic === 'wspipe' ? '' : `${topic} `}--help`);
}
