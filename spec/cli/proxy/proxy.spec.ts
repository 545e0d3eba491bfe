import { describe, expect, it } from 'vitest';
import { runProxyCommand } from '../../../lib/cli/proxy/proxy.ts';
import { PROXY_OPTIONS, parseProxy } from '../../../lib/cli/proxy/proxy-arguments.ts';
import { connect } from '../../../lib/endpoint/client/connect.ts';
import { wordsOf } from '../../support/command-words.ts';
import { boundServer, byteServer, dial, urlOf } from '../../support/endpoints.ts';
import { FakeTerminal } from '../../support/fake-terminal.ts';

interface Running {
  readonly terminal: FakeTerminal;
  readonly url: string;
  readonly port: number;
  stop(): Promise<number>;
}

async function start(line: string): Promise<Running> {
  const terminal = new FakeTerminal();
  const exitCode = runProxyCommand(parseProxy(wordsOf(line, PROXY_OPTIONS)), terminal);
  const [url, port] = await terminal.stdout.find(/\w+:\/\/127\.0\.0\.1:(\d+)\/?/);
  const stop = (): Promise<number> => {
    terminal.emit('SIGTERM');
    return exitCode;
  };
  return { terminal, url, port: Number(port), stop };
}

async function tcpEcho(): Promise<string> {
  const { port } = await byteServer((socket) => socket.pipe(socket));
  return `tcp://127.0.0.1:${port}`;
}

async function wsEcho(): Promise<string> {
  const server = await boundServer({ protocols: ['chat'] });
  void server.runEcho();
  return urlOf(server);
}

describe('wspipe proxy', () => {
  it('leads WebSocket to TCP', async () => {
    const target = await tcpEcho();
    const { terminal, url, stop } = await start(`--listen 0 --to ${target}`);
    expect(terminal.stdout.text).toBe(`${url}\nleads to ${target}\n`);
    const conn = await connect(url);
    await conn.sendBinary(Buffer.from('there and back'));
    expect((await conn.recvFrame())?.payloadText()).toBe('there and back');
    expect(await conn.close()).toMatchObject({ code: 1000, wasClean: true });
    expect([await stop(), terminal.signalListenerCount, terminal.stderr.text]).toEqual([0, 0, '']);
  });

  it('leads WebSocket to WebSocket, with the subprotocol that both agree on', async () => {
    const target = await wsEcho();
    const { url, stop } = await start(`--listen 0 --to ${target} --protocol chat`);
    const conn = await connect(url, { protocols: ['other', 'chat'] });
    expect(conn.protocol).toBe('chat');
    await conn.sendText('there and back');
    expect((await conn.recvFrame())?.payloadText()).toBe('there and back');
    expect(await conn.close(4000, 'enough')).toMatchObject({ code: 4000, wasClean: true });
    const plain = await connect(url);
    const stopping = stop();
    expect(await plain.recvFrame()).toBeNull();
    expect(await plain.closeInfo).toMatchObject({ code: 1001 });
    expect(await stopping).toBe(0);
  });

  it('leads TCP to WebSocket', async () => {
    const { port, stop } = await start(`--listen tcp://0 --to ${await wsEcho()}`);
    const { socket, received } = dial(port);
    socket.end('there and back');
    expect((await received.readAll()).toString()).toBe('there and back');
    expect(await stop()).toBe(0);
  });

  it.each(['tcp://127.0.0.1:1', 'ws://127.0.0.1:1/'])(
    'closes with 1014 where %s cannot be reached, and says why',
    async (target) => {
      const { terminal, url, stop } = await start(`--listen 0 --to ${target}`);
      const conn = await connect(url);
      expect(await conn.recvFrame()).toBeNull();
      expect(await conn.closeInfo).toMatchObject({ code: 1014, wasClean: true });
      expect(terminal.stderr.text).toContain(`no connection to ${target}: nobody listens there (ECONNREFUSED)`);
      expect(await stop()).toBe(0);
    },
  );

  it('resets TCP where the WebSocket server cannot be reached', async () => {
    const { terminal, port, stop } = await start('--listen tcp://0 --to ws://127.0.0.1:1/');
    const { socket } = dial(port);
    const error = new Promise((resolve) => socket.once('error', resolve));
    expect(await error).toMatchObject({ code: 'ECONNRESET' });
    expect(terminal.stderr.text).toContain('no connection to ws://127.0.0.1:1/');
    expect(await stop()).toBe(0);
  });

  it('cuts everything at the second signal', async () => {
    const { port: far } = await byteServer(() => {});
    const { terminal, port, stop } = await start(`--listen tcp://0 --to ws://127.0.0.1:${far}/`);
    const { socket, received } = dial(port);
    socket.write('x');
    await expect.poll(() => socket.readyState).toBe('open');
    const stopping = stop();
    await expect.poll(() => terminal.signalListenerCount).toBe(2);
    terminal.emit('SIGINT');
    expect(await stopping).toBe(130);
    await received.readAll();
  });

  it('exits with 1 where it cannot listen, or a file cannot be read', async () => {
    const { port, stop } = await start('--listen 0 --to tcp://127.0.0.1:1');
    const run = async (line: string): Promise<[number, string]> => {
      const terminal = new FakeTerminal();
      return [await runProxyCommand(parseProxy(wordsOf(line, PROXY_OPTIONS)), terminal), terminal.stderr.text];
    };
    const [code, text] = await run(`--listen tcp://127.0.0.1:${port} --to ws://a/`);
    expect([code, text]).toEqual([1, expect.stringContaining(`--listen tcp://127.0.0.1:${port + 1} (0 takes any`)]);
    const [fileCode, fileText] = await run('--listen 0 --to wss://a/ --insecure --ca /no/such/file');
    expect([fileCode, fileText]).toEqual([1, expect.stringMatching(/warning: --insecure[\s\S]*ENOENT/)]);
    expect(await stop()).toBe(0);
  });
});
