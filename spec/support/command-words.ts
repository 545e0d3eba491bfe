/** Reads a command line of a spec up to what its command is given. */
import { cutUp, type OptionTable, type OptionToken, readOptions, type Words } from '../../lib/cli/command-line.ts';
import { splitWords } from './shell-words.ts';

/** Cuts up what stands behind the name of a command that has these options. */
export function wordsOf(line: string, options: OptionTable): Words {
  const tokens = cutUp(splitWords(line), options);
  const given = tokens.filter((token): token is OptionToken => token.kind === 'option');
  const operands = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  return { operands, values: readOptions(given, options, 'wspipe', () => undefined) };
}
