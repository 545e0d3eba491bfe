/** How long a closing connection waits for its peer, and what becomes of what was still to be sent. */
import { describe, expect, it } from 'vitest';
import { ClosedError } from '../../lib/errors.ts';
import { isClose, meet, ROLES, turns } from '../support/naive-peer.ts';

describe.each(ROLES)('patience (%s)', (role) => {
  it('cuts a peer that never answers our close after closeTimeoutMs: 1006', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', closeTimeoutMs: 50 });
    peer.listen();
    const info = await conn.close();
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect(info.error).toBeInstanceOf(ClosedError);
    expect(info.error?.message).toMatch(/we sent a close frame with 1000, then nothing moved for 50 ms/);
    expect((await peer.rest()).map(({ opcode }) => opcode)).toEqual([8]);
  });

  it('cuts a peer that answers our close and never ends the transport, which is clean all the same', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', closeTimeoutMs: 50 });
    const info = conn.close();
    await peer.next();
    peer.close(1000);
    expect(await info).toMatchObject({ code: 1000, wasClean: true, initiator: 'local' });
  });

  it('cuts a peer that goes on sending for ever instead of answering', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', closeTimeoutMs: 60 });
    peer.listen();
    const flood = setInterval(() => peer.text('more and more'), 2);
    const info = await conn.close();
    clearInterval(flood);
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
  });

  it('cuts a peer that does not read what is queued before our close', async () => {
    const { conn } = await meet(role, { closeTimeoutMs: 50 });
    for (let i = 0; i < 10; i++) conn.write(Buffer.alloc(100_000));
    const unsent = conn.sendText('never');
    expect(await conn.close()).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect(await unsent).toBe(0);
    expect(conn.bufferedAmount).toBe(0);
  });

  it('does not cut a slow peer that still reads, however long that takes', async () => {
    const { conn, peer } = await meet(role, { closeTimeoutMs: 800 });
    // 64 KiB every 25 ms: something moves 16 times as often as it must, and all of it takes longer than the timeout.
    conn.write(Buffer.alloc(2_400_000, 'x'));
    const info = conn.close(4000);
    const started = performance.now();
    let bytes = 0;
    while (bytes < 2_400_000) {
      const chunk: Buffer | null = peer.socket.read();
      bytes += chunk?.length ?? 0;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    expect(performance.now() - started).toBeGreaterThan(800);
    peer.close(4000);
    peer.listen().fin();
    expect(await info).toMatchObject({ code: 4000, wasClean: true });
  });

  it('is not cut short by a heartbeat: a closing peer owes no pong', async () => {
    const { conn, peer } = await meet(role, { heartbeat: { intervalMs: 10, timeoutMs: 10 }, closeTimeoutMs: 5000 });
    peer.text('work');
    peer.close(1000);
    for await (const frame of conn) {
      expect(frame.payloadText()).toBe('work');
      await new Promise((resolve) => setTimeout(resolve, 80));
      expect(conn.isOpen()).toBe(true);
      await conn.sendText('done');
    }
    expect((await peer.next())?.payload.toString()).toBe('done');
    expect(await peer.next()).toMatchObject(isClose(1000));
  });

  it('sends nothing behind our close frame, no heartbeat either (§5.5.1)', async () => {
    const { conn, peer } = await meet(role, { heartbeat: { intervalMs: 10, timeoutMs: 60 }, closeTimeoutMs: 200 });
    void conn.close();
    expect(await peer.next()).toMatchObject(isClose(1000));
    expect(await peer.rest()).toEqual([]);
    expect((await conn.closeInfo).error?.message).toMatch(/nothing moved for 200 ms/);
  });

  it('answers pings as long as our close frame waits behind data, and none behind it (§5.5.2)', async () => {
    const { conn, peer } = await meet(role);
    conn.write(Buffer.alloc(1_000_000));
    void conn.close();
    peer.ping('are you there?');
    await turns();
    const opcodes: number[] = [];
    for (let frame = await peer.next(); frame !== null; frame = await peer.next()) {
      opcodes.push(frame.opcode);
      if (frame.opcode === 8) break;
    }
    expect(opcodes).toContain(10);
    peer.ping('and now?');
    await turns();
    peer.close();
    if (peer.role === 'server') peer.fin();
    expect(await peer.rest()).toEqual([]);
  });

  it('keeps the promise of a send where the peer fails us while our close waits: 0 for what did not leave', async () => {
    const { conn, peer } = await meet(role);
    const sent = conn.sendBinary(Buffer.alloc(1_000_000));
    const closed = conn.sendClose(4000);
    const written = new Promise((resolve) => conn.write('late', resolve));
    peer.send(11);
    await turns();
    peer.listen();
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ wasClean: false, initiator: 'local' });
    expect(await sent).toBe(0);
    expect(await closed).toBe(0);
    expect(await written).toBeInstanceOf(ClosedError);
  });

  it.each(['read', 'unread'])(
    'gives every write an error where the peer cuts, its last message being %s',
    async (kind) => {
      const { conn, peer } = await meet(role);
      peer.text('last');
      if (kind === 'read') await conn.recvFrame();
      const sizes = [1_000_000, 1, 2, 3];
      const writes = sizes.map((size) => new Promise<unknown>((resolve) => conn.write(Buffer.alloc(size), resolve)));
      const send = conn.sendText('behind');
      peer.fin();
      expect(await conn.closeInfo).toMatchObject({ code: 1006, initiator: 'remote' });
      for (const outcome of await Promise.all(writes)) expect(outcome).toBeInstanceOf(Error);
      expect(await send).toBe(0);
      conn.forceClose();
      expect(conn.bufferedAmount).toBe(0);
    },
  );
});
