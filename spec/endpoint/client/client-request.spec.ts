import { Agent } from 'node:http';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Answer, requestUpgrade } from '../../../lib/endpoint/client/client-request.ts';
import { parseConnectTarget } from '../../../lib/endpoint/client/connect-target.ts';
import { type ConnectOptions, resolveConnectOptions } from '../../../lib/endpoint/endpoint-options.ts';
import { HandshakeDeadline } from '../../../lib/endpoint/server/handshake-deadline.ts';
import { byteServer, deferred, turns } from '../../support/endpoints.ts';
import { ByteCollector } from '../../support/sockets.ts';

const LINES = [
  ['Host', 'a'],
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['X-A', '1'],
  ['X-A', '2'],
] as const;
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';

/** Asks a server that answers each request head as the test says. */
async function ask(
  answer: string | ((socket: Socket, head: string) => void),
  options: ConnectOptions = {},
): Promise<Answer> {
  const { port } = await byteServer(async (socket) => {
    const head = String(await new ByteCollector(socket).readThrough('\r\n\r\n'));
    if (typeof answer === 'string') socket.write(answer, 'latin1');
    else answer(socket, head);
  });
  const resolved = resolveConnectOptions(options);
  const deadline = new HandshakeDeadline(resolved.handshakeTimeoutMs, resolved.signal);
  const itinerary = { target: parseConnectTarget(`ws://127.0.0.1:${port}/x?y`), headers: [], tls: undefined };
  try {
    const result = await requestUpgrade(itinerary, LINES, resolved, deadline);
    onTestFinished(() => void result.socket?.destroy());
    return result;
  } finally {
    deadline.release();
  }
}

describe('requestUpgrade', () => {
  it('sends the fields as they are, in their order, and no others (§4.1)', async () => {
    const request = deferred<string>();
    await ask((socket, head) => {
      request.resolve(head);
      socket.write(SWITCH);
    });
    expect(await request.promise).toBe(
      'GET /x?y HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: 1\r\nX-A: 2\r\n\r\n',
    );
  });

  it('gives the socket and what came behind the head', async () => {
    const { message, socket, ...rest } = await ask(`${SWITCH}frames`);
    expect(message.statusCode).toBe(101);
    expect(socket).toBeDefined();
    expect(rest).toEqual({ head: Buffer.from('frames') });
  });

  it('leaves nothing of the HTTP client on the socket but a guard against its errors', async () => {
    const { socket } = await ask(SWITCH);
    await turns();
    const names = socket!.eventNames().filter((name) => !['end', 'error'].includes(String(name)));
    expect(names).toEqual([]);
    expect(socket!.listenerCount('error')).toBe(1);
  });

  it('passes over informational answers', async () => {
    const { message } = await ask(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${SWITCH}`);
    expect(message.statusCode).toBe(101);
  });

  it('gives the beginning of the body of any other answer', async () => {
    const body = 'a'.repeat(5000);
    const answer = await ask(`HTTP/1.1 403 Forbidden\r\nContent-Length: 5000\r\n\r\n${body}`);
    expect(answer.message.statusCode).toBe(403);
    expect(answer).toMatchObject({ body: 'a'.repeat(4096) });
  });

  it.each([
    ['is cut', (socket: Socket) => socket.destroy()],
    ['never ends', () => {}],
  ])('gives what came of a body that %s', async (_title, then) => {
    const answer = await ask((socket) => {
      socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 10\r\n\r\nhello', () => then(socket));
    });
    expect(answer).toMatchObject({ body: 'hello' });
  });

  it('takes a 101 that names no protocol for an answer', async () => {
    const answer = await ask('HTTP/1.1 101 Switching Protocols\r\n\r\n');
    expect(answer).toMatchObject({ body: '', message: { statusCode: 101 } });
    expect(answer.socket).toBeUndefined();
  });

  it.each([
    ['is no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['has a head that is too large', `HTTP/1.1 101 x\r\nX-A: ${'a'.repeat(9000)}\r\n\r\n`],
  ])('rejects with a HandshakeError where the answer %s', async (_title, text) => {
    await expect(ask(text)).rejects.toMatchObject({ code: 'WS_ERR_HANDSHAKE', status: 0, name: 'HandshakeError' });
  });

  it('cuts an answer whose head never ends at maxHeaderBytes', async () => {
    const endless = (socket: Socket): void => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\n');
      const more = (): void => {
        while (socket.writable && socket.write('X-Filler: abcdefghijklmnop\r\n'));
      };
      socket.on('drain', more);
      more();
    };
    await expect(ask(endless, { maxHeaderBytes: 4000 })).rejects.toMatchObject({ code: 'WS_ERR_HANDSHAKE' });
  });

  it("rejects with the system's error where the peer hangs up", async () => {
    await expect(ask((socket) => socket.destroy())).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it.each<[string, () => ConnectOptions, object]>([
    ['in time', () => ({ handshakeTimeoutMs: 20 }), { code: 'WS_ERR_HANDSHAKE_TIMEOUT' }],
    ['before the signal aborts', () => ({ signal: AbortSignal.timeout(20) }), { name: 'AbortError' }],
  ])('rejects where no answer comes %s, and lets the socket go', async (_title, options, error) => {
    const gone = deferred();
    const silent = (socket: Socket): void => {
      socket.once('close', () => gone.resolve());
      socket.once('end', () => socket.destroy());
    };
    await expect(ask(silent, options())).rejects.toMatchObject(error);
    await gone.promise;
  });

  it('lets a socket go that was upgraded in the moment of the abort', async () => {
    const controller = new AbortController();
    const sockets: Socket[] = [];
    const createConnection = (options: object): Socket => {
      const socket = connectTcp(options as { port: number; host: string });
      sockets.push(socket);
      socket.prependListener('data', () => controller.abort());
      return socket;
    };
    const asking = ask(SWITCH, { signal: controller.signal, createConnection: createConnection as never });
    await expect(asking).rejects.toMatchObject({ name: 'AbortError' });
    await turns();
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  it('lets an agent make the socket, and take its hands off it', async () => {
    const agent = new Agent({ keepAlive: true, timeout: 50 });
    const createConnection = vi.spyOn(agent, 'createConnection' as never);
    const { socket } = await ask(SWITCH, { agent });
    await turns();
    expect(createConnection).toHaveBeenCalledTimes(1);
    expect([agent.sockets, agent.freeSockets]).toMatchObject([{}, {}]);
    expect(Object.keys(agent.sockets)).toEqual([]);
    expect(socket!.listenerCount('timeout') + socket!.listenerCount('free') + socket!.listenerCount('close')).toBe(0);
    agent.destroy();
  });
});
