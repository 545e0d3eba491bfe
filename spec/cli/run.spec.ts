import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { run } from '../../lib/cli/run.ts';
import { FakeTerminal } from '../support/fake-terminal.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

describe('run', () => {
  it.each([
    [['--help'], 'Commands\n  connect'],
    [['help'], 'Commands\n  connect'],
    [['echo', '--help'], '--max-message-bytes <n>'],
    [['--version'], `${version}\n`],
  ])('prints what %j asks for, and exits with 0', async (args, text) => {
    const terminal = new FakeTerminal();
    expect(await run(args, terminal)).toBe(0);
    expect(terminal.stdout.text).toContain(text);
    expect(terminal.stderr.text).toBe('');
  });

  it.each([
    [['server'], 'wspipe: server is not a command of wspipe. Did you mean serve?\nHelp: wspipe --help\n'],
    [['echo', '--port', 'x'], /^wspipe: --port takes .*, not x\.\nHelp: wspipe echo --help\n$/],
    [[], /^wspipe, streams-first[\s\S]*Commands\n {2}connect/],
  ])('explains %j on stderr, and exits with 2', async (args, text) => {
    const terminal = new FakeTerminal();
    expect(await run(args, terminal)).toBe(2);
    expect(terminal.stderr.text).toMatch(text);
    expect(terminal.stdout.text).toBe('');
  });

  it('sets off the headings on a terminal with colours', async () => {
    const terminal = new FakeTerminal();
    Object.assign(terminal.stdout, { isTTY: true, hasColors: () => true });
    await run(['--help'], terminal);
    expect(terminal.stdout.text).toContain('\x1b[1mUsage\x1b[22m\n');
  });

  it('runs the command that is asked for', async () => {
    const terminal = new FakeTerminal();
    terminal.stdin.end();
    expect(await run(['connect', 'ws://127.0.0.1:1/'], terminal)).toBe(1);
    expect(terminal.stderr.text).toBe(
      'wspipe: no connection to ws://127.0.0.1:1/: nobody listens there (ECONNREFUSED)\n',
    );
  });

  it.each([
    [['serve', '--port', '0', '--', 'cat'], /ws:\/\/127\.0\.0\.1:\d+\/\neach connection runs cat\n/],
    [['proxy', '--listen', 'tcp://0', '--to', 'ws://[::1]/'], /tcp:\/\/127\.0\.0\.1:\d+\nleads to ws:\/\/\[::1\]\//],
  ])('runs %j until a signal', async (args, text) => {
    const terminal = new FakeTerminal();
    const exitCode = run(args, terminal);
    await terminal.stdout.find(text);
    terminal.emit('SIGINT');
    expect(await exitCode).toBe(0);
    expect(terminal.signalListenerCount).toBe(0);
  });

  it('runs the echo server until a signal', async () => {
    const terminal = new FakeTerminal();
    const exitCode = run(['echo', '--port', '0'], terminal);
    await terminal.stdout.find(/ws:\/\/127\.0\.0\.1:\d+\//);
    expect(terminal.stdout.text).toContain(`wspipe ${version}`);
    terminal.emit('SIGTERM');
    expect(await exitCode).toBe(0);
  });
});
