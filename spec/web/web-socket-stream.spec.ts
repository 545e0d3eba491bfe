import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createPair } from '../../lib/endpoint/pair.ts';
import { HandshakeError } from '../../lib/errors.ts';
import { WebSocketError } from '../../lib/web/web-socket-error.ts';
import { WebSocketStream } from '../../lib/web/web-socket-stream.ts';
import { boundServer, byteServer, turns, until } from '../support/endpoints.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => Promise.reject(new Error(`it resolved with ${JSON.stringify(value)}`)),
    (error) => error,
  );

async function echoUrl(options?: Parameters<typeof boundServer>[0]): Promise<string> {
  const server = await boundServer(options);
  void server.runEcho();
  return `ws://127.0.0.1:${server.port}/`;
}

/** A server that takes connections and says nothing. */
async function silentServer() {
  const seen = { sockets: 0, ended: 0 };
  const { port } = await byteServer((socket) => {
    seen.sockets++;
    socket.on('close', () => seen.ended++);
    socket.resume();
    socket.on('end', () => socket.end());
  });
  return { seen, url: `ws://127.0.0.1:${port}/` };
}

describe('constructing', () => {
  it.each([
    ['no URL', [], 'TypeError'],
    ['an invalid URL', ['invalid:'], 'SyntaxError'],
    ['a fragment', ['ws://127.0.0.1/#'], 'SyntaxError'],
    ['options that are none', ['ws://127.0.0.1/', true], 'TypeError'],
    ['protocols that are no list', ['ws://127.0.0.1/', { protocols: 'hi' }], 'TypeError'],
    ['a protocol twice', ['ws://127.0.0.1/', { protocols: ['a', 'A'] }], 'SyntaxError'],
    ['a signal that is none', ['ws://127.0.0.1/', { signal: 'stop' }], 'TypeError'],
    ['a limit that is none', ['ws://127.0.0.1/', { maxMessageBytes: -1 }], 'RangeError'],
  ])('with %s throws', (_what, args, name) => {
    expect(() => new WebSocketStream(...(args as [string]))).toThrow(expect.objectContaining({ name }));
  });

  it('in a page without a WebSocketStream of its own is refused', () => {
    vi.stubGlobal('process', undefined);
    const construct = (): unknown => new WebSocketStream('ws://127.0.0.1/');
    expect(construct).toThrow(expect.objectContaining({ name: 'NotSupportedError' }));
  });

  it('connects, and gives the right types', async () => {
    const url = await echoUrl();
    const stream = new WebSocketStream(new URL(url.replace('ws:', 'http:')));
    expect([stream.url, String(stream)]).toEqual([url, '[object WebSocketStream]']);
    const { readable, writable, protocol, extensions } = await stream.opened;
    expect(stream.opened).toBe(stream.opened);
    ReadableStream.prototype.getReader.call(readable).releaseLock();
    WritableStream.prototype.getWriter.call(writable).releaseLock();
    expect([protocol, extensions]).toEqual(['', '']);
    const [reader, writer] = [readable.getReader(), writable.getWriter()];
    await writer.write('text');
    await writer.write(Uint8Array.of(1, 2));
    expect((await reader.read()).value).toBe('text');
    expect((await reader.read()).value).toEqual(Uint8Array.of(1, 2));
    stream.close({ closeCode: 3456, reason: 'pizza' });
    expect(await stream.closed).toEqual({ closeCode: 3456, reason: 'pizza' });
  });

  it('offers subprotocols and tells which one was chosen (§4.1)', async () => {
    const url = await echoUrl({ protocols: ['beta', 'alpha'] });
    const stream = new WebSocketStream(url, { protocols: ['alpha', 'beta'] });
    expect((await stream.opened).protocol).toBe('beta');
    stream.close();
    await stream.closed;
  });

  it('fails where the server chooses none of the subprotocols', async () => {
    const stream = new WebSocketStream(await echoUrl(), { protocols: ['alpha'] });
    expect(await rejection(stream.opened)).toBeInstanceOf(WebSocketError);
    expect(await rejection(stream.closed)).toMatchObject({ name: 'WebSocketError', closeCode: 1006 });
  });

  it('takes messages up to maxMessageBytes', async () => {
    const stream = new WebSocketStream(await echoUrl(), { maxMessageBytes: 10 });
    const { readable, writable } = await stream.opened;
    const [reader, writer] = [readable.getReader(), writable.getWriter()];
    await writer.write('x'.repeat(10));
    await writer.write('x'.repeat(11));
    expect((await reader.read()).value).toHaveLength(10);
    const error = await rejection(stream.closed);
    expect(error).toMatchObject({ cause: { code: 'WS_ERR_MESSAGE_TOO_LARGE' } });
    expect(await rejection(reader.read())).toBe(error);
  });
});

describe('a connection that is not established', () => {
  it('rejects both promises, with the cause', async () => {
    const stream = new WebSocketStream(await echoUrl({ path: '/echo' }));
    const [opened, closed] = [await rejection(stream.opened), await rejection(stream.closed)];
    expect(opened).toBeInstanceOf(WebSocketError);
    expect(opened).toMatchObject({ closeCode: null, reason: '' });
    expect(closed).toMatchObject({ name: 'WebSocketError', closeCode: 1006, reason: '' });
    expect((opened as Error).cause).toBeInstanceOf(HandshakeError);
    expect((opened as Error).cause).toMatchObject({ status: 404 });
  });

  it('does not end the process when nobody looks', async () => {
    // That an unhandled rejection fails a test is the law of all specs.
    const { port } = await byteServer((socket) => socket.destroy());
    const stream = new WebSocketStream(`ws://127.0.0.1:${port}`);
    await stream.opened.catch(() => {});
    await turns();
  });

  it('is ended by close()', async () => {
    const { seen, url } = await silentServer();
    const stream = new WebSocketStream(url);
    await until(() => seen.sockets === 1);
    expect(() => stream.close({ closeCode: 1001 })).toThrow(DOMException);
    stream.close({ closeCode: 4000 });
    expect(await rejection(stream.opened)).toBeInstanceOf(WebSocketError);
    expect(await rejection(stream.closed)).toMatchObject({ name: 'WebSocketError', closeCode: 1006 });
    await until(() => seen.ended === 1);
  });

  it('is never begun when close() comes at once', async () => {
    const { seen, url } = await silentServer();
    const stream = new WebSocketStream(url);
    stream.close();
    expect(await rejection(stream.closed)).toBeInstanceOf(WebSocketError);
    await turns();
    expect(seen.sockets).toBe(0);
  });

  it('is never begun with a signal that has aborted, whose reason both promises reject with', async () => {
    const { seen, url } = await silentServer();
    const signal = AbortSignal.abort();
    const stream = new WebSocketStream(url, { signal });
    expect(await rejection(stream.opened)).toBe(signal.reason);
    expect(await rejection(stream.closed)).toBe(signal.reason);
    expect(signal.reason).toMatchObject({ name: 'AbortError' });
    await turns();
    expect(seen.sockets).toBe(0);
  });

  it('is ended by the signal, with its reason', async () => {
    const { seen, url } = await silentServer();
    const controller = new AbortController();
    const stream = new WebSocketStream(url, { signal: controller.signal });
    await until(() => seen.sockets === 1);
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect(await rejection(stream.opened)).toBe(reason);
    expect(await rejection(stream.closed)).toBe(reason);
    await until(() => seen.ended === 1);
  });
});

describe('a connection that is established in the moment in which it is given up', () => {
  const CONNECT = '../../lib/endpoint/client/connect.ts';

  afterEach(() => {
    vi.doUnmock(CONNECT);
  });

  it.each([
    ['close()', 'WebSocketError'],
    ['the signal', 'AbortError'],
  ])('is cut, by %s', async (way, name) => {
    const { client, server } = createPair();
    const controller = new AbortController();
    vi.doMock(CONNECT, () => ({
      connect: async () => {
        if (way === 'close()') stream.close();
        else controller.abort();
        return client;
      },
    }));
    const stream = new WebSocketStream('ws://127.0.0.1:1/', { signal: controller.signal });
    expect(await rejection(stream.opened)).toMatchObject({ name });
    expect(await rejection(stream.closed)).toMatchObject({ name });
    expect((await server.closeInfo).code).toBe(1006);
  });
});

describe('a connection that stands', () => {
  it('is not touched by the signal, and leaves no listener on it', async () => {
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const stream = new WebSocketStream(await echoUrl(), { signal: controller.signal });
    const { readable, writable } = await stream.opened;
    await turns();
    expect(removed).toHaveBeenCalled();
    controller.abort();
    await writable.getWriter().write('connected');
    expect((await readable.getReader().read()).value).toBe('connected');
    stream.close();
    await stream.closed;
  });

  it.each([
    [undefined, 1005, ''],
    [{}, 1005, ''],
    [{ reason: '' }, 1005, ''],
    [{ reason: 'non-empty' }, 1000, 'non-empty'],
    [{ closeCode: 3456, reason: 'pizza' }, 3456, 'pizza'],
  ])('is closed with %o, and gives what the server says', async (info, closeCode, reason) => {
    const stream = new WebSocketStream(await echoUrl());
    await stream.opened;
    stream.close(info);
    expect(await stream.closed).toEqual({ closeCode, reason });
    stream.close();
  });

  it.each<readonly [unknown, string]>([
    [true, 'TypeError'],
    [{ reason: 'x'.repeat(124) }, 'SyntaxError'],
    ...[999, 1001, 2999, 5000].map((closeCode) => [{ closeCode }, 'InvalidAccessError'] as const),
  ])('is not closed with %o: %s', async (info, name) => {
    const stream = new WebSocketStream(await echoUrl());
    await stream.opened;
    expect(() => stream.close(info as never)).toThrow(expect.objectContaining({ name }));
    stream.close();
    await stream.closed;
  });

  it('rejects closed with the error of its streams where it is cut (§7.1.5)', async () => {
    const server = await boundServer();
    onTestFinished(() => server.drop());
    const stream = new WebSocketStream(`ws://127.0.0.1:${server.port}`);
    (await server.accept())!.forceClose();
    const { readable, writable } = await stream.opened;
    const error = await rejection(stream.closed);
    expect(error).toBeInstanceOf(WebSocketError);
    expect(error).toMatchObject({ closeCode: 1006 });
    expect(await rejection(readable.getReader().read())).toBe(error);
    expect(await rejection(writable.getWriter().ready)).toBe(error);
  });

  it('carries a pipe from end to end: piped into itself, it echoes', async () => {
    const server = await boundServer();
    const stream = new WebSocketStream(`ws://127.0.0.1:${server.port}`);
    const conn = (await server.accept())!;
    const { readable, writable } = await stream.opened;
    const piped = readable.pipeTo(writable).then(
      () => 'done',
      (error: Error) => error.name,
    );
    for (const text of ['one', 'two', 'three']) {
      await conn.sendText(text);
      expect((await conn.recvFrame())!.payloadText()).toBe(text);
    }
    await conn.close(1000);
    expect(await stream.closed).toEqual({ closeCode: 1000, reason: '' });
    // The readable has ended and the writable has failed, both at once: which one a pipe sees first is its own business.
    expect(['done', 'InvalidStateError']).toContain(await piped);
  });
});
