/** Spawns the built command, as a shell does: `npm test` builds it first. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../lib/endpoint/connect.ts';
import { FakeOutput } from '../support/fake-terminal.ts';
import { rawClient } from '../support/sockets.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

interface Child {
  readonly stdout: FakeOutput;
  readonly stderr: FakeOutput;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  kill(signal: 'SIGINT' | 'SIGTERM'): void;
}

function collect(stream: ChildProcess['stdout']): FakeOutput {
  const output = new FakeOutput();
  stream?.setEncoding('utf8').on('data', (text: string) => output.write(text));
  return output;
}

function start(...args: string[]): Child {
  if (!existsSync(MAIN)) throw new Error('there is no dist/: run `npm run build` first');
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { stdout: collect(child.stdout), stderr: collect(child.stderr), ended, kill: (signal) => child.kill(signal) };
}

async function startEcho(): Promise<Child & { url: string; port: number }> {
  const child = start('echo', '--port', '0');
  const early = child.ended.then(() => Promise.reject(new Error(`it ended early: ${child.stderr.text}`)));
  const [url, port] = await Promise.race([child.stdout.find(/ws:\/\/127\.0\.0\.1:(\d+)\//), early]);
  early.catch(() => {});
  return { ...child, url, port: Number(port) };
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
