import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { CONNECT_OPTIONS, parseConnect } from '../../../lib/cli/connect/connect-arguments.ts';
import { Filter } from '../../../lib/cli/connect/filter.ts';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { wordsOf } from '../../support/command-words.ts';
import { FakeTerminal } from '../../support/fake-terminal.ts';

interface Scene {
  readonly terminal: FakeTerminal;
  readonly server: WsConnection;
  readonly filter: Filter;
  readonly exitCode: Promise<number>;
}

function begin(line: string, prepare: (terminal: FakeTerminal) => void = () => {}): Scene {
  const command = parseConnect(wordsOf(`ws://localhost/ ${line}`, CONNECT_OPTIONS));
  const { isJson } = command;
  const { client, server } = createPair({ client: { controlFrames: isJson, autoPong: !isJson } });
  const terminal = new FakeTerminal();
  prepare(terminal);
  const filter = new Filter(client, command, terminal);
  return { terminal, server, filter, exitCode: filter.run() };
}

async function echo(server: WsConnection): Promise<void> {
  for await (const frame of server) await server.sendFrame(frame);
}

describe('Filter', () => {
  it.each(['--wait 1ms', '--wait 0', '--json --wait 1ms'])(
    'sends the input, prints the answers, and closes with 1000 (%s)',
    async (line) => {
      const { terminal, server, exitCode } = begin(line);
      void echo(server);
      terminal.stdin.end('one\ntwo\n');
      expect(await exitCode).toBe(0);
      expect(await server.closeInfo).toMatchObject({ code: 1000, wasClean: true });
      if (!line.includes('json')) expect(terminal.stdout.text).toBe('one\ntwo\n');
      else expect(terminal.stdout.text.match(/"text":"(one|two)"/g)).toHaveLength(4);
      expect(terminal.stderr.text).toBe('');
    },
  );

  it('leaves the end to the server with --wait forever', async () => {
    const { terminal, server, exitCode } = begin('--wait forever');
    terminal.stdin.end('one\n');
    expect((await server.recvFrame())?.payloadText()).toBe('one');
    await server.sendText('late');
    await terminal.stdout.find(/late\n/);
    await server.close();
    expect(await exitCode).toBe(0);
  });

  it('ends the input when the connection ends', async () => {
    const { terminal, server, exitCode } = begin('');
    await server.close();
    expect(await exitCode).toBe(0);
    expect([terminal.stdin.destroyed, terminal.stderr.text]).toEqual([true, '']);
  });

  it.each([
    [1011, 'broken\x1b', 'wspipe: the server closed the connection with 1011 (internal error): broken\\x1b\n'],
    [1001, '', 'wspipe: the server closed the connection with 1001 (going away)\n'],
  ])('says so, and exits with 3, where the server closes with %i', async (code, reason, text) => {
    const { terminal, server, exitCode } = begin('');
    await server.close(code, reason);
    expect([await exitCode, terminal.stderr.text]).toEqual([3, text]);
  });

  it('exits with 3 where the connection is cut, without a word with --quiet', async () => {
    const { terminal, server, exitCode } = begin('--quiet');
    server.forceClose();
    expect([await exitCode, terminal.stderr.text]).toEqual([3, '']);
  });

  it('exits with 3 where the server is gone before all of the input was sent', async () => {
    const { terminal, server, exitCode } = begin('--binary');
    const chunks = function* (): Generator<Uint8Array> {
      for (let chunk = 0; chunk < 64; chunk++) yield new Uint8Array(65_536);
    };
    Readable.from(chunks()).pipe(terminal.stdin);
    await server.recvFrame();
    void server.close(1000);
    // What the closing handshake lets go of is not read any more.
    for await (const _frame of server);
    expect(await exitCode).toBe(3);
    expect(terminal.stderr.text).toContain('wspipe: not all of the input was sent\n');
  });

  it('ends when --count messages have come, and not before', async () => {
    const { terminal, server, exitCode } = begin('--count 2');
    terminal.stdin.end();
    await server.sendText('one');
    await terminal.stdout.find(/one/);
    await server.sendText('two');
    void server.sendText('three');
    expect([await exitCode, terminal.stdout.text]).toEqual([0, 'one\ntwo\n']);
  });

  it('exits with 4 where --wait is over before --count is reached, with 3 where the server closes before', async () => {
    const waiting = begin('--count 2 --wait 1ms');
    waiting.terminal.stdin.end();
    const answering = waiting.server.recvFrame();
    expect([await waiting.exitCode, waiting.terminal.stderr.text]).toEqual([4, 'wspipe: fewer than 2 messages came\n']);
    await answering;
    const closed = begin('--count 2');
    await closed.server.close();
    expect([await closed.exitCode, closed.terminal.stderr.text]).toEqual([3, 'wspipe: fewer than 2 messages came\n']);
  });

  it('goes quietly where the output is a pipe that nobody reads any more', async () => {
    const { terminal, server, exitCode } = begin('');
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    terminal.stdout.destroy(gone);
    await server.sendText('one');
    expect([await exitCode, terminal.stderr.text]).toEqual([0, '']);
    expect(await server.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });

  it('exits with 1 where the output cannot be written', async () => {
    const { terminal, server, exitCode } = begin('');
    terminal.stdout.destroy(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    await server.sendText('one');
    expect([await exitCode, terminal.stderr.text]).toEqual([
      1,
      'wspipe: the output cannot be written: no space left\n',
    ]);
  });

  it.each([
    ['', Buffer.of(0xff), 'line 1 is not UTF-8; --binary sends bytes as they are'],
    ['--max-line-bytes 2', 'abc\n', 'line 1 is longer than 2 bytes; --max-line-bytes allows more'],
  ])('exits with 1 where the input cannot be sent (%s)', async (line, input, why) => {
    const { terminal, server, exitCode } = begin(line);
    terminal.stdin.end(input);
    expect(await server.recvFrame()).toBeNull();
    expect([await exitCode, terminal.stderr.text]).toEqual([1, `wspipe: the input cannot be sent: ${why}\n`]);
    expect(await server.closeInfo).toMatchObject({ code: 1011 });
  });

  it('exits with 1 where the input fails', async () => {
    const { terminal, server, exitCode } = begin('');
    terminal.stdin.destroy(new Error('EISDIR: a folder'));
    expect(await server.recvFrame()).toBeNull();
    expect([await exitCode, terminal.stderr.text]).toEqual([1, 'wspipe: the input cannot be sent: EISDIR: a folder\n']);
  });

  it('closes as it is told to, and counts nothing that is left undone as a failure', async () => {
    const { terminal, server, filter, exitCode } = begin('--count 5 --json');
    const reading = server.recvFrame();
    await filter.interrupt(1001);
    await reading;
    expect([await exitCode, terminal.stderr.text]).toEqual([0, '']);
    expect(await server.closeInfo).toMatchObject({ code: 1001, wasClean: true });
    expect(terminal.stdout.text).toContain('"direction":"out","opcode":"close","length":2,"code":1001');
  });

  it('shows progress on a terminal, and takes it away in the end', async () => {
    const { terminal, server, exitCode } = begin('--binary --wait forever', ({ stderr }) => {
      stderr.isTTY = true;
    });
    void echo(server);
    terminal.stdin.end(new Uint8Array(2048));
    await terminal.stderr.find(/sent 2\.00 KiB, received 2\.00 KiB/);
    await server.close();
    expect(await exitCode).toBe(0);
    expect(terminal.stderr.text.endsWith('\r\x1b[K')).toBe(true);
  });
});
