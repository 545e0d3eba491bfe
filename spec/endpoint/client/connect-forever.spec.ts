import { describe, expect, it, onTestFinished } from 'vitest';
import { connectForever } from '../../../lib/endpoint/client/connect-forever.ts';
import type { ConnectForeverOptions, Retry } from '../../../lib/endpoint/client/forever-options.ts';
import { WsServer } from '../../../lib/endpoint/server/ws-server.ts';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import { TEST_CERT, TEST_KEY } from '../../support/certificate.ts';
import { listenTo } from '../../support/channels.ts';
import { boundServer, turns, urlOf } from '../../support/endpoints.ts';
import { AT_ONCE, deadPort, forever, nextOf } from '../../support/retries.ts';

describe('connectForever', () => {
  it('comes back to a server that dies and is born again, and tells how the last connection ended', async () => {
    let server = await boundServer();
    const { port } = server;
    const codes: (number | undefined)[] = [];
    const connections = forever(urlOf(server), AT_ONCE);
    for await (const conn of connections) {
      codes.push(connections.lastClose?.code);
      if (codes.length === 4) break;
      if (codes.length === 2) server.drop();
      else await server.close({ code: 4000 + codes.length });
      expect(await conn.recvFrame()).toBeNull();
      server = await WsServer.bind({ port, host: '127.0.0.1' });
      onTestFinished(() => server.drop());
    }
    expect(codes).toEqual([undefined, 4001, 1006, 4003]);
    expect(connections.lastClose).toMatchObject({ code: 4003, wasClean: true, initiator: 'remote' });
  });

  it('goes on where nobody listens, and tells of each try before it waits', async () => {
    const told: Retry[] = [];
    const messages = listenTo<Retry & { url?: string }>('wspipe:retry');
    const port = await deadPort();
    const connections = forever(`ws://user:secret@127.0.0.1:${port}/x`, {
      backoff: (attempt) => attempt / 10,
      onRetry: (retry) => {
        told.push(retry);
        expect(connections).toMatchObject({ attempt: told.length, lastError: { code: 'ECONNREFUSED' } });
      },
      maxRetries: 3,
    });
    await expect(connections.next()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(told.map(({ attempt, delayMs, isTransient }) => [attempt, delayMs, isTransient])).toEqual([
      [1, 0.1, true],
      [2, 0.2, true],
      [3, 0.3, true],
    ]);
    expect(messages.map(({ attempt, delayMs }) => [attempt, delayMs])).toEqual([
      [1, 0.1],
      [2, 0.2],
      [3, 0.3],
    ]);
    expect(messages[0]).toMatchObject({ url: `ws://127.0.0.1:${port}/x`, error: { code: 'ECONNREFUSED' } });
    expect(await connections.next()).toEqual({ value: undefined, done: true });
  });

  it('waits by chance, as long as backoff says (§7.2.3)', async () => {
    const waits: number[] = [];
    const connections = forever(`ws://127.0.0.1:${await deadPort()}`, {
      backoff: { minMs: 1, maxMs: 8 },
      onRetry: ({ delayMs }) => waits.push(delayMs),
      maxRetries: 5,
    });
    await expect(connections.next()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(waits).toHaveLength(5);
    for (const ms of waits) expect(ms >= 1 && ms <= 8).toBe(true);
  });

  it.each([401, 403, 404])('ends with the refusal where the server says %d', async (status) => {
    const server = await boundServer({ authorize: () => refuse(status) });
    const connections = forever(urlOf(server), AT_ONCE);
    await expect(connections.next()).rejects.toMatchObject({ name: 'HandshakeError', status });
    expect(server.stats.refused).toBe(1);
    expect(connections.lastError).toMatchObject({ status });
  });

  it.each([429, 500, 503])('tries again where the server says %d, later where it says so', async (status) => {
    const asked: Retry[] = [];
    let count = 0;
    const server = await boundServer({
      authorize: () => (count++ < 2 ? refuse(status, { headers: { 'Retry-After': '7' } }) : 'in'),
    });
    const connections = forever(urlOf(server), { ...AT_ONCE, onRetry: (retry) => asked.push(retry) });
    const conn = await nextOf(connections);
    expect(conn.isOpen()).toBe(true);
    expect(connections).toMatchObject({ attempt: 2, lastError: undefined });
    expect(asked.map(({ attempt, retryAfterMs }) => [attempt, retryAfterMs])).toEqual([
      [1, 7000],
      [2, 7000],
    ]);
  });

  it('ends with the error of a certificate that does not fit', async () => {
    const server = await boundServer({ tls: { key: TEST_KEY, cert: TEST_CERT } });
    const connections = forever(`wss://localhost:${server.port}`, AT_ONCE);
    await expect(connections.next()).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });

  it('throws at once for what can be seen to be wrong', () => {
    expect(() => connectForever('nowhere')).toThrow(TypeError);
    expect(() => connectForever('ws://a.example', { maxRetries: -1 })).toThrow(RangeError);
  });

  it('asks for the URL, the fields and the subprotocols anew for each try', async () => {
    const seen: unknown[] = [];
    const server = await boundServer({
      authorize: ({ url, headers, protocols }) => {
        seen.push([url, headers['x-token'], protocols]);
        return seen.length < 3 ? refuse(503) : null;
      },
    });
    let token = 0;
    const connections = forever(async () => urlOf(server, `/${++token}`), {
      ...AT_ONCE,
      headers: () => ({ 'X-Token': `t${token}` }),
      protocols: async () => [`p${token}`],
    });
    await nextOf(connections);
    expect(seen).toEqual([1, 2, 3].map((at) => [`/${at}`, `t${at}`, [`p${at}`]]));
  });

  it('takes what these functions throw for a try that failed, and a mistake for one that no retry mends', async () => {
    const server = await boundServer();
    const troubles = [new Error('no token today'), 'not even an error'];
    const errors: unknown[] = [];
    const connections = forever(
      () => {
        if (troubles.length > 0) throw troubles.shift();
        return urlOf(server);
      },
      { ...AT_ONCE, onRetry: ({ error }) => errors.push(error), headers: () => Promise.resolve(undefined) },
    );
    await nextOf(connections);
    expect(errors).toMatchObject([{ message: 'no token today' }, { cause: 'not even an error' }]);
    await expect(forever(() => 'nowhere', AT_ONCE).next()).rejects.toThrow(TypeError);
    await expect(forever(urlOf(server), { headers: () => ({ 'a b': '' }) }).next()).rejects.toThrow(TypeError);
  });

  it('counts from the beginning when a connection has stood for a while, and only then', async () => {
    for (const [stableAfterMs, expected] of [
      [0, [1, 1, 1]],
      [Number.POSITIVE_INFINITY, [1, 2, 3]],
    ] as const) {
      const server = await boundServer();
      void server.serve((conn) => conn.close(4000));
      const attempts: number[] = [];
      const connections = forever(urlOf(server), {
        ...AT_ONCE,
        stableAfterMs,
        onRetry: (r) => attempts.push(r.attempt),
      });
      for await (const conn of connections) {
        if (attempts.length === 3) break;
        await conn.recvFrame();
      }
      expect(attempts).toEqual(expected);
      await server.close();
    }
  });

  it('hands out the next one when the last one has ended, though the body has returned long before', async () => {
    const server = await boundServer();
    const connections = forever(urlOf(server), AT_ONCE);
    const conn = await nextOf(connections);
    const next = connections.next();
    await turns(20);
    expect(server.stats.accepted).toBe(1);
    conn.resume();
    await conn.close(4000);
    const { value } = await next;
    expect([value === conn, connections.lastClose?.code, server.stats.accepted]).toEqual([false, 4000, 2]);
    value?.forceClose();
  });

  it('serves one next() after the other', async () => {
    const server = await boundServer();
    const connections = forever(urlOf(server), AT_ONCE);
    const [one, two] = [connections.next(), connections.next()];
    (await one).value?.forceClose();
    const second = (await two).value;
    expect(second).not.toBe((await one).value);
    second?.forceClose();
  });

  it('comes back where a peer is gone without a word', async () => {
    const server = await boundServer({ autoPong: false, heartbeat: false });
    const connections = forever(urlOf(server), { ...AT_ONCE, heartbeat: { intervalMs: 5, timeoutMs: 5 } });
    await nextOf(connections);
    await nextOf(connections);
    expect(connections.lastClose).toMatchObject({ code: 1006, initiator: 'local' });
  });
});

describe('who decides', () => {
  it('is shouldRetry, with the judgement of the house at hand', async () => {
    const server = await boundServer({ authorize: () => refuse(404) });
    const verdicts: boolean[] = [];
    const shouldRetry: ConnectForeverOptions['shouldRetry'] = ({ attempt, isTransient }) => {
      verdicts.push(isTransient);
      return attempt < 3;
    };
    await expect(forever(urlOf(server), { ...AT_ONCE, shouldRetry }).next()).rejects.toMatchObject({ status: 404 });
    expect(verdicts).toEqual([false, false, false]);
  });

  it('ends without an error where it is a connection that has ended', async () => {
    const server = await boundServer();
    void server.serve((conn) => conn.close(4401, 'who are you?'));
    for (const options of [
      { shouldRetry: ({ closeInfo }) => closeInfo?.code !== 4401 },
      { backoff: (_attempt, { closeInfo }) => (closeInfo?.code === 4401 ? null : 0) },
      { backoff: () => false },
      { maxRetries: 0 },
    ] satisfies ConnectForeverOptions[]) {
      const connections = forever(urlOf(server), options);
      let count = 0;
      for await (const conn of connections) {
        count += 1;
        expect(await conn.recvFrame()).toBeNull();
      }
      expect([count, connections.lastClose?.reason]).toEqual([1, 'who are you?']);
    }
    await server.close();
  });

  it.each<[string, ConnectForeverOptions, RegExp]>([
    ['a shouldRetry that gives no answer', { shouldRetry: (() => undefined) as never }, /true or false/],
    ['a backoff that gives no number', { backoff: (() => 'soon') as never }, /number of ms/],
    ['a backoff that goes back in time', { backoff: () => -1 }, /number of ms/],
    ['a backoff that gives NaN', { backoff: () => Number.NaN }, /number of ms/],
    ['an onRetry that throws', { ...AT_ONCE, onRetry: () => JSON.parse('{') }, /JSON/],
  ])('is told of its own mistake: %s', async (_title, options, message) => {
    await expect(forever(`ws://127.0.0.1:${await deadPort()}`, options).next()).rejects.toThrow(message);
  });
});
