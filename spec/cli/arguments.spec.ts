import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Command, ECHO_DEFAULTS, parseArguments } from '../../lib/cli/arguments.ts';

const parse = (line: string): Command => parseArguments(line.split(' ').filter((word) => word !== ''));
const echo = (options: Partial<typeof ECHO_DEFAULTS> = {}): Command => ({
  kind: 'echo',
  options: { ...ECHO_DEFAULTS, ...options },
});

describe('parseArguments', () => {
  it('listens on this machine alone, on port 8080, and takes 64 MiB by default', () => {
    expect(parse('echo')).toEqual(echo({ host: '127.0.0.1', port: 8080, maxMessageBytes: 67_108_864 }));
  });

  it.each<[string, Command]>([
    ['echo --port 3000', echo({ port: 3000 })],
    ['echo --port=3000', echo({ port: 3000 })],
    ['echo --port 0', echo({ port: 0 })],
    ['echo --port 65535', echo({ port: 65_535 })],
    ['--port 3000 echo', echo({ port: 3000 })],
    ['echo --port 1 --port 2', echo({ port: 2 })],
    ['echo --host 0.0.0.0', echo({ host: '0.0.0.0' })],
    ['echo --host ::', echo({ host: '::' })],
    ['echo --host=-odd', echo({ host: '-odd' })],
    ['echo --max-message-bytes 1', echo({ maxMessageBytes: 1 })],
    [
      'echo --host ::1 --port 81 --max-message-bytes 1048576',
      echo({ host: '::1', port: 81, maxMessageBytes: 1_048_576 }),
    ],
  ])('reads %s', (line, command) => {
    expect(parse(line)).toEqual(command);
  });

  it.each<[string, 'wspipe' | 'echo']>([
    ['--help', 'wspipe'],
    ['-h', 'wspipe'],
    ['help', 'wspipe'],
    ['echo --help', 'echo'],
    ['--help echo', 'echo'],
    ['echo -h', 'echo'],
    ['help echo', 'echo'],
    ['echo --port abc --nonsense --help', 'echo'],
  ])('gives help for %s', (line, topic) => {
    expect(parse(line)).toEqual({ kind: 'help', topic });
  });

  it.each(['--version', '-v', 'echo --version'])('gives the version for %s', (line) => {
    expect(parse(line)).toEqual({ kind: 'version' });
  });

  it.each<[string, string]>([
    ['', 'Which command?'],
    ['serve', 'serve is not a command of wspipe.'],
    ['ehco', 'ehco is not a command of wspipe. Did you mean echo?'],
    ['ech', 'ech is not a command of wspipe. Did you mean echo?'],
    ['echoo', 'echoo is not a command of wspipe. Did you mean echo?'],
    ['exho', 'exho is not a command of wspipe. Did you mean echo?'],
    ['help serve', 'serve is not a command of wspipe.'],
    ['--nonsense', '--nonsense is not an option of wspipe.'],
    ['--port 3000', '--port belongs to a command: wspipe echo --port'],
    ['echo --prot 3000', '--prot is not an option of wspipe echo. Did you mean --port?'],
    ['echo -p 3000', '-p is not an option of wspipe echo. Did you mean --port?'],
    ['echo --max 5', '--max is not an option of wspipe echo. Did you mean --max-message-bytes?'],
    ['echo --constructor', '--constructor is not an option of wspipe echo.'],
    ['echo 3000', 'wspipe echo takes options only, and 3000 is none.'],
    ['echo prot', 'wspipe echo takes options only, and prot is none. Did you mean --port?'],
    ['echo --port', '--port needs a value.'],
    ['echo --port=', '--port needs a value.'],
    ['echo --port --host x', '--port needs a value, and --host is an option.'],
    ['echo --host -h1', '--host needs a value, and -h1 is an option.'],
    ['echo --version=1', '--version takes no value.'],
    ...['65536', '-1', '80.5', '0x50', '8e3', 'http', '1'.repeat(17)].map((port): [string, string] => [
      `echo --port ${port}`,
      `--port takes a whole number from 0 to 65535 (0: any free port), not ${port}.`,
    ]),
    ['echo --max-message-bytes 0', '--max-message-bytes takes a whole number from 1 to 9007199254740991, not 0.'],
  ])('explains what is wrong with "%s"', (line, message) => {
    expect(parse(line)).toMatchObject({ kind: 'misuse', message });
  });

  it('tells which help belongs to a mistake', () => {
    expect(parse('serve')).toMatchObject({ kind: 'misuse', topic: 'wspipe' });
    expect(parse('echo --nonsense')).toMatchObject({ kind: 'misuse', topic: 'echo' });
  });

  it('gives a command for any words, and never throws', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('echo', 'help', '--port', '--host', '-h', '-v', '--', '-', '--port=1', '--max-message-bytes'),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        expect(['help', 'version', 'echo', 'misuse']).toContain(parseArguments(words).kind);
      }),
    );
  });
});
