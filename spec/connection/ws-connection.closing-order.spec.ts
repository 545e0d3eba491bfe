/** A close takes its place behind the messages before it: it waits for the reader, and no message is lost to it. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ClosedError } from '../../lib/errors.ts';
import { WS_STATE_CLOSING } from '../../lib/protocol/closing.ts';
import type { WsFrame } from '../../lib/protocol/frame.ts';
import { closeBody, isClose, meet, ROLES, turns } from '../support/naive-peer.ts';
import { endTransport } from '../support/peer-endings.ts';

describe.each(ROLES)('a close travels in order (%s)', (role) => {
  it('leaves the connection open until the reader asks for what comes after the last message', async () => {
    const { conn, peer } = await meet(role);
    peer.text('last');
    peer.close(1000);
    expect((await conn.recvFrame())?.payloadText()).toBe('last');
    await turns();
    expect(conn.isOpen()).toBe(true);
    expect(await conn.sendText('answer')).toBe(role === 'client' ? 12 : 8);
    expect(await conn.recvFrame()).toBeNull();
    expect(conn.state).toBe(WS_STATE_CLOSING);
    expect(await peer.next()).toMatchObject({ opcode: 1, payload: Buffer.from('answer') });
    expect(await peer.next()).toMatchObject(isClose(1000));
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true, initiator: 'remote' });
  });

  it('lets a loop answer every message, though close and FIN came right behind them', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp' });
    const messages = Array.from({ length: 200 }, (_, i) => `message ${i}`);
    peer.raw(Buffer.concat([...messages.map((text) => peer.encode(1, text)), peer.encode(8, closeBody(1001))]));
    peer.fin();
    for await (const frame of conn) {
      await new Promise(setImmediate);
      expect(await conn.sendText(frame.payloadText())).toBeGreaterThan(0);
    }
    const frames = await peer.rest();
    expect(frames.map(({ payload }) => payload.toString())).toEqual([...messages, closeBody(1001).toString()]);
    expect(await conn.closeInfo).toMatchObject({ code: 1001, wasClean: true, initiator: 'remote' });
  });

  it('answers at once where a reader waits already', async () => {
    const { conn, peer } = await meet(role);
    const next = conn.recvFrame();
    peer.close(1000);
    expect(await next).toBeNull();
    expect(await peer.next()).toMatchObject(isClose(1000));
  });

  it('answers at once where several readers wait: all get null', async () => {
    const { conn, peer } = await meet(role);
    const all = [conn.recvFrame(), conn.recvFrame(), conn[Symbol.asyncIterator]().next()];
    peer.text('for the first');
    peer.close(1000);
    const [first, second, third] = await Promise.all(all);
    expect((first as WsFrame).payloadText()).toBe('for the first');
    expect(second).toBeNull();
    expect(third).toEqual({ value: undefined, done: true });
  });

  it('answers at once where nobody has ever read and nothing is unread', async () => {
    const { peer } = await meet(role);
    peer.ping('x');
    peer.close(1000);
    expect(await peer.next()).toMatchObject({ opcode: 10, payload: Buffer.from('x') });
    expect(await peer.next()).toMatchObject(isClose(1000));
  });

  it.each(['data', 'readable'] as const)('answers at once where a %s consumer has had all', async (event) => {
    const { conn, peer } = await meet(role);
    const texts: string[] = [];
    const ended = once(conn, 'end');
    if (event === 'data') conn.on('data', (frame: WsFrame) => texts.push(frame.payloadText()));
    else
      conn.on('readable', () => {
        for (let frame = conn.read(); frame !== null; frame = conn.read()) texts.push(frame.payloadText());
      });
    peer.raw(Buffer.concat([peer.encode(1, 'a'), peer.encode(1, 'b'), peer.encode(1, 'c'), peer.encode(8)]));
    expect(await peer.next()).toMatchObject(isClose());
    expect(texts).toEqual(['a', 'b', 'c']);
    await ended;
  });

  it('does not answer yet where a paused data consumer has not had all', async () => {
    const { conn, peer } = await meet(role);
    const texts: string[] = [];
    conn.on('data', (frame: WsFrame) => {
      texts.push(frame.payloadText());
      conn.pause();
    });
    peer.raw(Buffer.concat([peer.encode(1, 'a'), peer.encode(1, 'b'), peer.encode(8)]));
    await turns();
    expect(texts).toEqual(['a']);
    expect(conn.isOpen()).toBe(true);
    conn.resume();
    await turns();
    expect(texts).toEqual(['a', 'b']);
    expect(conn.isOpen()).toBe(true);
    conn.resume();
    expect(await peer.next()).toMatchObject(isClose());
  });

  it.each(['unread', 'read half'] as const)(
    'answers after half of closeTimeoutMs where nobody asks, and what was %s stays readable',
    async (kind) => {
      const { conn, peer } = await meet(role, { closeTimeoutMs: 300 });
      peer.text('one');
      peer.text('two');
      peer.close(4000, 'bye');
      if (kind === 'read half') expect((await conn.recvFrame())?.payloadText()).toBe('one');
      await turns();
      expect(conn.isOpen()).toBe(true);
      expect(await peer.next()).toMatchObject(isClose(4000, 'bye'));
      expect(conn.isOpen()).toBe(false);
      peer.fin();
      expect(await conn.closeInfo).toMatchObject({ code: 4000, reason: 'bye', wasClean: true, initiator: 'remote' });
      if (kind === 'unread') expect((await conn.recvFrame())?.payloadText()).toBe('one');
      expect((await conn.recvFrame())?.payloadText()).toBe('two');
      expect(await conn.recvFrame()).toBeNull();
    },
  );

  it('answers theirs with ours when we close before the reader has come to it', async () => {
    const { conn, peer } = await meet(role);
    peer.text('unread');
    peer.close(4000);
    await turns();
    expect(conn.isOpen()).toBe(true);
    const info = conn.close(4001, 'ours');
    expect(await peer.next()).toMatchObject(isClose(4001, 'ours'));
    await endTransport(peer);
    expect(await info).toMatchObject({ code: 4000, wasClean: true, initiator: 'remote' });
    expect((await conn.recvFrame())?.payloadText()).toBe('unread');
    expect(await conn.recvFrame()).toBeNull();
  });

  it('keeps what was unread when we close and nobody reads', async () => {
    const { conn, peer } = await meet(role);
    peer.text('unread');
    await turns();
    const info = conn.close();
    await peer.next();
    peer.text('after ours');
    peer.close(1000);
    await endTransport(peer);
    expect(await info).toMatchObject({ code: 1000, wasClean: true, initiator: 'local' });
    expect((await conn.recvFrame())?.payloadText()).toBe('unread');
    expect((await conn.recvFrame())?.payloadText()).toBe('after ours');
    expect(await conn.recvFrame()).toBeNull();
  });

  it('delivers what the peer sends between our close and its own (§5.5.1)', async () => {
    const { conn, peer } = await meet(role);
    void conn.close();
    await peer.next();
    peer.text('still on its way');
    peer.close(1000);
    expect((await conn.recvFrame())?.payloadText()).toBe('still on its way');
    expect(await conn.recvFrame()).toBeNull();
  });

  it('comes to the peer’s close past a flood that nobody reads, and keeps of it what fits', async () => {
    const { conn, peer } = await meet(role, { maxBufferedBytes: 4096 });
    const info = conn.close();
    await peer.next();
    for (let i = 0; i < 100; i++) peer.text(`${i}`.padEnd(1000));
    peer.close(1000);
    await endTransport(peer);
    expect(await info).toMatchObject({ code: 1000, wasClean: true });
    let expected = 0;
    for await (const frame of conn) expect(frame.payloadText().trim()).toBe(`${expected++}`);
    expect(expected).toBeGreaterThan(0);
    expect(expected).toBeLessThan(100);
  });

  it('comes to the peer’s close after half of the time where a reader reads no further', async () => {
    const { conn, peer } = await meet(role, { maxBufferedBytes: 4096, closeTimeoutMs: 100 });
    for (let i = 0; i < 100; i++) peer.text(`${i}`.padEnd(1000));
    for await (const frame of conn) {
      expect(frame.payloadText().trim()).toBe('0');
      const info = conn.close();
      await peer.next();
      peer.close(1000);
      await endTransport(peer);
      expect(await info).toMatchObject({ code: 1000, wasClean: true });
      break;
    }
  });

  it('forgets no close frame when the FIN behind it comes while messages are unread', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp' });
    peer.raw(Buffer.concat([peer.encode(1, 'a'), peer.encode(1, 'b'), peer.encode(8, closeBody(1000, 'done'))]));
    peer.fin();
    expect((await conn.recvFrame())?.payloadText()).toBe('a');
    await turns(20);
    expect(conn.isOpen()).toBe(true);
    expect((await conn.recvFrame())?.payloadText()).toBe('b');
    await conn.sendText('answer to b');
    expect(await conn.recvFrame()).toBeNull();
    expect((await peer.rest()).map(({ opcode }) => opcode)).toEqual([1, 8]);
    expect(await conn.closeInfo).toMatchObject({ code: 1000, reason: 'done', wasClean: true, initiator: 'remote' });
  });

  it('tells the peer’s code where the transport goes before the close took effect: not clean', async () => {
    const { conn, peer, socket } = await meet(role);
    peer.text('unread');
    peer.close(4000, 'bye');
    await turns();
    socket.destroy();
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ code: 4000, reason: 'bye', wasClean: false, initiator: 'remote' });
    expect(info.error).toBeInstanceOf(ClosedError);
    expect((await conn.recvFrame())?.payloadText()).toBe('unread');
    expect(await conn.recvFrame()).toBeNull();
  });

  it('delivers close frames behind everything else with controlFrames', async () => {
    const { conn, peer } = await meet(role, { controlFrames: true });
    peer.ping('p');
    peer.text('t');
    peer.close(1000, 'bye');
    const opcodes: number[] = [];
    for await (const frame of conn) {
      opcodes.push(frame.opcode);
      if (frame.isText()) expect(conn.isOpen()).toBe(true);
      if (frame.isClose()) expect(frame.closeReason()).toBe('bye');
    }
    expect(opcodes).toEqual([9, 1, 8]);
    expect((await peer.next())?.opcode).toBe(10);
    expect(await peer.next()).toMatchObject(isClose(1000, 'bye'));
  });

  it('delivers the close frame to a late data consumer too, with controlFrames', async () => {
    const { conn, peer } = await meet(role, { controlFrames: true });
    peer.close(1000);
    await peer.next();
    const frames: WsFrame[] = [];
    conn.on('data', (frame: WsFrame) => frames.push(frame));
    await once(conn, 'end');
    expect(frames.map(({ opcode }) => opcode)).toEqual([8]);
  });
});
