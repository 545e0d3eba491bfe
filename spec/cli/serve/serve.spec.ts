import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runServeCommand } from '../../../lib/cli/serve/serve.ts';
import { parseServe, SERVE_OPTIONS } from '../../../lib/cli/serve/serve-arguments.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { wordsOf } from '../../support/command-words.ts';
import { FakeTerminal } from '../../support/fake-terminal.ts';

interface Running {
  readonly terminal: FakeTerminal;
  readonly url: string;
  readonly exitCode: Promise<number>;
}

async function start(line: string): Promise<Running> {
  const terminal = new FakeTerminal(process.env);
  const exitCode = runServeCommand(parseServe(wordsOf(`--port 0 ${line}`, SERVE_OPTIONS)), terminal);
  const [url] = await terminal.stdout.find(/ws:\/\/\S+/);
  return { terminal, url, exitCode };
}

describe('wspipe serve', () => {
  it('gives each connection a process of its own, which knows where it comes from', async () => {
    const { terminal, url, exitCode } = await start('-- sh -c \'echo "$REQUEST_URI from $REMOTE_ADDR"; cat\'');
    const [one, two] = await Promise.all([connect(`${url}one`), connect(`${url}two?x`)]);
    expect((await one.recvFrame())?.payloadText()).toBe('/one from 127.0.0.1');
    expect((await two.recvFrame())?.payloadText()).toBe('/two?x from 127.0.0.1');
    await two.sendText('back');
    expect((await two.recvFrame())?.payloadText()).toBe('back');
    terminal.emit('SIGTERM');
    expect([await one.recvFrame(), await two.recvFrame()]).toEqual([null, null]);
    expect(await one.closeInfo).toMatchObject({ code: 1001, wasClean: true });
    expect(await exitCode).toBe(0);
    expect([terminal.signalListenerCount, terminal.stderr.text]).toEqual([0, '']);
  });

  it('answers 503 when there are enough processes, those that are about to end included', async () => {
    const { terminal, url, exitCode } = await start(
      '--max-processes 1 --grace 1m -- sh -c \'trap "" TERM; echo on; exec sleep 1000\'',
    );
    const first = await connect(url);
    await first.recvFrame();
    await expect(connect(url)).rejects.toMatchObject({ status: 503 });
    first.forceClose();
    await expect(connect(url)).rejects.toMatchObject({ status: 503 });
    terminal.emit('SIGINT');
    await expect.poll(() => terminal.signalListenerCount).toBe(2);
    terminal.emit('SIGINT');
    expect(await exitCode).toBe(130);
  });

  it('does not start without its command', async () => {
    const terminal = new FakeTerminal(process.env);
    const options = parseServe(wordsOf('--port 0 -- /no/such/command', SERVE_OPTIONS));
    expect(await runServeCommand(options, terminal)).toBe(1);
    expect(terminal.stderr.text).toBe('wspipe: /no/such/command: there is no such file.\n');
    expect(terminal.stdout.text).toBe('');
  });

  it('says what went wrong with a process', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wspipe-serve-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const script = join(folder, 'script');
    await writeFile(script, '#!/no/such/interpreter\n', { mode: 0o755 });
    const { terminal, url, exitCode } = await start(`-- ${script}`);
    const conn = await connect(url);
    expect(await conn.recvFrame()).toBeNull();
    await terminal.stderr.find(/wspipe: \S+script: spawn \S+script ENOENT\n/);
    terminal.emit('SIGINT');
    expect(await exitCode).toBe(0);
  });

  it('answers foreign pages with 403', async () => {
    const { terminal, url, exitCode } = await start('-- cat');
    await expect(connect(url, { origin: 'https://evil.example' })).rejects.toMatchObject({ status: 403 });
    terminal.emit('SIGINT');
    await exitCode;
  });

  it('exits with 1 where the port is taken', async () => {
    const { terminal, url, exitCode } = await start('-- cat');
    const { port } = new URL(url);
    const second = new FakeTerminal();
    expect(await runServeCommand(parseServe(wordsOf(`--port ${port} -- cat`, SERVE_OPTIONS)), second)).toBe(1);
    expect(second.stderr.text).toContain(`port ${port} of 127.0.0.1 is taken`);
    expect(second.stderr.text).toContain('Try another one: wspipe serve --port');
    terminal.emit('SIGINT');
    await exitCode;
  });
});
