/** Spawns the built command, as a shell does: `npm test` builds it first. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../lib/endpoint/client/connect.ts';
import { boundServer, turns, urlOf } from '../support/endpoints.ts';
import { FakeOutput } from '../support/fake-terminal.ts';
import { rawClient } from '../support/sockets.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

interface Child {
  readonly pid: number;
  readonly stdin: Writable;
  /** What it has printed, unless it was started to be read by somebody else. */
  readonly stdout: FakeOutput;
  readonly rawStdout: Readable;
  readonly stderr: FakeOutput;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  kill(signal: 'SIGINT' | 'SIGTERM'): boolean;
}

const start = (...args: string[]): Child => startProcess(process.execPath, [MAIN, ...args]);
/** Dead buffers are freed at once, so that resident memory is live memory, more or less. */
const startUnread = (...args: string[]): Child =>
  startProcess(process.execPath, ['--no-concurrent-array-buffer-sweeping', MAIN, ...args], false);

/** Python's pty copies between its own streams and a terminal that the command has to itself. */
const startInTerminal = (...args: string[]): Child =>
  startProcess('/usr/bin/python3', [
    '-c',
    'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))',
    ...[process.execPath, MAIN, ...args],
  ]);

function startProcess(command: string, args: readonly string[], isRead = true): Child {
  if (!existsSync(MAIN)) throw new Error('there is no dist/: run `npm run build` first');
  const child = spawn(command, args, { env: { ...process.env, NO_COLOR: '1' } });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  for (const stream of [child.stdin, child.stdout]) stream.on('error', () => {});
  onTestFinished(async () => {
    child.kill('SIGKILL');
    child.stdout.destroy();
    await ended;
  });
  return {
    pid: child.pid!,
    stdin: child.stdin,
    stdout: isRead ? collect(child.stdout) : new FakeOutput(),
    rawStdout: child.stdout,
    stderr: collect(child.stderr),
    ended,
    kill: (signal) => child.kill(signal),
  };
}

function collect(stream: Readable): FakeOutput {
  const output = new FakeOutput();
  stream.on('data', (chunk: Buffer) => output.write(chunk));
  return output;
}

async function startEcho(): Promise<Child & { url: string; port: number }> {
  const child = start('echo', '--port', '0');
  const early = child.ended.then(() => Promise.reject(new Error(`it ended early: ${child.stderr.text}`)));
  const [url, port] = await Promise.race([child.stdout.find(/ws:\/\/127\.0\.0\.1:(\d+)\//), early]);
  early.catch(() => {});
  return Object.assign(child, { url, port: Number(port) });
}

describe('the command wspipe', () => {
  it('may be executed, and finds its version and its page from dist/', async () => {
    expect(readFileSync(MAIN, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const child = start('--version');
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.stdout.text).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
    const echo = await startEcho();
    const page = await fetch(echo.url.replace('ws', 'http'), { headers: { connection: 'close' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('<title>wspipe echo</title>');
  });

  it('exits with 2 for a command line that makes no sense', async () => {
    const child = start('echo', '--port', 'x');
    expect(await child.ended).toEqual({ code: 2, signal: null });
    expect([child.stdout.text, child.stderr.text.split('\n')[1]]).toEqual(['', 'Help: wspipe echo --help']);
  });

  it('writes no colours into a pipe', async () => {
    const child = start('--help');
    await child.ended;
    expect(child.stdout.text).toContain('Usage');
    expect(child.stdout.text).not.toContain('\x1b');
  });

  it('goes quietly where nobody reads what it prints', async () => {
    const child = startUnread('--help');
    child.rawStdout.destroy();
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.stderr.text).toBe('');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'echoes, and at %s closes with 1001 and exits with 0 (§7.4.1)',
    async (signal) => {
      const child = await startEcho();
      const client = await connect(child.url);
      await client.sendText('once around');
      expect((await client.recvFrame())?.payloadText()).toBe('once around');
      child.kill(signal);
      expect(await client.recvFrame()).toBeNull();
      expect(await client.closeInfo).toMatchObject({ code: 1001, wasClean: true, initiator: 'remote' });
      expect(await child.ended).toEqual({ code: 0, signal: null });
    },
  );

  it('stops at once at a second Ctrl-C, when a peer lets it wait', async () => {
    const child = await startEcho();
    await rawClient(child.port);
    child.kill('SIGINT');
    await child.stdout.find(/Ctrl-C again stops at once/);
    child.kill('SIGINT');
    expect(await child.ended).toEqual({ code: null, signal: 'SIGINT' });
  });
});

describe('wspipe connect, as a process', () => {
  async function echoUrl(): Promise<string> {
    const server = await boundServer();
    void server.runEcho();
    return urlOf(server);
  }

  it('is a filter in a pipe, and writes no colours', async () => {
    const child = start('connect', '--wait', '50ms', await echoUrl());
    child.stdin.end('one\nzwei\nτρία');
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect([child.stdout.text, child.stderr.text]).toEqual(['one\nzwei\nτρία\n', '']);
  });

  it('passes 64 MB in constant memory, also where the output is slow', async () => {
    const child = startUnread('connect', '--binary', await echoUrl());
    const readMemory = (): number =>
      Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
    const block = randomBytes(1_000_000);
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    let size = 0;
    let atFirst = 0;
    let atMost = 0;
    const reading = (async () => {
      for await (const chunk of child.rawStdout) {
        received.update(chunk);
        size += chunk.length;
        if (atFirst === 0 && size > 16_000_000) atFirst = readMemory();
        if (size < 64_000_000) atMost = readMemory();
      }
    })();
    for (let count = 0; count < 64; count++) {
      sent.update(block);
      if (!child.stdin.write(block)) await once(child.stdin, 'drain');
    }
    child.stdin.end();
    expect(await child.ended).toEqual({ code: 0, signal: null });
    await reading;
    expect([size, received.digest('hex')]).toEqual([64_000_000, sent.digest('hex')]);
    // The messages that are on their way, and what the collector has not come to; the whole is 64 MB.
    expect(atMost - atFirst).toBeLessThan(32);
  });

  it('ends quietly where nobody reads the output any more', async () => {
    const server = await boundServer();
    const accepted = server.accept();
    const child = startUnread('connect', urlOf(server));
    const conn = (await accepted)!;
    child.rawStdout.destroy();
    while ((await conn.sendText('news')) > 0) await turns(1);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.stderr.text).toBe('');
  });

  it.each([
    [['ws://127.0.0.1:1/'], 1, /nobody listens there \(ECONNREFUSED\)/],
    [['localhost'], 2, /localhost is no URL\. Did you mean ws:\/\/localhost\?\nHelp: wspipe connect --help\n$/],
  ])('exits where %j cannot be connected to with %i', async (args, code, text) => {
    const child = start('connect', ...args);
    expect(await child.ended).toEqual({ code, signal: null });
    expect(child.stderr.text).toMatch(text);
  });

  it('closes politely at Ctrl-C, though the input is still open', async () => {
    const server = await boundServer();
    const accepted = server.accept();
    const child = start('connect', urlOf(server));
    const conn = (await accepted)!;
    await conn.sendText('ready');
    await child.stdout.find(/ready/);
    child.kill('SIGINT');
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1001, wasClean: true });
    expect(await child.ended).toEqual({ code: 130, signal: null });
  });

  it('stops at once at the second Ctrl-C, where the server lets it wait', async () => {
    const server = await boundServer();
    const accepted = server.accept();
    const child = start('connect', urlOf(server));
    const conn = (await accepted)!;
    await conn.sendText('ready');
    await child.stdout.find(/ready/);
    // Not read, so not answered.
    const message = conn.createMessage('binary');
    message.write('it never ends');
    child.kill('SIGINT');
    // The first one has been heard when the second one is not caught any more.
    await expect.poll(() => [child.kill('SIGINT'), conn.state][0]).toBe(false);
    expect(await child.ended).toEqual({ code: null, signal: 'SIGINT' });
  });

  it('is a conversation on a terminal', { timeout: 20_000 }, async () => {
    const server = await boundServer();
    const accepted = server.accept();
    const child = startInTerminal('connect', urlOf(server));
    const conn = (await accepted)!;
    await child.stdout.find(/connected to/);
    child.stdin.write('half a li');
    await child.stdout.find(/half a li/);
    await conn.sendText('in between');
    await child.stdout.find(/< in between\r\n[\s\S]*> half a li/);
    child.stdin.write('ne\r');
    expect((await conn.recvFrame())?.payloadText()).toBe('half a line');
    child.stdin.write('\x03');
    expect(await conn.recvFrame()).toBeNull();
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.stdout.text).toContain('closed with 1000 (normal)');
    // NO_COLOR is set.
    expect(child.stdout.text).not.toContain('\x1b[36m');
  });
});

describe('wspipe serve and proxy, as processes', () => {
  it('serve gives a connection a process, and leaves none behind', async () => {
    const child = start('serve', '--port', '0', '--', 'sh', '-c', 'echo $$; cat');
    const [url] = await child.stdout.find(/ws:\/\/\S+/);
    const conn = await connect(url!);
    const pid = Number((await conn.recvFrame())?.payloadText());
    expect(process.kill(pid, 0)).toBe(true);
    child.kill('SIGTERM');
    expect(await conn.recvFrame()).toBeNull();
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('proxy leads from one to the other', async () => {
    const target = await boundServer();
    void target.runEcho();
    const child = start('proxy', '--listen', '0', '--to', urlOf(target));
    const [url] = await child.stdout.find(/ws:\/\/\S+/);
    const conn = await connect(url!);
    await conn.sendText('there and back');
    expect((await conn.recvFrame())?.payloadText()).toBe('there and back');
    await conn.close();
    child.kill('SIGINT');
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });
});
