import { describe, expect, it } from 'vitest';
import {
  ECHO_DEFAULTS,
  ECHO_HELP,
  ECHO_OPTIONS,
  type EchoOptions,
  parseEcho,
} from '../../../lib/cli/echo/echo-arguments.ts';
import { wordsOf } from '../../support/command-words.ts';

const parse = (line: string): EchoOptions => parseEcho(wordsOf(line, ECHO_OPTIONS));

describe('parseEcho', () => {
  it('listens on this machine alone, on port 8080, and takes 64 MiB by default', () => {
    expect(parse('')).toEqual({ host: '127.0.0.1', port: 8080, maxMessageBytes: 67_108_864 });
    expect(ECHO_HELP).toContain('Default 67108864 (64 MiB)');
  });

  it.each<[string, Partial<EchoOptions>]>([
    ['--port=3000', { port: 3000 }],
    ['--port 0', { port: 0 }],
    ['--port 65535', { port: 65_535 }],
    ['--host 0.0.0.0', { host: '0.0.0.0' }],
    ['--host ::', { host: '::' }],
    ['--host=-odd', { host: '-odd' }],
    ['--max-message-bytes 1', { maxMessageBytes: 1 }],
    ['--host ::1 --port 81 --max-message-bytes 1048576', { host: '::1', port: 81, maxMessageBytes: 1_048_576 }],
  ])('reads %s', (line, options) => {
    expect(parse(line)).toEqual({ ...ECHO_DEFAULTS, ...options });
  });

  it.each<[string, string]>([
    ['3000', 'wspipe echo takes options only, and 3000 is none.'],
    ['prot', 'wspipe echo takes options only, and prot is none. Did you mean --port?'],
    ...['65536', '-1', '80.5', '0x50', '8e3', 'http', '1'.repeat(17)].map((port): [string, string] => [
      `--port ${port}`,
      `--port takes a whole number from 0 to 65535 (0: any free port), not ${port}.`,
    ]),
    ['--max-message-bytes 0', '--max-message-bytes takes a whole number from 1 to 9007199254740991, not 0.'],
  ])('explains what is wrong with "%s"', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });
});
