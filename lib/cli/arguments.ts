/**
 * The command line, pure: words in, a command out. A mistake is a command too (`misuse`), with what to do about it;
 * nothing here prints, exits or looks at the machine.
 */
import { cutUp, type OptionTable, type OptionToken, readOptions, type Token, type Words } from './command-line.ts';
import { CONNECT_OPTIONS, type ConnectCommand, parseConnect } from './connect/connect-arguments.ts';
import { ECHO_OPTIONS, type EchoOptions, parseEcho } from './echo/echo-arguments.ts';
import { suggest } from './near-word.ts';
import { PROXY_OPTIONS, type ProxyOptions, parseProxy } from './proxy/proxy-arguments.ts';
import { parseServe, SERVE_OPTIONS, type ServeOptions } from './serve/serve-arguments.ts';
import { Misuse } from './values.ts';

/** A text of help: of the whole command, or of a sub-command. */
export type HelpTopic = 'wspipe' | 'connect' | 'echo' | 'serve' | 'proxy';

/** What the words on the command line ask for. */
export type Command =
  | { readonly kind: 'help'; readonly topic: HelpTopic }
  | { readonly kind: 'version' }
  | { readonly kind: 'connect'; readonly options: ConnectCommand }
  | { readonly kind: 'echo'; readonly options: EchoOptions }
  | { readonly kind: 'serve'; readonly options: ServeOptions }
  | { readonly kind: 'proxy'; readonly options: ProxyOptions }
  | { readonly kind: 'misuse'; readonly topic: HelpTopic; readonly message: string };

/** What a sub-command is. */
interface SubCommand {
  readonly name: Exclude<HelpTopic, 'wspipe'>;
  readonly options: OptionTable;
  /** @throws Misuse */
  readonly parse: (words: Words) => Command;
}

const SUB_COMMANDS: readonly SubCommand[] = [
  {
    name: 'connect',
    options: CONNECT_OPTIONS,
    parse: (words) => ({ kind: 'connect', options: parseConnect(words) }),
  },
  { name: 'echo', options: ECHO_OPTIONS, parse: (words) => ({ kind: 'echo', options: parseEcho(words) }) },
  { name: 'serve', options: SERVE_OPTIONS, parse: (words) => ({ kind: 'serve', options: parseServe(words) }) },
  { name: 'proxy', options: PROXY_OPTIONS, parse: (words) => ({ kind: 'proxy', options: parseProxy(words) }) },
];

const COMMON_OPTIONS: OptionTable = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
};

/** Words are cut up before it is known which command they are for; so a name looks the same in all of them. */
const ALL_OPTIONS: OptionTable = Object.assign({}, ...SUB_COMMANDS.map(({ options }) => options), COMMON_OPTIONS);

/**
 * Parses what follows the name of the command: `process.argv.slice(2)`.
 *
 * `--help` wins over everything, mistakes included, for who asks for help may not know how to ask. Behind `--` there are
 * no options.
 */
export function parseArguments(args: readonly string[]): Command {
  const tokens = cutUp(args, ALL_OPTIONS);
  const names = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const given = tokens.filter((token) => token.kind === 'option');
  const command = SUB_COMMANDS.find(({ name }) => name === (names[0] === 'help' ? names[1] : names[0]));
  const topic = command?.name ?? 'wspipe';
  if (given.some(({ name }) => name === 'help')) return { kind: 'help', topic };
  try {
    if (command?.name === 'serve') assertBeforeCommand(tokens);
    const values = judge(given, command);
    if (values.has('version')) return { kind: 'version' };
    if (command === undefined) return parseBare(names);
    const isAsking = names[1] === 'help' && !tokens.some(({ kind }) => kind === 'option-terminator');
    if (names[0] === 'help' || isAsking) return { kind: 'help', topic };
    return command.parse({ operands: names.slice(1), values });
  } catch (error) {
    if (error instanceof Misuse) return { kind: 'misuse', topic, message: error.message };
    throw error;
  }
}

/** @throws Misuse where an option stands behind the command that is to be served: whose is it? */
function assertBeforeCommand(tokens: readonly Token[]): void {
  const end = tokens.findIndex(({ kind }) => kind === 'option-terminator');
  const ours = tokens.slice(0, end === -1 ? tokens.length : end);
  const [, served] = ours.filter((token) => token.kind === 'positional');
  if (served === undefined) return;
  const late = ours.slice(ours.indexOf(served)).find((token) => token.kind === 'option');
  if (late === undefined) return;
  const example = `wspipe serve -- ${served.value} ${late.rawName}`;
  throw new Misuse(
    `Is ${late.rawName} for ${served.value}? Then write ${example}. What is for wspipe stands before --`,
  );
}

function judge(given: readonly OptionToken[], command: SubCommand | undefined): Words['values'] {
  const table = { ...command?.options, ...COMMON_OPTIONS };
  return readOptions(given, table, command === undefined ? 'wspipe' : `wspipe ${command.name}`, (name, rawName) => {
    const owner = SUB_COMMANDS.find(({ options }) => Object.hasOwn(options, name));
    if (command?.name === 'serve' && owner === undefined) {
      return `${rawName} is not an option of wspipe serve. What belongs to the command stands behind --`;
    }
    if (owner === undefined) return undefined;
    if (command === undefined) return `${rawName} belongs to a command: wspipe ${owner.name} ${rawName}`;
    return `${rawName} is not an option of wspipe ${command.name}, but of wspipe ${owner.name}.`;
  });
}

function parseBare([name, second]: readonly string[]): Command {
  if (name === undefined) throw new Misuse('Which command?');
  if (name === 'help' && second === undefined) return { kind: 'help', topic: 'wspipe' };
  const stranger = (name === 'help' && second) || name;
  const hint = /^(?:ws|http)s?:/.test(stranger) ? ` wspipe connect ${stranger}` : '';
  const known = [...SUB_COMMANDS.map((command) => command.name), 'help'];
  throw new Misuse(`${stranger} is not a command of wspipe.${hint || suggest(stranger, known, '')}`);
}
