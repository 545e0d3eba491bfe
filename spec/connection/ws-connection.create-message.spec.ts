import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { isClose, meet, type NaivePeer, ROLES, turns, type WireFrame } from '../support/naive-peer.ts';
import { outcome } from '../support/outcome.ts';

const PLACES = ROLES.flatMap((role) => (['tcp', 'memory'] as const).map((over) => ({ role, over })));

/** `opcode`, `!` for FIN, and what it says. */
const shown = (frame: WireFrame | null): string =>
  frame === null
    ? 'end'
    : `${frame.opcode}${frame.isFinal ? '!' : ''} ${frame.payload.length > 99 ? frame.payload.length : frame.payload}`;

async function take(peer: NaivePeer, count: number): Promise<string[]> {
  const frames: string[] = [];
  for (let i = 0; i < count; i++) frames.push(shown(await peer.next()));
  return frames;
}

/** The rest of the messages, whole, up to a close frame or the end. */
async function drain(peer: NaivePeer): Promise<{ messages: Buffer[]; end: WireFrame | null; isCut: boolean }> {
  const messages: Buffer[] = [];
  let parts: Buffer[] = [];
  for (;;) {
    const frame = await peer.next();
    if (frame === null || frame.opcode === 8) return { messages, end: frame, isCut: parts.length > 0 };
    if (frame.opcode > 8) continue;
    expect(frame.payload.length).toBeLessThan(65_537);
    parts.push(frame.payload);
    if (!frame.isFinal) continue;
    messages.push(Buffer.concat(parts));
    parts = [];
  }
}

describe.each(PLACES)('createMessage ($role, $over)', ({ role, over }) => {
  it('sends a message as it is made, control frames between, others behind it in order (§5.4)', async () => {
    const { conn, peer } = await meet(role, { over });
    const message = conn.createMessage('text');
    message.write('a');
    expect(await take(peer, 1)).toEqual(['1 a']);
    const sent = [conn.sendText('one'), conn.sendBinary(Buffer.from('two'))];
    conn.write('three');
    conn.write('four');
    sent.push(conn.sendText('five'));
    // The stream's own queue is not empty now: the next message stands in it.
    const second = conn.createMessage('binary');
    second.end('six');
    sent.push(conn.sendText('seven'));
    void conn.sendPing('p');
    peer.ping('q');
    message.write('b');
    expect((await take(peer, 3)).sort()).toEqual(['0 b', '10! q', '9! p']);
    message.end();
    expect(await take(peer, 9)).toEqual([
      '0! ',
      '1! one',
      '2! two',
      '1! three',
      '1! four',
      '1! five',
      '2 six',
      '0! ',
      '1! seven',
    ]);
    expect((await Promise.all(sent)).every((bytes) => bytes > 0)).toBe(true);
    conn.forceClose();
  });

  it('holds the writer where the peer does not read, in bounded memory, and loses nothing', async () => {
    const { conn, peer } = await meet(role, { over });
    const piece = randomBytes(65_536);
    const message = conn.createMessage('binary');
    let [written, accepted] = [0, 0];
    const total = 400;
    const writing = (async () => {
      for (; written < total; written++) {
        accepted += piece.length;
        if (!message.write(piece)) await new Promise((resolve) => message.once('drain', resolve));
      }
      message.end();
    })();
    for (let before = -1; before !== written; await new Promise((resolve) => setTimeout(resolve, 20))) before = written;
    expect(accepted).toBeLessThan(over === 'memory' ? 600_000 : 20_000_000);
    expect(message.writableNeedDrain).toBe(true);
    expect(conn.bufferedAmount).toBeLessThan(300_000);
    const received = drain(peer);
    await writing;
    await finished(message);
    const info = conn.close();
    const { messages } = await received;
    expect(messages.map(({ length }) => length)).toEqual([total * piece.length]);
    peer.close(1000);
    peer.fin();
    expect(await info).toMatchObject({ wasClean: true });
  });

  it('ends a pipeline through gzip', async () => {
    const { conn, peer } = await meet(role, { over });
    const data = randomBytes(300_000);
    const received = drain(peer);
    await pipeline(Readable.from([data, data]), createGzip(), conn.createMessage('binary'));
    const info = conn.close();
    const { messages } = await received;
    expect(gunzipSync(messages[0]!).equals(Buffer.concat([data, data]))).toBe(true);
    peer.close(1000);
    peer.fin();
    expect(await info).toMatchObject({ wasClean: true });
  });

  it('destroyed half way fails the connection with 1011, and the peer sees a message that was cut', async () => {
    const { conn, peer } = await meet(role, { over });
    const message = conn.createMessage('text');
    message.write('half');
    const behind = conn.sendText('behind');
    await turns(2);
    message.destroy();
    expect(await behind).toBe(0);
    const { messages, end, isCut } = await drain(peer);
    expect([messages, end?.payload.readUInt16BE(), isCut]).toEqual([[], 1011, true]);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1011, wasClean: false, error: { code: 'WS_ERR_ABANDONED' } });
    expect(await conn.recvFrame()).toBe(null);
  });

  it('is an error for its writer where the connection is cut, and crashes nothing', async () => {
    const { conn, peer } = await meet(role, { over });
    const message = conn.createMessage('binary');
    const done = outcome(finished(message));
    const errors: unknown[] = [];
    const write = (): void => {
      message.write(randomBytes(100_000), (error) => (error ? errors.push(error) : write()));
    };
    write();
    await turns(4);
    peer.reset();
    await conn.closeInfo;
    expect(await done).toMatchObject({ name: 'ClosedError' });
    expect(errors).toHaveLength(1);
    expect(message.destroyed).toBe(true);
    expect(await new Promise((resolve) => void message.write('late', resolve))).toBeInstanceOf(Error);
  });
});

describe('a message of which nothing has left', () => {
  it.each([true, false])(
    "is taken back by destroy(), and the next one goes (in the stream's own queue: %s)",
    async (isQueued) => {
      const { conn, peer } = await meet('server');
      const blocker = isQueued ? conn.createMessage('binary') : undefined;
      if (isQueued) conn.write('queued');
      const message = conn.createMessage('text');
      const next = conn.sendText('next');
      message.destroy();
      blocker?.end();
      expect(await next).toBe(6);
      expect(await take(peer, isQueued ? 3 : 1)).toEqual(isQueued ? ['2! ', '1! queued', '1! next'] : ['1! next']);
      expect(conn.isOpen()).toBe(true);
      conn.forceClose();
    },
  );

  it('is not begun by text that is not UTF-8: a TypeError, and the connection goes on', async () => {
    const { conn, peer } = await meet('client');
    const message = conn.createMessage('text');
    message.end(Buffer.of(0xff));
    expect(await outcome(finished(message))).toBeInstanceOf(TypeError);
    await conn.sendText('fine');
    expect(await take(peer, 1)).toEqual(['1! fine']);
    conn.forceClose();
  });

  it("errs when the connection is cut, though it waits in the stream's own queue", async () => {
    const { conn, peer } = await meet('server');
    const blocker = conn.createMessage('binary');
    conn.write('queued');
    const message = conn.createMessage('text');
    const writing = new Promise((resolve) => void message.write('never', resolve));
    peer.reset();
    await conn.closeInfo;
    expect(await writing).toMatchObject({ name: 'ClosedError' });
    await turns(1);
    expect([blocker.destroyed, message.destroyed]).toEqual([true, true]);
  });
});

describe('text that is not UTF-8 (§8.1)', () => {
  it.each([
    ['further on', (message: NodeJS.WritableStream) => message.write(Buffer.of(0xff))],
    ['at its end', (message: NodeJS.WritableStream) => message.end(Buffer.of(0xe2))],
  ])('%s is a TypeError, and the connection fails with 1011', async (_where, spoil) => {
    const { conn, peer } = await meet('server');
    const message = conn.createMessage('text');
    message.write('fine');
    spoil(message);
    expect(await outcome(finished(message))).toBeInstanceOf(TypeError);
    expect((await peer.find(8))?.payload.readUInt16BE()).toBe(1011);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1011, error: { cause: expect.any(TypeError) } });
  });
});

describe('closing with an open message', () => {
  it.each(['close()', 'end()'])('by %s waits for its end (§5.5.1)', async (how) => {
    const { conn, peer } = await meet('server');
    const message = conn.createMessage('text');
    message.write('a');
    if (how === 'close()') void conn.close(1000);
    else conn.end();
    await turns(2);
    message.write('b');
    message.end();
    expect(await take(peer, 3)).toEqual(['1 a', '0 b', '0! ']);
    expect(await peer.next()).toMatchObject(isClose(1000));
    peer.close(1000);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ wasClean: true });
    await finished(message);
  });

  const closings: [string, (conn: WsConnection) => unknown][] = [
    ['close()', (conn) => conn.close(1000)],
    ['end()', (conn) => conn.end()],
    ['sendClose()', (conn) => conn.sendClose(4000)],
    ['close() behind what is queued', (conn) => conn.write('queued') && conn.write('more') && conn.close(1000)],
  ];

  it.each(ROLES.flatMap((role) => closings.map(([how, close]) => [role, how, close] as const)))(
    'and then destroying it says 1011 at once, instead of what was to be sent (%s, %s)',
    async (role, _how, close) => {
      const { conn, peer } = await meet(role);
      const message = conn.createMessage('text');
      message.write('a');
      const closing = close(conn);
      await turns(2);
      message.destroy();
      const { messages, end, isCut } = await drain(peer);
      expect([messages, end?.payload.readUInt16BE(), isCut]).toEqual([[], 1011, true]);
      // Nothing follows a close frame (§5.5.1).
      peer.close(1011);
      peer.fin();
      expect(await peer.rest()).toEqual([]);
      expect(await conn.closeInfo).toMatchObject({ code: 1011, wasClean: false, error: { code: 'WS_ERR_ABANDONED' } });
      if (_how === 'sendClose()') expect(await closing).toBe(0);
    },
  );

  it.each(ROLES)(
    'by the peer: our answer waits for its end, and goes with it when it is destroyed (%s)',
    async (role) => {
      for (const how of ['end', 'destroy'] as const) {
        const { conn, peer } = await meet(role);
        const message = conn.createMessage('text');
        message.write('a');
        const reading = conn.recvFrame();
        peer.close(1000);
        expect(await reading).toBe(null);
        message[how]();
        const { end, isCut } = await drain(peer);
        expect([end === null, isCut]).toEqual(how === 'end' ? [false, false] : [true, true]);
        peer.fin();
        expect(await conn.closeInfo).toMatchObject({ wasClean: how === 'end' });
      }
    },
  );

  it.each(ROLES)('by a violation: the close frame does not wait for it, and it errs (%s)', async (role) => {
    const { conn, peer } = await meet(role);
    const message = conn.createMessage('text');
    message.write('a');
    const reading = conn.recvFrame();
    peer.send(0, 'stray');
    expect(await reading).toBe(null);
    const { end } = await drain(peer);
    expect(end?.payload.readUInt16BE()).toBe(1002);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1002 });
    await turns(1);
    expect(message.errored).toMatchObject({ code: 'WS_ERR_STRAY_CONTINUATION' });
  });

  it.each(ROLES)("by a violation, though it waits in the stream's own queue (%s)", async (role) => {
    // Nothing ends by the clock here.
    const { conn, peer } = await meet(role, { closeTimeoutMs: 3_600_000 });
    const [first, second] = [Buffer.alloc(1_000_000, 1), Buffer.alloc(1000, 2)];
    conn.write(first);
    conn.write(second);
    const message = conn.createMessage('text');
    message.write('never');
    await turns(2);
    const reading = conn.recvFrame();
    peer.send(0, 'stray');
    expect(await reading).toBe(null);
    const { messages, end, isCut } = await drain(peer);
    expect(messages.map(({ length }) => length)).toEqual([first.length, second.length]);
    expect([end?.payload.readUInt16BE(), isCut]).toEqual([1002, false]);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1002 });
    await turns(1);
    expect(message.errored).toMatchObject({ code: 'WS_ERR_STRAY_CONTINUATION' });
  });
});

describe('bufferedAmount', () => {
  it('counts what was written to messages, wherever they wait, and each byte once', async () => {
    const { conn, peer } = await meet('server');
    const [first, second] = [conn.createMessage('binary'), conn.createMessage('binary')];
    conn.write(Buffer.alloc(10));
    // The stream's own queue is not empty now.
    const third = conn.createMessage('binary');
    for (const message of [second, third]) message.write(Buffer.alloc(1000));
    third.write(Buffer.alloc(500));
    expect(conn.bufferedAmount).toBe(2510);
    third.destroy();
    expect(conn.bufferedAmount).toBe(1010);
    first.write(Buffer.alloc(1_000_000));
    const fromNowOn = conn.bufferedAmount;
    expect(fromNowOn).toBeGreaterThan(900_000);
    expect(fromNowOn).toBeLessThan(1_002_000);
    for (const message of [first, second]) message.end();
    peer.listen();
    await Promise.all([finished(first), finished(second)]);
    while (conn.bufferedAmount > 0) await turns(1);
    expect(conn.bufferedAmount).toBe(0);
    conn.forceClose();
  });
});

describe('the caller', () => {
  it('may not begin one inside raw fragments (§5.4): TypeError', async () => {
    const { conn, peer } = await meet('server');
    await conn.sendFrame(new WsFrame(1, Buffer.from('a'), { isFinal: false }));
    expect(() => conn.createMessage('text')).toThrow(TypeError);
    await conn.sendFrame(new WsFrame(0, Buffer.from('b')));
    conn.createMessage('text').end('c');
    expect(await take(peer, 4)).toEqual(['1 a', '0! b', '1 c', '0! ']);
    conn.forceClose();
  });

  it('may send raw fragments behind an open one; they keep their order', async () => {
    const { conn, peer } = await meet('client');
    const message = conn.createMessage('binary');
    void conn.sendFrame(new WsFrame(1, Buffer.from('a'), { isFinal: false }));
    void conn.sendFrame(new WsFrame(0, Buffer.from('b')));
    message.end('first');
    expect(await take(peer, 4)).toEqual(['2 first', '0! ', '1 a', '0! b']);
    conn.forceClose();
  });

  it.each([['TEXT'], [1], [undefined]])('may not ask for the type %j: TypeError', async (type) => {
    const { conn } = await meet('server');
    expect(() => conn.createMessage(type as 'text')).toThrow(TypeError);
    conn.forceClose();
  });

  it.each(['closing', 'closed'])('gets a destroyed one when the connection is %s', async (state) => {
    const { conn, peer } = await meet('server');
    if (state === 'closing') void conn.close();
    else conn.forceClose();
    const message = conn.createMessage('text');
    expect(await new Promise((resolve) => void message.write('late', resolve))).toBeInstanceOf(Error);
    expect([message.destroyed, await outcome(finished(message))]).toMatchObject([true, { name: 'ClosedError' }]);
    expect(await outcome(pipeline(Readable.from(['a']), conn.createMessage('text')))).toBeInstanceOf(Error);
    peer.reset();
    await conn.closeInfo;
  });
});
