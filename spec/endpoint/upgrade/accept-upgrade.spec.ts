import { channel } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { resolveUpgradeOptions, type UpgradeOptions } from '../../../lib/endpoint/endpoint-options.ts';
import type { UpgradeHooks } from '../../../lib/endpoint/upgrade/accept-upgrade.ts';
import {
  acceptUpgrade,
  prepareSocket,
  reportRefusal,
  watchUpgrade,
} from '../../../lib/endpoint/upgrade/accept-upgrade.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import { deferred, dial, exchange, httpServer, turns } from '../../support/endpoints.ts';
import { naiveEncode } from '../../support/naive-frames.ts';
import { memoryPair, rawClient, upgradeRequest } from '../../support/sockets.ts';

async function accepting(options: UpgradeOptions = {}, hooks: UpgradeHooks = {}) {
  const { server, port } = await httpServer();
  const result = deferred<WsConnection | null>();
  const watches: ReturnType<typeof watchUpgrade>[] = [];
  server.on('upgrade', (message, socket, head) => {
    const resolved = resolveUpgradeOptions(options);
    const watch = watchUpgrade(socket, resolved.handshakeTimeoutMs);
    watches.push(watch);
    result.resolve(acceptUpgrade({ message, socket, head }, resolved, watch, hooks));
  });
  return { port, result: result.promise, watches, server };
}

describe('acceptUpgrade', () => {
  it('asks to be admitted, and hands the connection over in the moment in which it begins', async () => {
    const admit = vi.fn(() => undefined);
    const welcome = vi.fn();
    const { port, result } = await accepting({}, { admit, welcome });
    expect((await rawClient(port, { path: '/a?b' })).status).toBe(101);
    const connection = await result;
    expect(admit).toHaveBeenCalledWith(expect.objectContaining({ url: '/a?b' }));
    expect(welcome).toHaveBeenCalledWith(connection);
    connection?.forceClose();
  });

  it('answers what it is not admitted with', async () => {
    const { port, result } = await accepting({}, { admit: () => refuse(503) });
    expect((await exchange(port, upgradeRequest())).status).toBe(503);
    expect(await result).toBeNull();
  });

  it('stops when it is cancelled, whatever authorize does later', async () => {
    const isAsked = deferred();
    const answer = deferred<unknown>();
    const authorize = (): Promise<unknown> => {
      isAsked.resolve();
      return answer.promise;
    };
    const { port, result, watches } = await accepting({ authorize });
    const response = exchange(port, upgradeRequest());
    await isAsked.promise;
    watches[0]?.cancel(refuse(503));
    expect((await response).status).toBe(503);
    expect(await result).toBeNull();
    answer.reject(new Error('too late for anybody'));
    await turns();
  });

  it('gives the connection nothing of an HTTP answer that is still to come on the same socket', async () => {
    const responses: ServerResponse[] = [];
    const { port, result, server } = await accepting();
    server.on('request', (_request, response) => responses.push(response));
    const { socket, received } = dial(port);
    socket.write(`GET /page HTTP/1.1\r\nHost: a\r\n\r\n${upgradeRequest()}`);
    expect(await result).toBeNull();
    responses[0]?.end('page');
    expect(String(await received.readAll())).not.toContain('101');
  });

  it('upgrades a socket that has served pages before', async () => {
    const { port, result, server } = await accepting();
    server.on('request', (_request, response) => response.end('page'));
    const { socket, received } = dial(port);
    socket.write('GET /page HTTP/1.1\r\nHost: a\r\n\r\n');
    await received.readThrough('page');
    socket.write(upgradeRequest());
    expect(String(await received.readThrough('\r\n\r\n'))).toContain('101 Switching Protocols');
    const connection = await result;
    expect(connection?.isOpen()).toBe(true);
    connection?.forceClose();
  });

  it('gives null to a peer that ended during authorize and can no longer be answered', async () => {
    const isAsked = deferred();
    const goesOn = deferred();
    const authorize = (): Promise<void> => {
      isAsked.resolve();
      return goesOn.promise;
    };
    const { port, result, server } = await accepting({ authorize });
    server.once('upgrade', (_message, socket) => isAsked.promise.then(() => socket.end()));
    const { socket } = dial(port);
    socket.write(upgradeRequest());
    await isAsked.promise;
    await turns();
    goesOn.resolve();
    expect(await result).toBeNull();
  });
});

describe('a peer that ends its side while authorize runs', () => {
  const waiting = () => {
    const isAsked = deferred();
    const goesOn = deferred();
    const authorize = (): Promise<void> => {
      isAsked.resolve();
      return goesOn.promise;
    };
    return { isAsked, goesOn, authorize };
  };

  it('is gone at once: nobody waits for its time to be over', async () => {
    const { isAsked, authorize } = waiting();
    const { port, result } = await accepting({ authorize });
    const { socket, received } = dial(port);
    socket.write(upgradeRequest());
    await isAsked.promise;
    socket.end();
    expect(await result).toBeNull();
    expect(String(await received.readAll())).toBe('');
  });

  it('is heard where it had said something before', async () => {
    const { isAsked, goesOn, authorize } = waiting();
    const { port, result } = await accepting({ authorize });
    const { socket } = dial(port);
    socket.write(upgradeRequest());
    await isAsked.promise;
    socket.end(Buffer.concat([naiveEncode(1, 'early', { isMasked: true }), naiveEncode(8, '', { isMasked: true })]));
    await turns();
    goesOn.resolve();
    const connection = await result;
    expect((await connection?.recvFrame())?.payloadText()).toBe('early');
    expect(await connection?.recvFrame()).toBeNull();
    expect(await connection?.closeInfo).toMatchObject({ code: 1005, initiator: 'remote' });
  });

  it('makes no difference to who stays: what comes meanwhile is read in order, and so is what comes later', async () => {
    const { isAsked, goesOn, authorize } = waiting();
    const { port, result } = await accepting({ authorize });
    const { socket } = dial(port);
    socket.write(upgradeRequest());
    await isAsked.promise;
    for (const text of ['a', 'b']) {
      socket.write(naiveEncode(1, text, { isMasked: true }));
      await turns();
    }
    goesOn.resolve();
    const connection = (await result)!;
    socket.write(naiveEncode(1, 'c', { isMasked: true }));
    const texts = [];
    while (texts.length < 3) texts.push((await connection.recvFrame())?.payloadText());
    expect(texts).toEqual(['a', 'b', 'c']);
    connection.forceClose();
  });
});

describe('prepareSocket', () => {
  it('lets small frames go at once, and lets no idle timer end the socket', () => {
    const socket = new Socket();
    const setNoDelay = vi.spyOn(socket, 'setNoDelay');
    socket.setTimeout(5000);
    prepareSocket(socket);
    expect(setNoDelay).toHaveBeenCalledWith(true);
    expect(socket.timeout).toBe(0);
    socket.destroy();
  });

  it('leaves a Duplex alone that is no socket', () => {
    expect(() => prepareSocket(memoryPair().client)).not.toThrow();
  });
});

describe('reportRefusal', () => {
  it('makes no error where nobody wants to know', () => {
    const refusal = refuse(403);
    const toError = vi.spyOn(refusal, 'toError');
    reportRefusal(refusal, {});
    expect(toError).not.toHaveBeenCalled();
  });

  it('publishes on wspipe:refused where somebody listens', () => {
    const published = vi.fn();
    channel('wspipe:refused').subscribe(published);
    reportRefusal(refuse(403), {});
    channel('wspipe:refused').unsubscribe(published);
    expect(published.mock.calls[0]?.[0]).toMatchObject({ error: { status: 403 }, request: undefined });
  });
});
