import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Command, type HelpTopic, parseArguments } from '../../lib/cli/arguments.ts';
import { ECHO_DEFAULTS } from '../../lib/cli/echo/echo-arguments.ts';

const parse = (line: string): Command => parseArguments(line.split(' ').filter((word) => word !== ''));
const echo = (options: Partial<typeof ECHO_DEFAULTS> = {}): Command => ({
  kind: 'echo',
  options: { ...ECHO_DEFAULTS, ...options },
});

describe('parseArguments', () => {
  it.each<[string, Command]>([
    ['echo', echo()],
    ['echo --port 3000', echo({ port: 3000 })],
    ['--port 3000 echo', echo({ port: 3000 })],
    ['echo --port 1 --port 2', echo({ port: 2 })],
  ])('reads %s', (line, command) => {
    expect(parse(line)).toEqual(command);
  });

  it.each([
    ['connect ws://localhost/', { kind: 'connect', options: { dial: { url: 'ws://localhost/' } } }],
    ['serve -- cat -n', { kind: 'serve', options: { command: 'cat', args: ['-n'] } }],
    ['serve --port 1 cat', { kind: 'serve', options: { command: 'cat', args: [], port: 1 } }],
    ['serve -- help', { kind: 'serve', options: { command: 'help' } }],
    ['serve -- x --help', { kind: 'serve', options: { command: 'x', args: ['--help'] } }],
    ['proxy --listen 1 --to tcp://a:2', { kind: 'proxy', options: { listen: { port: 1 } } }],
  ])('reads %s', (line, command) => {
    expect(parse(line)).toMatchObject(command);
  });

  it.each<[string, HelpTopic]>([
    ['--help', 'wspipe'],
    ['-h', 'wspipe'],
    ['help', 'wspipe'],
    ['echo --help', 'echo'],
    ['--help echo', 'echo'],
    ['echo -h', 'echo'],
    ['help echo', 'echo'],
    ['echo help', 'echo'],
    ['help connect', 'connect'],
    ['connect -h', 'connect'],
    ['serve --help', 'serve'],
    ['help proxy', 'proxy'],
    ['echo --port abc --nonsense --help', 'echo'],
  ])('gives help for %s', (line, topic) => {
    expect(parse(line)).toEqual({ kind: 'help', topic });
  });

  it.each(['--version', '-v', 'echo --version', 'connect -v'])('gives the version for %s', (line) => {
    expect(parse(line)).toEqual({ kind: 'version' });
  });

  it.each<[string, string]>([
    ['', 'Which command?'],
    ['prxoy', 'prxoy is not a command of wspipe. Did you mean proxy?'],
    ['ehco', 'ehco is not a command of wspipe. Did you mean echo?'],
    ['con', 'con is not a command of wspipe. Did you mean connect?'],
    ['nonsense', 'nonsense is not a command of wspipe.'],
    ['help nonsense', 'nonsense is not a command of wspipe.'],
    ['ws://localhost/', 'ws://localhost/ is not a command of wspipe. wspipe connect ws://localhost/'],
    ['--nonsense', '--nonsense is not an option of wspipe.'],
    ['--listen 3000', '--listen belongs to a command: wspipe proxy --listen'],
    ['echo --listen 3000', '--listen is not an option of wspipe echo, but of wspipe proxy.'],
    ['echo --prot 3000', '--prot is not an option of wspipe echo. Did you mean --port?'],
    ['echo -p 3000', '-p is not an option of wspipe echo. Did you mean --port?'],
    ['echo --constructor', '--constructor is not an option of wspipe echo.'],
    ['connect --jsn ws://x/', '--jsn is not an option of wspipe connect. Did you mean --json?'],
    ['serve --origin x -- cat', '--origin is not an option of wspipe serve. Did you mean --allow-origin?'],
    ['serve -F -- tail x', '-F is not an option of wspipe serve. What belongs to the command stands behind --'],
    ['serve tail -F x', 'Is -F for tail? Then write wspipe serve -- tail -F. What is for wspipe stands before --'],
    ['serve sed -n p', 'Is -n for sed? Then write wspipe serve -- sed -n. What is for wspipe stands before --'],
    [
      'serve cat --port 1',
      'Is --port for cat? Then write wspipe serve -- cat --port. What is for wspipe stands before --',
    ],
    ['connect -n ws://x/', '--count takes a whole number from 1 to 9007199254740991, not ws://x/.'],
  ])('explains what is wrong with "%s"', (line, message) => {
    expect(parse(line)).toMatchObject({ kind: 'misuse', message });
  });

  it.each<[string, HelpTopic]>([
    ['nonsense', 'wspipe'],
    ['echo --nonsense', 'echo'],
    ['connect', 'connect'],
  ])('tells which help belongs to the mistake in %s', (line, topic) => {
    expect(parse(line)).toMatchObject({ kind: 'misuse', topic });
  });

  it('gives a command for any words, and never throws', () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom('echo', 'connect', 'serve', 'proxy', 'help', 'ws://x/', 'tcp://a:1', '1'),
      fc.constantFrom(
        '--port',
        '--host',
        '-h',
        '-v',
        '--',
        '-',
        '--port=1',
        '--listen',
        '--to',
        '-H',
        'A: b',
        '--wait',
      ),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        const kinds = ['help', 'version', 'connect', 'echo', 'serve', 'proxy', 'misuse'];
        expect(kinds).toContain(parseArguments(words).kind);
      }),
    );
  });
});
