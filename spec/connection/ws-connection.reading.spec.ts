/** Every way to read a connection gives each message once, and none is lost to a late listener, a left loop or an abort. */
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ClosedError } from '../../lib/errors.ts';
import type { WsFrame } from '../../lib/protocol/frame.ts';
import { meet, turns } from '../support/naive-peer.ts';

describe('reading', () => {
  it('loses nothing where listeners come late', async () => {
    const { conn, peer } = await meet('server');
    for (const text of ['a', 'b', 'c']) peer.text(text);
    await turns();
    const texts: string[] = [];
    conn.on('data', (frame: WsFrame) => texts.push(frame.payloadText()));
    await turns();
    expect(texts).toEqual(['a', 'b', 'c']);
  });

  it('loses nothing where listeners come after a cut, and then shows the cut', async () => {
    const { conn, peer } = await meet('server', { over: 'tcp' });
    peer.raw(Buffer.concat(['a', 'b', 'c'].map((text) => peer.encode(1, text))));
    peer.fin();
    await conn.closeInfo;
    await new Promise((resolve) => setTimeout(resolve, 5));
    const texts: string[] = [];
    conn.on('data', (frame: WsFrame) => texts.push(frame.payloadText()));
    await new Promise<void>((resolve) => void conn.once('close', resolve));
    expect(texts).toEqual(['a', 'b', 'c']);
    expect(conn.errored).toBeInstanceOf(ClosedError);
  });

  it('gives each message once, whoever reads: read(), recvFrame, loop, data', async () => {
    const { conn, peer } = await meet('client');
    for (let i = 0; i < 12; i++) peer.text(`${i}`);
    await turns();
    const texts: string[] = [];
    const take = (frame: WsFrame | null): void => void texts.push(frame?.payloadText() ?? 'null');
    take(conn.read());
    take(await conn.recvFrame());
    take(conn.read());
    for await (const frame of conn) {
      take(frame);
      if (texts.length === 5) break;
    }
    take(await conn.recvFrame());
    take(conn.read());
    take((await conn[Symbol.asyncIterator]().next()).value ?? null);
    conn.on('data', take);
    await turns();
    expect(texts).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
  });

  it('gives whole messages: fragments are joined, pings between them answered', async () => {
    const { conn, peer } = await meet('server');
    peer.send(1, 'one ', false);
    peer.ping('between');
    peer.send(0, 'mess', false);
    peer.send(0, 'age');
    const frame = await conn.recvFrame();
    expect(frame).toMatchObject({ opcode: 1, isFinal: true });
    expect(frame?.payloadText()).toBe('one message');
    expect(await peer.next()).toMatchObject({ opcode: 10, payload: Buffer.from('between') });
  });

  it('leaves the connection usable where a loop is left, again and again', async () => {
    const { conn, peer } = await meet('server');
    for (const text of ['a', 'b', 'c']) {
      peer.text(text);
      for await (const frame of conn) {
        expect(frame.payloadText()).toBe(text);
        break;
      }
      expect(conn.destroyed).toBe(false);
    }
    await expect(
      (async () => {
        peer.text('d');
        for await (const _frame of conn) throw new Error('out of the loop');
      })(),
    ).rejects.toThrow('out of the loop');
    expect(conn.isOpen()).toBe(true);
    peer.text('e');
    expect((await conn.recvFrame())?.payloadText()).toBe('e');
  });

  it('loses no frame by an abort', async () => {
    const { conn, peer } = await meet('server');
    const controller = new AbortController();
    const { signal } = controller;
    const waits = [conn.recvFrame({ signal }), conn.recvFrame(), conn.recvFrame({ signal })];
    expect(getEventListeners(signal, 'abort')).toHaveLength(2);
    controller.abort();
    await expect(waits[0]).rejects.toMatchObject({ name: 'AbortError' });
    await expect(waits[2]).rejects.toMatchObject({ name: 'AbortError' });
    await expect(conn.recvFrame({ signal })).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    peer.text('a');
    peer.text('b');
    expect((await waits[1])?.payloadText()).toBe('a');
    expect((await conn.recvFrame())?.payloadText()).toBe('b');
  });

  it('leaves no listener on a signal, however a wait ends', async () => {
    const { conn, peer } = await meet('server');
    const { signal } = new AbortController();
    const waits = [
      conn.recvFrame({ signal }),
      conn.recvFrame({ signal }),
      conn.sendText('x', { signal }),
      conn.sendBinary(new Uint8Array(1_000_000), { signal }),
      conn.ping('p', { signal }),
      conn.ping('q', { signal, timeoutMs: 10_000 }),
      conn.sendClose(1000, '', { signal }),
      conn.close(1000, '', { signal }),
    ];
    peer.text('one');
    await turns();
    peer.listen().fin();
    await Promise.all(waits);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('refuses an encoding', async () => {
    const { conn } = await meet('server');
    expect(() => conn.setEncoding('utf8')).toThrow(TypeError);
  });

  it('delivers pings and answers none with autoPong: false', async () => {
    const { conn, peer } = await meet('server', { autoPong: false });
    peer.ping('x');
    const frame = await conn.recvFrame();
    expect(frame?.isPing()).toBe(true);
    await conn.sendPong(frame!.payload);
    await conn.sendText('y');
    expect(await peer.next()).toMatchObject({ opcode: 10, payload: Buffer.from('x') });
    expect(await peer.next()).toMatchObject({ opcode: 1 });
  });
});
