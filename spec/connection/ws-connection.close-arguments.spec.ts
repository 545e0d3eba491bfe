/** What close() and its kin take, refuse and give back. */
import { describe, expect, it } from 'vitest';
import { isClose, meet } from '../support/naive-peer.ts';

describe('the arguments of close', () => {
  it.each([
    [1005, '', RangeError],
    [1006, '', RangeError],
    [1015, '', RangeError],
    [999, '', RangeError],
    [5000, '', RangeError],
    [1000.5, '', RangeError],
    [1000, 'é'.repeat(62), RangeError],
    ['1000', '', TypeError],
    [1000, new Uint8Array(4), TypeError],
    [1000, 7, TypeError],
  ] as const)('rejects close(%j, %j), and the connection stays open (§7.4)', async (code, reason, type) => {
    const { conn, peer } = await meet('server');
    await expect(conn.close(code as number, reason as string)).rejects.toThrow(type);
    await expect(conn.sendClose(code as number, reason as string)).rejects.toThrow(type);
    expect(conn.isOpen()).toBe(true);
    await conn.sendText('x');
    expect((await peer.next())?.opcode).toBe(1);
  });

  it('takes a reason of 123 bytes', async () => {
    const { conn, peer } = await meet('client');
    void conn.close(4999, 'x'.repeat(123));
    expect(await peer.next()).toMatchObject(isClose(4999, 'x'.repeat(123)));
  });

  it('sends an empty body where sendClose has no code, and tells the bytes', async () => {
    const { conn, peer } = await meet('server');
    expect(await conn.sendClose()).toBe(2);
    expect(await conn.sendClose()).toBe(0);
    expect(await peer.next()).toMatchObject(isClose());
  });

  it('destroys the socket and rejects where an abort ends the wait', async () => {
    const { conn, peer, socket } = await meet('client', { over: 'tcp' });
    const controller = new AbortController();
    const closed = conn.close(1000, '', { signal: controller.signal });
    await peer.next();
    controller.abort(new Error('enough'));
    await expect(closed).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR' });
    expect(socket.destroyed).toBe(true);
    expect(await conn.closeInfo).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
  });

  it('destroys the socket and rejects where the signal has aborted before', async () => {
    const { conn, socket } = await meet('server');
    await expect(conn.close(1000, '', { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    expect(socket.destroyed).toBe(true);
  });

  it('gives all who wait for the end the same', async () => {
    const { conn, peer } = await meet('server');
    const all = [conn.close(4000), conn.close(), conn.closeInfo, conn[Symbol.asyncDispose]()];
    conn.end();
    expect(await peer.next()).toMatchObject(isClose(4000));
    peer.close(4001);
    peer.fin();
    const [first, second, third] = await Promise.all(all);
    expect(second).toBe(first);
    expect(third).toBe(first);
  });

  it('is forceClose as [Symbol.dispose]', async () => {
    const { conn, socket } = await meet('server');
    conn[Symbol.dispose]();
    conn[Symbol.dispose]();
    expect(socket.destroyed).toBe(true);
    expect(await conn.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
  });
});
