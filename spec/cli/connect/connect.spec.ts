import { describe, expect, it } from 'vitest';
import { runConnectCommand } from '../../../lib/cli/connect/connect.ts';
import { CONNECT_OPTIONS, parseConnect } from '../../../lib/cli/connect/connect-arguments.ts';
import type { ServerOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { wordsOf } from '../../support/command-words.ts';
import { boundServer, byteServer, urlOf } from '../../support/endpoints.ts';
import { FakeTerminal } from '../../support/fake-terminal.ts';

function start(url: string, line = ''): { terminal: FakeTerminal; exitCode: Promise<number> } {
  const terminal = new FakeTerminal();
  const command = parseConnect(wordsOf(`${url} ${line}`, CONNECT_OPTIONS));
  return { terminal, exitCode: runConnectCommand(command, terminal) };
}

async function echoServer(options?: ServerOptions): Promise<string> {
  const server = await boundServer(options);
  void server.runEcho();
  return urlOf(server);
}

describe('wspipe connect', () => {
  it('pipes through a server, with the handshake that was asked for', async () => {
    const server = await boundServer({ protocols: ['b'], perMessageDeflate: true });
    const accepted = server.accept();
    const line = "--protocol a,b -H 'X-Colour: blue' --user me:pass --origin http://127.0.0.1 --json -n 1";
    const { terminal, exitCode } = start(urlOf(server), line.replace('127.0.0.1', `127.0.0.1:${server.port}`));
    const conn = (await accepted)!;
    expect(conn.request?.headers).toMatchObject({ 'x-colour': 'blue', authorization: 'Basic bWU6cGFzcw==' });
    await conn.sendText('hello');
    expect(await exitCode).toBe(0);
    const [open] = terminal.stdout.text.split('\n');
    expect(JSON.parse(open!)).toMatchObject({ event: 'open', status: 101, protocol: 'b' });
    expect(JSON.parse(open!).extensions).toContain('permessage-deflate');
    expect(terminal.signalListenerCount).toBe(0);
  });

  it('is a conversation where people type and read', async () => {
    const url = await echoServer();
    const terminal = new FakeTerminal();
    Object.assign(terminal.stdin, { isTTY: true });
    Object.assign(terminal.stdout, { isTTY: true, columns: 80 });
    const exitCode = runConnectCommand(parseConnect(wordsOf(url, CONNECT_OPTIONS)), terminal);
    await terminal.stdout.find(/connected to/);
    terminal.emit('SIGTERM');
    expect(await exitCode).toBe(143);
    expect(terminal.stdout.text).toContain('closed with 1001 (going away)');
  });

  it('exits with 1 where there is no connection, and says why', async () => {
    const refusing = await boundServer({ path: '/chat' });
    const refused = start(urlOf(refusing));
    expect(await refused.exitCode).toBe(1);
    expect(refused.terminal.stderr.text).toContain('the server answered with status 404');
    const file = start('wss://127.0.0.1/', '--ca /no/such/file');
    expect(await file.exitCode).toBe(1);
    expect(file.terminal.stderr.text).toContain("ENOENT: no such file or directory, open '/no/such/file'");
    expect(file.terminal.signalListenerCount).toBe(0);
  });

  it('warns of --insecure', async () => {
    const { terminal, exitCode } = start('wss://127.0.0.1:1/', '--insecure');
    expect(await exitCode).toBe(1);
    expect(terminal.stderr.text).toMatch(/^wspipe: warning: --insecure\. Whoever is in between can read/);
  });

  it('exits with 4 when the time is over, in the handshake and after it', async () => {
    const { port } = await byteServer(() => {});
    const mute = start(`ws://127.0.0.1:${port}/`, '--timeout 1ms');
    expect([await mute.exitCode, mute.terminal.stderr.text]).toEqual([4, 'wspipe: the time is over (--timeout)\n']);
    const open = start(await echoServer(), '--timeout 200ms');
    expect([await open.exitCode, open.terminal.stderr.text]).toEqual([4, 'wspipe: the time is over (--timeout)\n']);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('closes politely at %s, gives the signals back, and exits with %i', async (signal, code) => {
    const server = await boundServer();
    const accepted = server.accept();
    const { terminal, exitCode } = start(urlOf(server));
    const conn = (await accepted)!;
    await conn.sendText('x');
    await terminal.stdout.find(/x\n/);
    terminal.emit(signal);
    await expect.poll(() => terminal.signalListenerCount).toBe(0);
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1001, wasClean: true });
    expect([await exitCode, terminal.stderr.text]).toEqual([code, '']);
  });

  it('gives a handshake up at a signal', async () => {
    const { port } = await byteServer((socket) => {
      socket.once('data', () => terminal.emit('SIGINT'));
    });
    const { terminal, exitCode } = start(`ws://127.0.0.1:${port}/`);
    expect([await exitCode, terminal.stderr.text]).toEqual([130, '']);
  });

  it('gives up a server that is silent for twice the --ping-interval', async () => {
    const { port } = await byteServer((socket) => {
      socket.once('data', (request: Buffer) => {
        const key = /sec-websocket-key: (\S+)/i.exec(request.toString())![1]!;
        void import('node:crypto').then(({ createHash }) => {
          const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
          const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`;
          socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`);
        });
      });
    });
    const { terminal, exitCode } = start(`ws://127.0.0.1:${port}/`, '--ping-interval 50ms');
    expect(await exitCode).toBe(3);
    expect(terminal.stderr.text).toContain('wspipe: the connection was cut');
  });
});
