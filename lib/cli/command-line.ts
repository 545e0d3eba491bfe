/**
 * The words of a command line, cut up and judged against a table of options. A mistake is a {@link Misuse} that says
 * what to do about it.
 */
import { parseArgs } from 'node:util';
import { suggest } from './near-word.ts';
import { Misuse, Values } from './values.ts';

/** What an option looks like. One name looks the same in every command that has it. */
export interface OptionSpec {
  /** Whether a value stands behind it. */
  readonly type: 'boolean' | 'string';
  /** A letter that says the same. */
  readonly short?: string;
}

/** The options of a command, by their names without dashes. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** A command line as a command reads it. */
export interface Words {
  /** What is neither an option nor the value of one, without the name of the command. */
  readonly operands: readonly string[];
  readonly values: Values;
}

/** An option as it was written. */
export interface OptionToken {
  readonly kind: 'option';
  /** Its name without dashes, in full. */
  readonly name: string;
  /** As it was written: `--port`, `-p`. */
  readonly rawName: string;
  readonly value: string | undefined;
  /** Whether the value stands behind `=`, or is glued to a letter. */
  readonly inlineValue: boolean | undefined;
}

/** A part of a command line. */
export type Token =
  | OptionToken
  | { readonly kind: 'positional'; readonly value: string }
  | { readonly kind: 'option-terminator' };

/** Cuts words up. Not strict, because the judgement of {@link readOptions} speaks to people. */
export function cutUp(args: readonly string[], options: OptionTable): readonly Token[] {
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

/**
 * Judges options against the table of a command.
 *
 * @param command its name as one types it
 * @param explainStranger says more of an option that is not in the table, where there is more to say
 * @throws Misuse
 */
export function readOptions(
  given: readonly OptionToken[],
  table: OptionTable,
  command: string,
  explainStranger: (name: string, rawName: string) => string | undefined,
): Values {
  const values = new Map<string, string[]>();
  for (const token of given) {
    const { name, rawName } = token;
    if (!Object.hasOwn(table, name)) {
      const hint = suggest(name, Object.keys(table), '--');
      const more = hint === '' ? explainStranger(name, rawName) : undefined;
      throw new Misuse(more ?? `${rawName} is not an option of ${command}.${hint}`);
    }
    values.set(name, [...(values.get(name) ?? []), readValue(token, table[name]!)]);
  }
  return new Values(values);
}

function readValue({ rawName, value, inlineValue }: OptionToken, { type }: OptionSpec): string {
  if (type === 'boolean') {
    if (value !== undefined) throw new Misuse(`${rawName} takes no value.`);
    return '';
  }
  if (value === undefined || value === '') throw new Misuse(`${rawName} needs a value.`);
  // `--port --host x` is a port that was forgotten, not a port named `--host`.
  if (!inlineValue && /^--?[a-z]/i.test(value))
    throw new Misuse(`${rawName} needs a value, and ${value} is an option.`);
  return value;
}
