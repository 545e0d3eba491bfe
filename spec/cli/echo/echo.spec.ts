import { describe, expect, it } from 'vitest';
import { runEchoCommand } from '../../../lib/cli/echo/echo.ts';
import { ECHO_DEFAULTS } from '../../../lib/cli/echo/echo-arguments.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { FakeTerminal } from '../../support/fake-terminal.ts';
import { rawClient } from '../../support/sockets.ts';

interface Running {
  readonly terminal: FakeTerminal;
  readonly port: number;
  readonly exitCode: Promise<number>;
}

async function start(options: Partial<typeof ECHO_DEFAULTS> = {}): Promise<Running> {
  const terminal = new FakeTerminal();
  const exitCode = runEchoCommand({ ...ECHO_DEFAULTS, port: 0, ...options }, terminal, '1.2.3');
  const [, port] = await terminal.stdout.find(/http:\/\/127\.0\.0\.1:(\d+)\//);
  return { terminal, port: Number(port), exitCode };
}

describe('wspipe echo', () => {
  it('says where page and echo are, how large a message may be, and how to stop', async () => {
    const { terminal, port, exitCode } = await start();
    expect(terminal.stdout.text).toBe(
      [
        'wspipe 1.2.3: the echo server runs.',
        '',
        `  page  http://127.0.0.1:${port}/`,
        `  echo  ws://127.0.0.1:${port}/`,
        '',
        'Open the page in a browser, or connect any WebSocket client: what you send comes back.',
        'Messages of up to 64 MiB. Ctrl-C closes every connection and stops.',
        '',
      ].join('\n'),
    );
    terminal.emit('SIGINT');
    expect(await exitCode).toBe(0);
    expect(terminal.stdout.text).toMatch(/\nStopping\.\nStopped\.\n$/);
  });

  it.each([
    [2048, '2 KiB'],
    [1000, '1000 bytes'],
    [1, '1 byte'],
  ])('names a limit of %i as %s', async (maxMessageBytes, name) => {
    const { terminal, exitCode } = await start({ maxMessageBytes });
    expect(terminal.stdout.text).toContain(`Messages of up to ${name}.`);
    terminal.emit('SIGINT');
    await exitCode;
  });

  it.each(['SIGINT', 'SIGTERM'])('closes with 1001 at %s, and gives the signals back (§7.4.1)', async (signal) => {
    const { terminal, port, exitCode } = await start();
    const client = await connect(`ws://127.0.0.1:${port}/`);
    terminal.emit(signal);
    expect(await exitCode).toBe(0);
    expect(await client.closeInfo).toMatchObject({ code: 1001, wasClean: true });
    expect(terminal.stdout.text).toMatch(/\nClosing 1 connection with 1001 \(going away\)\.\nStopped\.\n$/);
    expect(terminal.signalListenerCount).toBe(0);
  });

  it('takes a signal that npm hands on a second time for the same press', async () => {
    const { terminal, port, exitCode } = await start();
    const client = await connect(`ws://127.0.0.1:${port}/`);
    terminal.emit('SIGINT');
    expect(terminal.signalListenerCount).toBe(2);
    terminal.emit('SIGINT');
    expect(await exitCode).toBe(0);
    expect((await client.closeInfo).wasClean).toBe(true);
    expect(terminal.stdout.text.match(/Closing/g)).toHaveLength(1);
  });

  it('leaves the next signal to the system when a peer lets it wait', async () => {
    const { terminal, port, exitCode } = await start();
    const mute = await rawClient(port);
    terminal.emit('SIGINT');
    await terminal.stdout.find(/Waiting for 1 connection to answer\. Ctrl-C again stops at once\.\n$/);
    expect(terminal.signalListenerCount).toBe(0);
    mute.socket.destroy();
    expect(await exitCode).toBe(0);
  });

  it('exits with 1 where the port is taken, and says what to type', async () => {
    const { terminal, port, exitCode } = await start();
    const second = new FakeTerminal();
    expect(await runEchoCommand({ ...ECHO_DEFAULTS, port }, second, '1.2.3')).toBe(1);
    expect(second.stdout.text).toBe('');
    expect(second.stderr.text).toContain(`port ${port} of 127.0.0.1 is taken by another program.`);
    expect(second.stderr.text).toContain(`Try another one: wspipe echo --port ${port + 1} (0 takes any free port).`);
    expect(second.signalListenerCount).toBe(0);
    const npm = new FakeTerminal({ npm_lifecycle_event: 'start', npm_package_name: 'wspipe' });
    expect(await runEchoCommand({ ...ECHO_DEFAULTS, port }, npm, '1.2.3')).toBe(1);
    expect(npm.stderr.text).toContain(`npm start -- --port ${port + 1}`);
    terminal.emit('SIGINT');
    await exitCode;
  });
});
