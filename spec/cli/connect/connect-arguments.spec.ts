import { describe, expect, it } from 'vitest';
import {
  CONNECT_HELP,
  CONNECT_OPTIONS,
  type ConnectCommand,
  parseConnect,
} from '../../../lib/cli/connect/connect-arguments.ts';
import { EXIT_OF_SIGNAL } from '../../../lib/cli/exit-code.ts';
import { wordsOf } from '../../support/command-words.ts';

const parse = (line: string): ConnectCommand => parseConnect(wordsOf(`ws://localhost/ ${line}`, CONNECT_OPTIONS));
const forever = Number.POSITIVE_INFINITY;

describe('parseConnect', () => {
  it('sends lines, compresses them, and waits for a second of silence by default', () => {
    expect(parse('')).toEqual({
      dial: expect.objectContaining({ url: 'ws://localhost/' }),
      isBinary: false,
      isWhole: false,
      isJson: false,
      isQuiet: false,
      isCompressed: true,
      count: forever,
      timeoutMs: forever,
      waitMs: 1000,
      pingIntervalMs: undefined,
      maxLineBytes: 16_777_216,
      maxMessageBytes: 16_777_216,
    });
  });

  it.each<[string, Partial<ConnectCommand>]>([
    ['-b --whole --json -q', { isBinary: true, isWhole: true, isJson: true, isQuiet: true }],
    ['--binary', { isCompressed: false }],
    ['--binary --compress', { isCompressed: true }],
    ['--no-compress', { isCompressed: false }],
    ['-n 3', { count: 3, waitMs: forever }],
    ['-n 3 --wait 2', { count: 3, waitMs: 2000 }],
    ['--wait 0', { waitMs: 0 }],
    ['--wait forever', { waitMs: forever }],
    ['--timeout 2m --ping-interval 30', { timeoutMs: 120_000, pingIntervalMs: 30_000 }],
    ['--max-line-bytes 5 --max-message-bytes 6', { maxLineBytes: 5, maxMessageBytes: 6 }],
  ])('reads %s', (line, options) => {
    expect(parse(line)).toMatchObject(options);
  });

  it('reads the options of the handshake', () => {
    expect(parse("-H 'A: b c' -u me:secret --protocol x").dial).toMatchObject({
      headers: [
        ['A', 'b c'],
        ['Authorization', 'Basic bWU6c2VjcmV0'],
      ],
      protocols: ['x'],
    });
  });

  it.each<[string, string]>([
    ['ws://other/', 'wspipe connect takes one URL, and ws://other/ is one more.'],
    ['--compress --no-compress', '--compress and --no-compress exclude each other.'],
    ['--count 0', '--count takes a whole number from 1 to 9007199254740991, not 0.'],
    ['--timeout forever', '--timeout takes a time such as 10 (seconds)'],
    ['--max-line-bytes 2000000000', '--max-line-bytes takes a whole number from 1 to 1073741824, not 2000000000.'],
  ])('explains what is wrong with "%s"', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });

  it('asks for a URL', () => {
    expect(() => parseConnect(wordsOf('', CONNECT_OPTIONS))).toThrow('wspipe connect takes a URL');
  });

  it('tells of the exit codes', () => {
    const listed = [...CONNECT_HELP.matchAll(/^ {2}(\d+(?:, \d+)?) {2}/gm)].flatMap(([, codes]) => codes!.split(', '));
    expect(listed).toEqual(['0', '1', '2', '3', '4', ...Object.values(EXIT_OF_SIGNAL).map(String)]);
  });
});
