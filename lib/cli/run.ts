/** The command `wspipe`: from words to an exit code. */
import { readFile } from 'node:fs/promises';
import { type Command, parseArguments } from './arguments.ts';
import { runEchoCommand } from './echo.ts';
import { formatHelp } from './help.ts';
import { createPaint, type Terminal } from './terminal.ts';

/** Stands two floors up, from lib/cli/ as from dist/cli/. */
const PACKAGE_URL = new URL('../../package.json', import.meta.url);

/**
 * Runs one command line.
 *
 * @param args the words behind the command's name
 * @returns the exit code: 0 done, 1 the command failed, 2 the command line makes no sense
 */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = parseArguments(args);
  switch (command.kind) {
    case 'help':
      terminal.stdout.write(formatHelp(command.topic, createPaint(terminal.stdout).bold));
      return 0;
    case 'version':
      terminal.stdout.write(`${await readVersion()}\n`);
      return 0;
    case 'echo':
      return runEchoCommand(command.options, terminal, await readVersion());
    case 'misuse':
      // Who typed nothing at all gets the whole help; who made a slip gets a line and the way to more.
      terminal.stderr.write(
        args.length === 0 ? formatHelp('wspipe', createPaint(terminal.stderr).bold) : explainMisuse(command, terminal),
      );
      return 2;
  }
}

async function readVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(PACKAGE_URL, 'utf8')) as { version: string };
  return version;
}

function explainMisuse({ topic, message }: Extract<Command, { kind: 'misuse' }>, { stderr }: Terminal): string {
  const { bold } = createPaint(stderr);
  return `${bold('wspipe:')} ${message}\nHelp: wspipe ${topic === 'echo' ? 'echo ' : ''}--help\n`;
}
