import { describe, expect, it } from 'vitest';
import { parseServe, SERVE_OPTIONS, type ServeOptions } from '../../../lib/cli/serve/serve-arguments.ts';
import { wordsOf } from '../../support/command-words.ts';

const parse = (line: string): ServeOptions => parseServe(wordsOf(line, SERVE_OPTIONS));

describe('parseServe', () => {
  it('listens on this machine alone, and starts 32 processes at most by default', () => {
    expect(parse('-- cat -n file')).toEqual({
      host: '127.0.0.1',
      port: 8080,
      command: 'cat',
      args: ['-n', 'file'],
      isBinary: false,
      allowedOrigins: undefined,
      maxProcesses: 32,
      graceMs: 5000,
      maxLineBytes: 16_777_216,
    });
  });

  it('reads the rest', () => {
    const line =
      "--host :: --port 0 -b --allow-origin https://a.example --max-processes 3 --grace 200ms --max-line-bytes 9 -- sh -c 'a b'";
    expect(parse(line)).toEqual({
      host: '::',
      port: 0,
      command: 'sh',
      args: ['-c', 'a b'],
      isBinary: true,
      allowedOrigins: ['https://a.example'],
      maxProcesses: 3,
      graceMs: 200,
      maxLineBytes: 9,
    });
  });

  it.each([
    ['', 'Which command? wspipe serve -- COMMAND ARGS'],
    ['--max-processes 0 -- cat', '--max-processes takes a whole number from 1'],
    ['--grace 0 -- cat', '--grace takes a time'],
    ['--allow-origin a -- cat', '--allow-origin: "a" is not an origin'],
  ])('explains what is wrong with "%s"', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });
});
