import { describe, expect, it } from 'vitest';
import { cutUp, type OptionTable, type OptionToken, readOptions } from '../../lib/cli/command-line.ts';
import { Misuse } from '../../lib/cli/values.ts';

const table: OptionTable = { flag: { type: 'boolean', short: 'f' }, text: { type: 'string', short: 't' } };

function read(line: string, explain: (name: string) => string | undefined = () => undefined) {
  const given = cutUp(line.split(' '), { ...table, other: { type: 'string' } });
  return readOptions(
    given.filter((token): token is OptionToken => token.kind === 'option'),
    table,
    'wspipe x',
    explain,
  );
}

describe('readOptions', () => {
  it('reads options in full, by their letters, glued, and in groups', () => {
    const values = read('--flag --text=a -t b -ft c --text -');
    expect([values.has('flag'), values.list('text')]).toEqual([true, ['a', 'b', 'c', '-']]);
  });

  it('reads what looks like an option as a value where that is said by =', () => {
    expect(read('--text=--flag').text('text')).toBe('--flag');
  });

  it.each([
    ['--text', '--text needs a value.'],
    ['--text=', '--text needs a value.'],
    ['-t', '-t needs a value.'],
    ['--text --flag', '--text needs a value, and --flag is an option.'],
    ['--flag=1', '--flag takes no value.'],
    ['--txt', '--txt is not an option of wspipe x. Did you mean --text?'],
    ['--other 1', '--other is not an option of wspipe x.'],
    ['--__proto__', '--__proto__ is not an option of wspipe x.'],
  ])('explains what is wrong with %s', (line, message) => {
    expect(() => read(line)).toThrow(new Misuse(message));
  });

  it('says what is said of a stranger, unless a word is near', () => {
    const explain = (name: string): string => `${name} belongs elsewhere.`;
    expect(() => read('--other 1', explain)).toThrow('other belongs elsewhere.');
    expect(() => read('--flga', explain)).toThrow('Did you mean --flag?');
  });
});

describe('cutUp', () => {
  it('takes everything behind -- as it is', () => {
    const kinds = cutUp(['a', '--', '--flag', '-x'], table).map((token) =>
      token.kind === 'positional' ? token.value : token.kind,
    );
    expect(kinds).toEqual(['a', 'option-terminator', '--flag', '-x']);
  });
});
