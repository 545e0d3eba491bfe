import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { WsMessage } from '../../lib/connection/reading/ws-message.ts';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import type { WsFrame } from '../../lib/protocol/frame.ts';
import { closeBody, meet, ROLES, turns } from '../support/naive-peer.ts';
import { outcome } from '../support/outcome.ts';
import { pattern } from '../vectors/frames.ts';

const locked = expect.objectContaining({ code: 'WS_ERR_LOCKED' });
const nextOf = async (messages: AsyncIterator<WsMessage>): Promise<WsMessage> => (await messages.next()).value;
const textOf = async (conn: WsConnection): Promise<string | undefined> => (await conn.recvFrame())?.payloadText();

describe('while messages() reads', () => {
  const others: [string, (conn: WsConnection) => unknown][] = [
    ['messages()', (conn) => conn.messages()],
    ['byteStream()', (conn) => conn.byteStream()],
    ['toWeb()', (conn) => conn.toWeb()],
    ['fragments()', (conn) => conn.fragments()],
    ['recvFrame()', (conn) => conn.recvFrame()],
    ['a loop', (conn) => conn[Symbol.asyncIterator]()],
    ['read()', (conn) => conn.read()],
    ['resume()', (conn) => conn.resume()],
    ["on('data')", (conn) => conn.on('data', () => {})],
  ];

  it.each(others)('%s fails with WS_ERR_LOCKED, and takes nothing', async (_what, read) => {
    const { conn, peer } = await meet('server');
    const messages = conn.messages();
    peer.text('a');
    await turns();
    const error = await outcome((async () => read(conn))());
    expect(error).toEqual(locked);
    expect(await (await nextOf(messages)).text()).toBe('a');
    conn.forceClose();
  });

  const listening: [string, (conn: WsConnection) => unknown][] = [
    ["on('data')", (conn) => conn.on('data', () => {})],
    ["addListener('data')", (conn) => conn.addListener('data', () => {})],
    ["once('data')", (conn) => conn.once('data', () => {})],
    ["on('readable')", (conn) => conn.on('readable', () => {})],
    ['pipe()', (conn) => conn.pipe(sink)],
  ];
  const sink = new Writable({ objectMode: true });
  const listenersOf = (stream: NodeJS.EventEmitter) => stream.eventNames().map((name) => stream.listenerCount(name));

  it.each(listening)('%s throws, and leaves nothing behind', async (_what, read) => {
    const { conn, peer } = await meet('server');
    const messages = conn.messages();
    const before = [listenersOf(conn), listenersOf(sink)];
    expect(() => read(conn)).toThrow(locked);
    expect([listenersOf(conn), listenersOf(sink)]).toEqual(before);
    peer.text('a');
    expect(await (await nextOf(messages)).text()).toBe('a');
    await messages.return();
    peer.text('b');
    expect((await conn.recvFrame())?.payloadText()).toBe('b');
    conn.forceClose();
  });

  it('a loop that was open before finds it locked', async () => {
    const { conn, peer } = await meet('server');
    const loop = conn[Symbol.asyncIterator]();
    peer.text('a');
    expect((await loop.next()).value.payloadText()).toBe('a');
    const messages = conn.messages();
    expect(await outcome(loop.next())).toEqual(locked);
    await loop.return();
    await messages.return();
    expect(await outcome(loop.next())).toBe('done');
    conn.forceClose();
  });
});

describe('messages() cannot be called', () => {
  const readers: [string, (conn: WsConnection) => unknown][] = [
    ['recvFrame() waits', (conn) => conn.recvFrame()],
    ['a loop waits', (conn) => conn[Symbol.asyncIterator]().next()],
    ['data flows', (conn) => conn.on('data', () => {})],
    ['data would flow, but is paused', (conn) => conn.on('data', () => {}).pause()],
    ["somebody listens to 'readable'", (conn) => conn.on('readable', () => {})],
  ];

  it.each(readers)('while %s', async (_what, read) => {
    const { conn } = await meet('server');
    const reading = read(conn);
    await turns(1);
    expect(() => conn.messages()).toThrow(locked);
    conn.forceClose();
    if (reading instanceof Promise) await reading;
  });

  it.each([
    [{ maxMessageBytes: -1 }, RangeError],
    [{ maxMessageBytes: '1' as unknown as number }, TypeError],
    [{ onAbandoned: 'ignore' as 'close' }, TypeError],
  ])('with %j, and then locks nothing', async (options, kind) => {
    const { conn } = await meet('server');
    expect(() => conn.messages(options)).toThrow(kind);
    await conn.messages().return();
    conn.forceClose();
  });
});

describe.each(ROLES)('leaving the loop (%s)', (role) => {
  it.each(['inside', 'behind', 'before'])(
    '%s a message gives the next reader the next whole message',
    async (where) => {
      const { conn, peer } = await meet(role);
      const large = peer.encode(2, pattern(200_000));
      if (where === 'before') {
        const messages = conn.messages();
        void messages.next();
        await turns(1);
        await messages.return();
        peer.raw(large);
        expect((await conn.recvFrame())?.payload).toHaveLength(200_000);
      } else {
        peer.raw(large.subarray(0, 100_000));
        for await (const message of conn.messages()) {
          if (where === 'behind') {
            peer.raw(large.subarray(100_000));
            expect(await message.bytes()).toHaveLength(200_000);
          }
          break;
        }
        if (where === 'inside') peer.raw(large.subarray(100_000));
      }
      peer.text('one');
      peer.text('two');
      peer.text('three');
      expect(await textOf(conn)).toBe('one');
      expect(await (await nextOf(conn.messages())).text()).toBe('two');
      conn.forceClose();
    },
  );

  it('by a throw lets another loop, a data listener or another messages() read', async () => {
    const { conn, peer } = await meet(role);
    peer.send(1, 'a', false);
    const failed = (async () => {
      for await (const message of conn.messages()) throw new Error(message.type);
    })();
    expect(await outcome(failed)).toMatchObject({ message: 'text' });
    peer.send(0, 'rest');
    for (const text of ['b', 'c', 'd', 'e']) peer.text(text);
    for await (const frame of conn) {
      expect(frame.payloadText()).toBe('b');
      break;
    }
    for await (const message of conn.messages()) {
      expect(await message.text()).toBe('c');
      break;
    }
    const got: string[] = [];
    conn.on('data', (frame: WsFrame) => got.push(frame.payloadText()));
    await turns();
    expect(got).toEqual(['d', 'e']);
    conn.forceClose();
  });
});

describe('messages() that is called late', () => {
  it('gets what nobody has read, unassembled', async () => {
    const { conn, peer } = await meet('server', { maxMessageBytes: 5 });
    peer.text('early');
    peer.send(1, 'more than ', false);
    await turns();
    const messages = conn.messages();
    expect(await (await nextOf(messages)).text()).toBe('early');
    const message = await nextOf(messages);
    peer.send(0, 'five');
    expect(await message.text()).toBe('more than five');
    conn.forceClose();
  });

  it('gets all of a message that an aborted recvFrame had begun to put together (§5.4)', async () => {
    const { conn, peer } = await meet('server');
    const controller = new AbortController();
    const waiting = outcome(conn.recvFrame({ signal: controller.signal }));
    peer.send(1, 'be', false);
    peer.send(0, 'gu', false);
    await turns();
    controller.abort();
    expect(await waiting).toMatchObject({ name: 'AbortError' });
    const message = await nextOf(conn.messages());
    peer.send(0, 'n');
    expect([message.type, await message.text()]).toEqual(['text', 'begun']);
    conn.forceClose();
  });

  it('gets first what the reading side of the stream has read ahead', async () => {
    const { conn, peer } = await meet('server');
    expect(conn.read()).toBe(null);
    for (const text of ['a', 'b', 'c']) peer.text(text);
    await turns();
    expect(conn.readableLength).toBeGreaterThan(0);
    const texts: string[] = [];
    for await (const message of conn.messages()) {
      texts.push(await message.text());
      if (texts.length === 2) break;
    }
    expect([...texts, await textOf(conn)]).toEqual(['a', 'b', 'c']);
    conn.forceClose();
  });

  it('after a read() that had nothing is not closed before its last message is answered', async () => {
    const { conn, peer } = await meet('server');
    expect(conn.read()).toBe(null);
    const messages = conn.messages();
    peer.raw(Buffer.concat([peer.encode(1, 'a'), peer.encode(8, closeBody(1000))]));
    expect(await (await nextOf(messages)).text()).toBe('a');
    await turns();
    expect(await conn.sendText('answer')).toBe(8);
    expect((await messages.next()).done).toBe(true);
    peer.listen().fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });

  it.each(['controlFrames', 'autoPong'])('passes over control frames, whatever %s says (§5.5)', async (option) => {
    const { conn, peer } = await meet('server', option === 'autoPong' ? { autoPong: false } : { controlFrames: true });
    peer.ping('x');
    peer.send(1, 'a', false);
    peer.ping('y');
    peer.send(0, 'b');
    peer.close(1000);
    const texts: string[] = [];
    for await (const message of conn.messages()) texts.push(await message.text());
    expect(texts).toEqual(['ab']);
    peer.listen().fin();
    expect(await conn.closeInfo).toMatchObject({ wasClean: true });
  });

  it('on a connection that is over just ends', async () => {
    const { conn } = await meet('server');
    conn.forceClose();
    expect(await conn.messages().next()).toEqual({ value: undefined, done: true });
    expect(await conn.recvFrame()).toBe(null);
  });
});
