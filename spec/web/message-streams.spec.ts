import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EstablishedOptions } from '../../lib/connection/connection-arguments.ts';
import { ProtocolError } from '../../lib/errors.ts';
import { MessageStreams } from '../../lib/web/message-streams.ts';
import { WebSocketError } from '../../lib/web/web-socket-error.ts';
import { turns, until } from '../support/endpoints.ts';
import { closeBody, isClose, meet } from '../support/naive-peer.ts';

async function streams(options?: EstablishedOptions & { over?: 'tcp' | 'memory' }) {
  const { conn, peer, socket } = await meet('client', options);
  onTestFinished(() => conn.forceClose());
  const faces = new MessageStreams(conn);
  return { conn, peer, socket, faces, reader: faces.readable.getReader(), writer: faces.writable.getWriter() };
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => Promise.reject(new Error(`it resolved with ${JSON.stringify(value)}`)),
    (error) => error,
  );

const MIB = 1_048_576;

describe('reading', () => {
  it('gives one chunk for one message: a string for text, a Uint8Array for binary (§5.6)', async () => {
    const { peer, reader } = await streams();
    peer.text('hällo');
    peer.send(1, '');
    peer.send(2, Buffer.of(1, 2));
    peer.send(2, Buffer.of(3), false);
    peer.send(9, 'ping');
    peer.send(0, Buffer.of(4));
    expect((await reader.read()).value).toBe('hällo');
    expect((await reader.read()).value).toBe('');
    for (const bytes of [
      [1, 2],
      [3, 4],
    ]) {
      const chunk = (await reader.read()).value as Uint8Array;
      expect(Object.getPrototypeOf(chunk)).toBe(Uint8Array.prototype);
      expect([...chunk]).toEqual(bytes);
      // Its own memory, which the reader may transfer.
      expect(chunk.buffer.byteLength).toBe(2);
    }
    expect(await peer.next()).toMatchObject({ opcode: 10 });
  });

  it('gives a message that has its memory for itself without another copy', async () => {
    const { peer, reader } = await streams({ over: 'tcp' });
    peer.send(2, Buffer.alloc(3 * MIB, 7));
    const chunk = (await reader.read()).value as Uint8Array;
    expect(Object.getPrototypeOf(chunk)).toBe(Uint8Array.prototype);
    expect([chunk.length, chunk.buffer.byteLength, chunk[MIB]]).toEqual([3 * MIB, 3 * MIB, 7]);
  });

  it('stops the socket while messages are unread, and loses none of them', async () => {
    const { peer, socket, reader } = await streams({ over: 'tcp' });
    const total = 64;
    const payload = Buffer.alloc(MIB);
    for (let index = 0; index < total; index++) {
      payload.writeUInt32BE(index);
      peer.send(2, payload);
    }
    const { bytesRead } = socket as Socket;
    let before = -1;
    // What the connection and the system hold fills up; then nothing moves any more.
    await until(() => {
      const now = (socket as Socket).bytesRead;
      const isStill = now > bytesRead && now === before;
      before = now;
      return isStill;
    });
    await turns(50);
    expect((socket as Socket).bytesRead).toBeLessThan(8 * MIB);
    expect(peer.socket.writableLength).toBeGreaterThan(total * MIB * 0.5);
    for (let index = 0; index < total; index++) {
      const { value } = await reader.read();
      expect(Buffer.from(value as Uint8Array).readUInt32BE()).toBe(index);
    }
  });
});

describe('writing', () => {
  it('sends strings as text and bytes as binary, each as one message (§5.6)', async () => {
    const { peer, writer } = await streams();
    await writer.write('hällo');
    await writer.write(Uint8Array.of(1, 2, 3).subarray(1));
    await writer.write(Uint8Array.of(4).buffer);
    await writer.write(7 as never);
    expect(await peer.next()).toMatchObject({ opcode: 1, payload: Buffer.from('hällo'), isMasked: true });
    expect(await peer.next()).toMatchObject({ opcode: 2, payload: Buffer.of(2, 3) });
    expect(await peer.next()).toMatchObject({ opcode: 2, payload: Buffer.of(4) });
    expect(await peer.next()).toMatchObject({ opcode: 1, payload: Buffer.from('7') });
  });

  it('takes a copy at once: bytes that are changed behind a write leave as they were', async () => {
    const { peer, writer } = await streams();
    const bytes = new Uint8Array(200_000).fill(1);
    await writer.ready;
    const written = writer.write(bytes);
    bytes.fill(9);
    const first = await peer.next();
    expect(first!.payload.every((byte) => byte === 1)).toBe(true);
    while (!(await peer.next())!.isFinal);
    await written;
  });

  it('resolves a write when there is room for more, not before', async () => {
    const { peer, writer } = await streams({ over: 'tcp' });
    let isWritten = false;
    const written = writer.write(new Uint8Array(32 * MIB)).then(() => {
      isWritten = true;
    });
    await turns(50);
    expect(isWritten).toBe(false);
    while (!(await peer.next())!.isFinal);
    await written;
  });

  it('rejects a chunk that cannot be sent, and leaves the connection open', async () => {
    const { peer, conn, reader, writer } = await streams();
    expect(await rejection(writer.write(Symbol('chunk') as never))).toBeInstanceOf(TypeError);
    expect(conn.isOpen()).toBe(true);
    peer.text('still here');
    expect((await reader.read()).value).toBe('still here');
  });
});

describe('closing', () => {
  it.each([
    [{ code: null, reason: '' }, closeBody(), 1005],
    [{ code: null, reason: 'bye' }, closeBody(1000, 'bye'), 1000],
    [{ code: 4999, reason: '' }, closeBody(4999), 4999],
    [{ code: 3456, reason: 'pizza' }, closeBody(3456, 'pizza'), 3456],
  ])('sends %o and gives what comes back (§7.1.2)', async (closeArguments, body, closeCode) => {
    const { peer, faces, reader, writer } = await streams();
    faces.closeWebSocket(closeArguments);
    faces.closeWebSocket({ code: 4000, reason: 'again' });
    const frame = await peer.next();
    expect(frame).toMatchObject({ opcode: 8, payload: body });
    peer.send(8, frame!.payload);
    peer.fin();
    expect(await faces.outcome).toMatchObject({ closeCode, error: undefined });
    expect((await reader.read()).done).toBe(true);
    expect(await rejection(writer.closed)).toMatchObject({ name: 'InvalidStateError' });
  });

  it('throws for a code or a reason that may not be sent, and does not close', async () => {
    const { conn, faces } = await streams();
    expect(() => faces.closeWebSocket({ code: 1001, reason: '' })).toThrow('1001');
    expect(() => faces.closeWebSocket({ code: null, reason: 'x'.repeat(124) })).toThrow('124');
    expect(conn.isOpen()).toBe(true);
  });

  it('gives no message that comes from then on, and ends though nobody reads', async () => {
    const { peer, faces, reader } = await streams();
    for (const text of ['one', 'two', 'three']) peer.text(text);
    await turns();
    faces.closeWebSocket({ code: null, reason: '' });
    peer.text('four');
    await peer.find(8);
    peer.close(1000);
    peer.fin();
    expect(await faces.outcome).toMatchObject({ closeCode: 1000 });
    // The one that the readable had taken already.
    expect((await reader.read()).value).toBe('one');
    expect((await reader.read()).done).toBe(true);
  });

  it('by the writer is an empty close frame behind what was written, and is done with the handshake (§7.1.1)', async () => {
    const { peer, faces, reader, writer } = await streams();
    let isClosed = false;
    void writer.write('last');
    const closed = writer.close().then(() => {
      isClosed = true;
    });
    expect(await peer.next()).toMatchObject({ opcode: 1 });
    expect(await peer.next()).toEqual(expect.objectContaining(isClose()));
    await turns();
    expect(isClosed).toBe(false);
    peer.close();
    peer.fin();
    await closed;
    await writer.closed;
    expect(await faces.outcome).toMatchObject({ closeCode: 1005, reason: '', error: undefined });
    expect((await reader.read()).done).toBe(true);
  });

  it('by the writer fails where the peer does not answer', async () => {
    const { peer, faces, reader, writer } = await streams();
    const closed = rejection(writer.close());
    await peer.find(8);
    peer.reset();
    const error = await closed;
    expect(error).toBeInstanceOf(WebSocketError);
    expect(error).toMatchObject({ closeCode: 1006 });
    expect((await faces.outcome).error).toBe(error);
    expect(await rejection(reader.read())).toBe(error);
  });

  it('makes a later write fail', async () => {
    const { peer, faces, writer } = await streams();
    faces.closeWebSocket({ code: null, reason: '' });
    const late = rejection(writer.write('late'));
    await peer.find(8);
    peer.close();
    peer.fin();
    expect(await late).toMatchObject({ name: 'InvalidStateError' });
    expect(await peer.next()).toBeNull();
  });

  const ways = [
    ['undefined', undefined, closeBody()],
    ['a look-alike', { closeCode: 3333, reason: 'obsolete' }, closeBody()],
    ['another DOMException', Object.assign(new DOMException('', 'DataCloneError'), { closeCode: 1000 }), closeBody()],
    ['a WebSocketError', new WebSocketError(), closeBody()],
    ['a WebSocketError with a code', new WebSocketError('', { closeCode: 3333 }), closeBody(3333)],
    ['a WebSocketError with a reason', new WebSocketError('', { reason: 'why' }), closeBody(1000, 'why')],
    ['one with both', new WebSocketError('', { closeCode: 3456, reason: 'set' }), closeBody(3456, 'set')],
  ] as const;

  it.each(
    ways.flatMap(
      ([what, reason, body]) =>
        [
          ['abort', what, reason, body],
          ['cancel', what, reason, body],
        ] as const,
    ),
  )('by %s with %s', async (method, _what, reason, body) => {
    const { peer, faces, reader, writer } = await streams();
    if (method === 'abort') await writer.abort(reason);
    else await reader.cancel(reason);
    const frame = await peer.find(8);
    expect(frame!.payload).toEqual(body);
    peer.send(8, frame!.payload);
    peer.fin();
    expect((await faces.outcome).error).toBeUndefined();
    expect((await reader.read()).done).toBe(true);
    const closed = await rejection(writer.closed);
    if (method === 'abort') expect(closed).toBe(reason);
    else expect(closed).toMatchObject({ name: 'InvalidStateError' });
  });

  it('by abort with the error that another connection ended with discards its code', async () => {
    const first = await streams();
    first.peer.reset();
    const { error } = await first.faces.outcome;
    const { peer, writer } = await streams();
    await writer.abort(error);
    expect((await peer.find(8))!.payload).toEqual(closeBody());
  });

  it('by abort does not wait for a write that the peer does not read', async () => {
    const { writer } = await streams({ over: 'tcp' });
    const written = rejection(writer.write(new Uint8Array(32 * MIB)));
    await turns();
    const reason = new Error('never mind');
    await writer.abort(reason);
    expect(await written).toBe(reason);
  });
});

describe('the end from the other side', () => {
  it('is clean with a close frame: the readable ends, the writable fails with InvalidStateError (§7.1.4)', async () => {
    const { peer, faces, reader, writer } = await streams();
    peer.text('last');
    peer.close(4000, 'ロボット');
    expect((await reader.read()).value).toBe('last');
    expect(await peer.next()).toEqual(expect.objectContaining(isClose(4000, 'ロボット')));
    peer.fin();
    expect(await faces.outcome).toEqual({ closeCode: 4000, reason: 'ロボット', error: undefined });
    expect((await reader.read()).done).toBe(true);
    expect(await rejection(writer.ready)).toMatchObject({ name: 'InvalidStateError', code: 11 });
    expect(await rejection(writer.write('late'))).toMatchObject({ name: 'InvalidStateError' });
  });

  it('is noticed without a reader', async () => {
    const { peer, faces, reader } = await streams();
    peer.close();
    await peer.find(8);
    peer.fin();
    expect(await faces.outcome).toMatchObject({ closeCode: 1005, reason: '' });
    await reader.closed;
  });

  it("gives the peer's words where both close (§7.1.5)", async () => {
    const { peer, faces } = await streams();
    peer.close(4222, 'remote');
    faces.closeWebSocket({ code: 4111, reason: 'local' });
    await peer.find(8);
    peer.fin();
    expect(await faces.outcome).toMatchObject({ closeCode: 4222, reason: 'remote', error: undefined });
  });

  it('is not clean with a write under way: all fail with the same error, which has the code', async () => {
    const { peer, faces, reader, writer } = await streams({ over: 'tcp', closeTimeoutMs: 100_000 });
    const written = rejection(writer.write(new Uint8Array(32 * MIB)));
    const next = rejection(writer.write('word'));
    await turns();
    peer.close(4567, 'gone');
    const { closeCode, reason, error } = await faces.outcome;
    expect([closeCode, reason]).toEqual([4567, 'gone']);
    expect(error).toBeInstanceOf(WebSocketError);
    expect(error).toMatchObject({ closeCode: 4567, reason: 'gone' });
    for (const failed of [written, next, rejection(reader.read()), rejection(writer.closed)]) {
      expect(await failed).toBe(error);
    }
  });

  it.each(['fin', 'reset'] as const)('is not clean without a close frame (%s, §7.1.5)', async (way) => {
    const { peer, faces, reader, writer } = await streams({ over: 'tcp' });
    peer[way]();
    const { closeCode, error } = await faces.outcome;
    expect(closeCode).toBe(1006);
    expect(error).toMatchObject({ name: 'WebSocketError', closeCode: 1006, reason: '' });
    expect(error!.cause).toMatchObject({ code: 'WS_ERR_CLOSED' });
    expect(await rejection(reader.read())).toBe(error);
    expect(await rejection(writer.ready)).toBe(error);
    expect(await rejection(writer.write('late'))).toBe(error);
  });

  it('lets the messages be read that came before a cut', async () => {
    const { peer, faces, reader } = await streams();
    for (const text of ['one', 'two', 'three']) peer.text(text);
    await turns();
    peer.fin();
    const { error } = await faces.outcome;
    for (const text of ['one', 'two', 'three']) expect((await reader.read()).value).toBe(text);
    expect(await rejection(reader.read())).toBe(error);
  });

  it('is 1006 where the peer broke the protocol and said nothing (§7.1.7)', async () => {
    const { peer, faces, reader } = await streams();
    peer.raw(Buffer.of(0xf1, 0));
    expect((await peer.find(8))!.payload.readUInt16BE()).toBe(1002);
    peer.fin();
    const { closeCode, reason, error } = await faces.outcome;
    expect([closeCode, reason]).toEqual([1006, '']);
    expect(error!.cause).toBeInstanceOf(ProtocolError);
    expect(await rejection(reader.read())).toBe(error);
  });
});
