import { EventEmitter, getEventListeners, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { AcceptQueue } from '../../../lib/endpoint/server/accept-queue.ts';
import { echo, type Servable, serveConnections } from '../../../lib/endpoint/server/serve.ts';
import { deferred, turns } from '../../support/endpoints.ts';

/** A server of pairs: what is dialled here is accepted there. */
class PairServer extends EventEmitter implements Servable {
  readonly #queue = new AcceptQueue<WsConnection>();
  readonly #open: WsConnection[] = [];

  dial(): WsConnection {
    const { client, server } = createPair();
    this.#queue.push(server);
    this.#open.push(server);
    return client;
  }

  accept(): Promise<WsConnection | null> {
    return this.#queue.take();
  }

  stop(): void {
    this.#queue.end();
  }

  async close(): Promise<void> {
    this.stop();
    await Promise.all(this.#open.map((connection) => connection.close(1001)));
  }
}

describe('serveConnections', () => {
  it('runs the handler for all connections at once, and resolves when they and the server have ended', async () => {
    const server = new PairServer();
    const goesOn = deferred();
    const begun: WsConnection[] = [];
    let isDone = false;
    const handler = async (connection: WsConnection): Promise<void> => {
      begun.push(connection);
      await goesOn.promise;
    };
    const serving = serveConnections(server, handler, undefined).then(() => {
      isDone = true;
    });
    const clients = [server.dial(), server.dial()];
    await turns();
    expect(begun).toHaveLength(2);
    server.stop();
    await turns();
    expect(isDone).toBe(false);
    goesOn.resolve();
    expect(await Promise.all(clients.map((client) => client.recvFrame()))).toEqual([null, null]);
    await serving;
    expect(await Promise.all(clients.map(({ closeInfo }) => closeInfo))).toMatchObject([
      { code: 1000 },
      { code: 1000 },
    ]);
  });

  it.each<[string, () => unknown]>([
    ['throws', () => JSON.parse('{')],
    ['rejects', async () => JSON.parse('{')],
  ])("closes with 1011 where the handler %s, and emits 'handlerError'", async (_title, handler) => {
    const server = new PairServer();
    const errors = once(server, 'handlerError');
    const serving = serveConnections(server, handler, undefined);
    const client = server.dial();
    expect(await client.recvFrame()).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1011, initiator: 'remote' });
    const [error, connection] = await errors;
    expect(error).toBeInstanceOf(SyntaxError);
    expect(connection).toMatchObject({ role: 'server' });
    server.stop();
    await serving;
  });

  it('warns of a handler that failed where nobody listens', async () => {
    const server = new PairServer();
    const warning = once(process, 'warning');
    const serving = serveConnections(server, () => JSON.parse('{'), undefined);
    await server.dial().recvFrame();
    expect((await warning)[0]).toMatchObject({
      code: 'WS_WARN_HANDLER',
      message: expect.stringContaining('SyntaxError'),
    });
    server.stop();
    await serving;
  });

  it('closes the server when the signal aborts, and resolves', async () => {
    const server = new PairServer();
    const controller = new AbortController();
    const serving = serveConnections(server, echo, controller.signal);
    const client = server.dial();
    await client.sendText('one');
    expect((await client.recvFrame())?.payloadText()).toBe('one');
    controller.abort();
    expect(await client.recvFrame()).toBeNull();
    expect(await client.closeInfo).toMatchObject({ code: 1001 });
    await serving;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('resolves with a signal that is aborted from the start', async () => {
    await serveConnections(new PairServer(), echo, AbortSignal.abort());
  });

  it('waits for a handler that cleans up behind its connection', async () => {
    const server = new PairServer();
    let isClean = false;
    const handler = async (connection: WsConnection): Promise<void> => {
      await connection.recvFrame();
      await new Promise((resolve) => setTimeout(resolve, 20));
      isClean = true;
    };
    const serving = serveConnections(server, handler, undefined);
    server.dial().forceClose();
    await turns();
    server.stop();
    await serving;
    expect(isClean).toBe(true);
  });

  it('does not wait for ever for a handler that never returns', async () => {
    const server = new PairServer();
    const serving = serveConnections(server, () => new Promise(() => {}), undefined);
    server.dial().forceClose();
    await turns();
    server.stop();
    await serving;
  });
});

describe('echo', () => {
  it('sends text and binary back, in order, and ends with the connection', async () => {
    const { client, server } = createPair();
    const echoing = echo(server);
    await client.sendText('grüße');
    await client.sendBinary(Uint8Array.of(1, 2, 3));
    await client.sendText('');
    const frames = [await client.recvFrame(), await client.recvFrame(), await client.recvFrame()];
    expect(frames.map((frame) => [frame?.opcode, frame?.payloadText()])).toEqual([
      [1, 'grüße'],
      [2, '\x01\x02\x03'],
      [1, ''],
    ]);
    await client.close();
    await echoing;
  });

  it('answers no control frame', async () => {
    const { client, server } = createPair({ server: { controlFrames: true } });
    const echoing = echo(server);
    await client.sendPing(Buffer.from('a'));
    await client.sendText('b');
    expect((await client.recvFrame())?.payloadText()).toBe('b');
    await client.close();
    await echoing;
  });
});
