/** How the client that comes back is ended: by a signal, or by leaving the loop, in each of its phases. */
import { getEventListeners } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { type ConnectionIterator, connectForever } from '../../../lib/endpoint/client/connect-forever.ts';
import type { ConnectForeverOptions } from '../../../lib/endpoint/client/forever-options.ts';
import { boundServer, byteServer, deferred, turns, until, urlOf } from '../../support/endpoints.ts';
import { deadPort, forever, nextOf } from '../../support/retries.ts';

/** It would wait for as long as it may. */
const LATER = { backoff: () => 2 ** 40 };

/** A socket that is refused in the next tick. */
const refusedSocket = (): Duplex => {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  process.nextTick(() => socket.destroy(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })));
  return socket;
};

describe('an abort', () => {
  const aborted = { name: 'AbortError', code: 'ABORT_ERR', cause: 'enough' };

  it('comes before the first try', async () => {
    const connections = forever('ws://127.0.0.1:1', { signal: AbortSignal.abort('enough') });
    await expect(connections.next()).rejects.toMatchObject(aborted);
    expect(await connections.next()).toEqual({ value: undefined, done: true });
  });

  it.each<[string, (reached: () => void) => Promise<[Parameters<typeof connectForever>[0], ConnectForeverOptions?]>]>([
    ['connects', async (reached) => [`ws://127.0.0.1:${(await byteServer(reached)).port}`]],
    ['waits', async (reached) => [`ws://127.0.0.1:${await deadPort()}`, { ...LATER, onRetry: reached }]],
    [
      'waits for a URL',
      async (reached) => [
        () => {
          reached();
          return new Promise(() => {});
        },
      ],
    ],
  ])('ends it while it %s', async (_phase, prepare) => {
    const { promise, resolve } = deferred();
    const [url, options] = await prepare(resolve);
    const controller = new AbortController();
    const connections = forever(url, { ...options, signal: controller.signal });
    const next = connections.next();
    await promise;
    await turns();
    controller.abort('enough');
    await expect(next).rejects.toMatchObject(aborted);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('closes the connection that stands, and ends the loop when the body comes back', async () => {
    const server = await boundServer();
    const served = server.accept();
    const controller = new AbortController();
    const seen: unknown[] = [];
    const loop = async (): Promise<void> => {
      for await (const conn of forever(urlOf(server), { signal: controller.signal })) {
        controller.abort('enough');
        for await (const frame of conn) seen.push(frame);
        seen.push((await conn.closeInfo).code);
      }
    };
    const looping = expect(loop()).rejects.toMatchObject(aborted);
    const ours = (await served)!;
    expect(await ours.recvFrame()).toBeNull();
    expect(await ours.closeInfo).toMatchObject({ code: 1001, wasClean: true });
    await looping;
    expect(seen).toEqual([1001]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('does not wait for a connection that is still closing', async () => {
    const server = await boundServer();
    const controller = new AbortController();
    const connections = forever(urlOf(server), { signal: controller.signal });
    const conn = await nextOf(connections);
    const next = connections.next();
    await turns();
    controller.abort('enough');
    await expect(next).rejects.toMatchObject(aborted);
    expect(conn.isOpen()).toBe(false);
  });

  it('leaves no connection behind that came too late', async () => {
    const server = await boundServer();
    for (let turn = 0; turn < 30; turn++) {
      const controller = new AbortController();
      const next = forever(urlOf(server), { signal: controller.signal }).next();
      void until(() => server.stats.accepted > turn / 2).then(() => controller.abort());
      await next.then(
        ({ value }) => value?.forceClose(),
        () => {},
      );
    }
    server.stop();
    for await (const conn of server) await conn.closeInfo;
    expect(server.connections.size).toBe(0);
  });
});

describe('leaving', () => {
  it.each<[string, (connections: ConnectionIterator) => Promise<unknown>]>([
    [
      'break',
      async (connections) => {
        for await (const _conn of connections) break;
      },
    ],
    [
      'a throw',
      async (connections) => {
        const loop = async (): Promise<void> => {
          for await (const _conn of connections) throw new Error('mine');
        };
        await expect(loop()).rejects.toThrow('mine');
      },
    ],
    [
      'return()',
      async (connections) => {
        await connections.next();
        expect(await connections.return()).toEqual({ value: undefined, done: true });
      },
    ],
    [
      'throw()',
      async (connections) => {
        await connections.next();
        await expect(connections.throw(new Error('mine'))).rejects.toThrow('mine');
      },
    ],
    [
      'disposal',
      async (connections) => {
        await connections.next();
        await connections[Symbol.asyncDispose]();
      },
    ],
  ])('by %s leaves the connection as it is, and nothing else', async (_way, leave) => {
    const server = await boundServer();
    const accepted = server.accept();
    const controller = new AbortController();
    const connections = connectForever(urlOf(server), { signal: controller.signal });
    await leave(connections);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    const ours = (await accepted)!;
    expect(await ours.ping()).toBeGreaterThanOrEqual(0);
    expect(await connections.next()).toEqual({ value: undefined, done: true });
    ours.forceClose();
  });

  it.each<[string, (reached: () => void) => Promise<[string, ConnectForeverOptions?]>]>([
    ['connects', async (reached) => [`ws://127.0.0.1:${(await byteServer(reached)).port}`]],
    ['waits', async (reached) => [`ws://127.0.0.1:${await deadPort()}`, { ...LATER, onRetry: reached }]],
  ])('while it %s lets whoever waits go, and the timers too', async (_phase, prepare) => {
    const { promise, resolve } = deferred();
    const connections = connectForever(...(await prepare(resolve)));
    const next = connections.next();
    await promise;
    expect(await connections.return()).toEqual({ value: undefined, done: true });
    expect(await next).toEqual({ value: undefined, done: true });
  });

  it('before the first try tries nothing', async () => {
    const url = vi.fn(() => 'ws://127.0.0.1:1');
    const connections = connectForever(url);
    await connections.return();
    expect(await connections.next()).toEqual({ value: undefined, done: true });
    expect(url).not.toHaveBeenCalled();
  });
});

describe('hundreds of retries', () => {
  it('leave nothing behind', async () => {
    const controller = new AbortController();
    const counts: number[] = [];
    const connections = forever('ws://127.0.0.1:1', {
      ...{ createConnection: refusedSocket, signal: controller.signal, maxRetries: 400 },
      backoff: (attempt) => {
        if (attempt % 100 === 0) counts.push(getEventListeners(controller.signal, 'abort').length);
        return 0;
      },
    });
    await expect(connections.next()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect([counts, connections.attempt]).toEqual([[1, 1, 1, 1], 400]);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });
});
