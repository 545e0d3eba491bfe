import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { JudgedRequest } from '../../../lib/endpoint/upgrade/judged-request.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import type { PendingRequest } from '../../../lib/options.ts';
import { boundServer, deferred, dial, exchange } from '../../support/endpoints.ts';
import { upgradeRequest } from '../../support/sockets.ts';

const FACTS = { url: '/a', headers: {}, remoteAddress: undefined, protocols: [], httpVersion: '1.1' };

describe('JudgedRequest', () => {
  it('shows what is known of the request, and the signal only to who asks for it', () => {
    const request = new JudgedRequest(FACTS);
    expect({ ...request }).toEqual(FACTS);
    expect(request.signal).toBe(request.signal);
    expect(request.signal.aborted).toBe(false);
  });

  it('makes no signal that nobody asks for', () => {
    const make = vi.fn();
    vi.stubGlobal('AbortController', make);
    onTestFinished(() => void vi.unstubAllGlobals());
    JudgedRequest.giveUp(new JudgedRequest(FACTS), null);
    expect(make).not.toHaveBeenCalled();
  });

  it('aborts a signal that is asked for too late', () => {
    const request = new JudgedRequest(FACTS);
    JudgedRequest.giveUp(request, refuse(503));
    expect(request.signal.aborted).toBe(true);
    expect(request.signal.reason).toMatchObject({ name: 'HandshakeError', status: 503 });
  });
});

describe('the signal of a request', () => {
  /** Waits, as a query would, until it is cancelled, and throws what it is cancelled with. */
  const waitFor = async ({ signal }: PendingRequest): Promise<never> =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

  /** A server one of whose functions waits. */
  async function waiting(
    name: 'authorize' | 'selectProtocol' | 'origins' | 'responseHeaders',
    handshakeTimeoutMs = 10_000,
  ) {
    const [asked, cancelled] = [deferred<PendingRequest>(), deferred<unknown>()];
    const judge = (...args: readonly unknown[]): Promise<never> => {
      const request = args.at(-1) as PendingRequest;
      asked.resolve(request);
      return waitFor(request).catch((error) => {
        cancelled.resolve(error);
        throw error;
      });
    };
    const server = await boundServer({ handshakeTimeoutMs, [name]: judge });
    return { server, asked: asked.promise, cancelled: cancelled.promise };
  }

  const fields = { headers: { Origin: 'http://a.example', 'Sec-WebSocket-Protocol': 'chat' } };
  const sameOrigin = { headers: { Origin: 'http://127.0.0.1', Host: '127.0.0.1', 'Sec-WebSocket-Protocol': 'chat' } };

  it.each([
    ['authorize', sameOrigin],
    ['selectProtocol', sameOrigin],
    ['origins', fields],
    ['responseHeaders', sameOrigin],
  ] as const)('aborts with an AbortError when the client goes during %s', async (name, request) => {
    const { server, asked, cancelled } = await waiting(name);
    const { socket } = dial(server.port);
    socket.write(upgradeRequest(request));
    await asked;
    socket.destroy();
    expect(await cancelled).toMatchObject({ name: 'AbortError' });
  });

  it('aborts when the time is over, and the client gets 503', async () => {
    const { server, cancelled } = await waiting('authorize', 30);
    expect((await exchange(server.port, upgradeRequest())).status).toBe(503);
    expect(await cancelled).toMatchObject({ code: 'WS_ERR_HANDSHAKE_TIMEOUT', status: 503 });
  });

  it('aborts when the server is stopped', async () => {
    const { server, asked, cancelled } = await waiting('authorize');
    const response = exchange(server.port, upgradeRequest());
    await asked;
    server.stop();
    expect(await cancelled).toMatchObject({ code: 'WS_ERR_HANDSHAKE_REFUSED', status: 503 });
    expect((await response).status).toBe(503);
  });

  it('does nothing any more once the connection stands', async () => {
    const asked = deferred<PendingRequest>();
    const server = await boundServer({ authorize: (request) => asked.resolve(request) });
    const { socket } = dial(server.port);
    socket.write(upgradeRequest());
    const { signal } = await asked.promise;
    const conn = await server.accept();
    expect(conn?.request).toBe(await asked.promise);
    conn?.forceClose();
    await conn?.closeInfo;
    expect(signal.aborted).toBe(false);
  });
});
