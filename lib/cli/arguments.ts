/**
 * The command line, pure: words in, a command out. A mistake is a command too (`misuse`), with what to do about it;
 * nothing here prints, exits or looks at the machine.
 */
import { parseArgs } from 'node:util';

/** What `wspipe echo` runs with. */
export interface EchoOptions {
  /** The address to listen on. */
  readonly host: string;
  /** The port to listen on; 0 takes any free one. */
  readonly port: number;
  /** The largest message that is echoed, in bytes. */
  readonly maxMessageBytes: number;
}

/** A text of help: of the whole command, or of a sub-command. */
export type HelpTopic = 'wspipe' | 'echo';

/** What the words on the command line ask for. */
export type Command =
  | { readonly kind: 'help'; readonly topic: HelpTopic }
  | { readonly kind: 'version' }
  | { readonly kind: 'echo'; readonly options: EchoOptions }
  | { readonly kind: 'misuse'; readonly topic: HelpTopic; readonly message: string };

/**
 * The defaults of `wspipe echo`.
 *
 * The host is this machine alone: an echo server answers whoever reaches it, so the network is asked for by name
 * (`--host 0.0.0.0`). 64 MiB let people try their own files, yet a stranger cannot fill the memory with one message.
 */
export const ECHO_DEFAULTS: EchoOptions = { host: '127.0.0.1', port: 8080, maxMessageBytes: 64 * 1024 * 1024 };

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  host: { type: 'string' },
  port: { type: 'string' },
  'max-message-bytes': { type: 'string' },
} as const;

type OptionName = keyof typeof OPTIONS;

const OPTIONS_OF: Readonly<Record<HelpTopic, readonly OptionName[]>> = {
  wspipe: ['help', 'version'],
  echo: ['host', 'port', 'max-message-bytes', 'help', 'version'],
};

/** A mistake of the caller, on its way up to {@link parseArguments}. */
class Misuse extends Error {}

/** The words of a command line, cut up by `parseArgs` and not yet judged. */
type Tokens = ReturnType<typeof cutUp>;
type OptionToken = Extract<Tokens[number], { kind: 'option' }>;

/**
 * Parses what follows the name of the command: `process.argv.slice(2)`.
 *
 * `--help` wins over everything, mistakes included, for who asks for help may not know how to ask.
 */
export function parseArguments(args: readonly string[]): Command {
  const tokens = cutUp(args);
  const names = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const given = tokens.filter((token) => token.kind === 'option');
  const topic: HelpTopic = (names[0] === 'help' ? names[1] : names[0]) === 'echo' ? 'echo' : 'wspipe';
  if (given.some(({ name }) => name === 'help')) return { kind: 'help', topic };
  try {
    const values = readOptions(given, topic);
    if (values.has('version')) return { kind: 'version' };
    return topic === 'echo' ? parseEcho(names, values) : parseBare(names);
  } catch (error) {
    if (error instanceof Misuse) return { kind: 'misuse', topic, message: error.message };
    throw error;
  }
}

/** Not strict, because the judgement below speaks to people. */
function cutUp(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/** Where an option is given twice, the later one holds: so an alias or a script can be overruled. */
function readOptions(given: readonly OptionToken[], topic: HelpTopic): ReadonlyMap<string, string> {
  return new Map(given.map((token) => [token.name, readOption(token, topic)]));
}

function readOption({ name, rawName, value, inlineValue }: OptionToken, topic: HelpTopic): string {
  if (!isOneOf(OPTIONS_OF[topic], name)) throw new Misuse(explainStranger(name, rawName, topic));
  if (OPTIONS[name].type === 'boolean') {
    if (value !== undefined) throw new Misuse(`${rawName} takes no value.`);
    return '';
  }
  if (value === undefined || value === '') throw new Misuse(`${rawName} needs a value.`);
  // `--port --host x` is a port that was forgotten, not a port named `--host`.
  if (!inlineValue && /^--?[a-z]/i.test(value))
    throw new Misuse(`${rawName} needs a value, and ${value} is an option.`);
  return value;
}

function isOneOf(names: readonly OptionName[], name: string): name is OptionName {
  return (names as readonly string[]).includes(name);
}

function explainStranger(name: string, rawName: string, topic: HelpTopic): string {
  if (isOneOf(OPTIONS_OF.echo, name)) return `${rawName} belongs to a command: wspipe echo ${rawName}`;
  const command = topic === 'echo' ? 'wspipe echo' : 'wspipe';
  return `${rawName} is not an option of ${command}.${suggest(name, OPTIONS_OF[topic], '--')}`;
}

function parseBare([name, second]: readonly string[]): Command {
  if (name === undefined) throw new Misuse('Which command?');
  if (name === 'help' && second === undefined) return { kind: 'help', topic: 'wspipe' };
  const stranger = (name === 'help' && second) || name;
  throw new Misuse(`${stranger} is not a command of wspipe.${suggest(stranger, ['echo', 'help'], '')}`);
}

function parseEcho([name, second]: readonly string[], values: ReadonlyMap<string, string>): Command {
  if (name === 'help') return { kind: 'help', topic: 'echo' };
  if (second !== undefined) {
    throw new Misuse(`wspipe echo takes options only, and ${second} is none.${suggest(second, OPTIONS_OF.echo, '--')}`);
  }
  const { host, port, maxMessageBytes } = ECHO_DEFAULTS;
  const options = {
    host: values.get('host') ?? host,
    port: readNumber('--port', values.get('port'), {
      fallback: port,
      min: 0,
      max: 65_535,
      remark: ' (0: any free port)',
    }),
    maxMessageBytes: readNumber('--max-message-bytes', values.get('max-message-bytes'), {
      fallback: maxMessageBytes,
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      remark: '',
    }),
  };
  return { kind: 'echo', options };
}

interface NumberRule {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  readonly remark: string;
}

/** Decimal digits only: `Number` alone would take '', '0x50', '8e3' and ' 80 ' too. */
function readNumber(name: string, text: string | undefined, { fallback, min, max, remark }: NumberRule): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new Misuse(`${name} takes a whole number from ${min} to ${max}${remark}, not ${text}.`);
}

/** Names what was probably meant: the word that begins like this one, or is one slip of the finger away. */
function suggest(word: string, known: readonly string[], prefix: string): string {
  const near = known.find((name) => isNear(word, name));
  return near === undefined ? '' : ` Did you mean ${prefix}${near}?`;
}

function isNear(word: string, name: string): boolean {
  if (name.startsWith(word)) return true;
  const [long, brief] = word.length >= name.length ? [word, name] : [name, word];
  if (brief.length < 3 || long.length - brief.length > 1) return false;
  let start = 0;
  while (start < brief.length && long[start] === brief[start]) start++;
  const rest = long.slice(start + 1);
  // One letter too many or too few, one letter wrong, or two letters that changed places.
  if (rest === brief.slice(start) || rest === brief.slice(start + 1)) return true;
  return (
    long[start] === brief[start + 1] &&
    long[start + 1] === brief[start] &&
    long.slice(start + 2) === brief.slice(start + 2)
  );
}
