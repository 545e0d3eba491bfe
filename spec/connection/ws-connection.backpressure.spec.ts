/** Nothing is unbounded: who does not read is not sent to, and floods pile up nowhere. */
import { describe, expect, it } from 'vitest';
import { meet, type NaivePeer, ROLES, turns } from '../support/naive-peer.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Writes until the connection and the pipe between hold no more, or `max` bytes. @returns the bytes written */
async function flood(peer: NaivePeer, bytes: Buffer, max: number): Promise<number> {
  let written = 0;
  while (written < max) {
    written += bytes.length;
    if (peer.raw(bytes)) continue;
    await turns(3);
    if (peer.socket.writableNeedDrain) return written;
  }
  return written;
}

describe.each(ROLES)('inbound (%s)', (role) => {
  it.each([
    ['large messages', 50_000, 'x'],
    ['tiny messages', 1, 'x'],
    ['empty messages', 0, ''],
  ])('does not read the socket beyond the bound where nobody reads: %s', async (_name, size, fill) => {
    const { conn, peer, socket } = await meet(role, { maxBufferedBytes: 64 * KIB });
    const message = peer.encode(2, Buffer.alloc(size, fill));
    const block = Buffer.concat(Array.from({ length: Math.ceil(20_000 / message.length) }, () => message));
    const written = await flood(peer, block, 16 * MIB);
    expect(written).toBeLessThan(MIB);
    expect(socket.readableLength).toBeLessThan(256 * KIB);
    // It goes on where somebody reads, and nothing is lost.
    const count = (written / block.length) * Math.ceil(20_000 / message.length);
    peer.close(1000);
    let read = 0;
    for await (const frame of conn) {
      expect(frame.payloadLength).toBe(size);
      read++;
    }
    expect(read).toBe(count);
  });

  it.each([0, 1])('goes on reading with maxBufferedBytes: %d, one message at a time', async (maxBufferedBytes) => {
    const { conn, peer } = await meet(role, { maxBufferedBytes });
    for (let i = 0; i < 50; i++) peer.text(`${i}`);
    for (let i = 0; i < 50; i++) {
      await turns(1);
      expect((await conn.recvFrame())?.payloadText()).toBe(`${i}`);
    }
  });

  it('holds back a slow data consumer’s peer', async () => {
    const { conn, peer } = await meet(role, { maxBufferedBytes: 64 * KIB });
    let seen = 0;
    conn.on('data', () => {
      seen++;
      conn.pause();
    });
    const written = await flood(peer, peer.encode(2, Buffer.alloc(20_000)), 16 * MIB);
    expect(written).toBeLessThan(MIB);
    expect(seen).toBe(1);
  });

  it('piles up no pongs where a flood of pings comes and the peer does not read; all are answered later (§5.5.2)', async () => {
    const { conn, peer, socket } = await meet(role);
    void conn.recvFrame();
    const pings = 100;
    const block = Buffer.concat(Array.from({ length: pings }, (_, i) => peer.encode(9, `${i}`.padEnd(100))));
    const written = await flood(peer, block, 32 * MIB);
    expect(written).toBeLessThan(MIB);
    expect(conn.bufferedAmount + socket.writableLength).toBeLessThan(512 * KIB);
    const blocks = written / block.length;
    for (let i = 0; i < blocks * pings; i++) {
      const pong = await peer.next();
      if (pong?.opcode !== 10 || pong.payload.toString().trim() !== `${i % pings}`) expect(pong).toBe(`pong ${i}`);
    }
    peer.text('the end');
    await turns();
    expect(conn.bufferedAmount).toBe(0);
  });

  it('gives what came behind the pings, and then null, where the transport goes while pongs cannot be written', async () => {
    const { conn, peer, socket } = await meet(role);
    await flood(peer, peer.encode(9, 'x'.repeat(100)), MIB);
    const next = conn.recvFrame();
    socket.destroy();
    expect((await conn.closeInfo).code).toBe(1006);
    expect(await next).toBeNull();
  });

  it('answers a flood of pings whose pongs are read, whether or not anybody reads messages', async () => {
    const { peer } = await meet(role);
    peer.listen();
    const block = Buffer.concat(Array.from({ length: 10_000 }, (_, i) => peer.encode(9, `${i}`)));
    peer.raw(block);
    for (let i = 0; i < 10_000; i++) {
      const pong = await peer.next();
      if (pong?.payload.toString() !== `${i}`) expect(pong).toBe(`pong ${i}`);
    }
  });

  it('ends a message of one-byte fragments that never ends with 1009, and holds about its size until then (§10.4)', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', maxMessageBytes: 256 * KIB });
    const next = conn.recvFrame();
    peer.listen();
    const part = Buffer.concat(Array.from({ length: 8192 }, () => peer.encode(0, 'x', false)));
    peer.send(2, 'x', false);
    const before = process.memoryUsage();
    // Up to the limit it is held; one more breaks it.
    for (let i = 0; i < 31; i++) {
      if (!peer.raw(part)) await new Promise((resolve) => peer.socket.once('drain', resolve));
    }
    await turns();
    const after = process.memoryUsage();
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(48 * MIB);
    expect(conn.isOpen()).toBe(true);
    peer.raw(part);
    peer.raw(part);
    expect(await next).toBeNull();
    const close = await peer.find(8);
    expect(close?.payload.readUInt16BE(0)).toBe(1009);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1009, wasClean: false });
  });

  it('takes empty fragments without end, and they do not add up', async () => {
    const { conn, peer } = await meet(role, { maxMessageBytes: 10 });
    const next = conn.recvFrame();
    peer.send(1, '', false);
    const part = Buffer.concat(Array.from({ length: 10_000 }, () => peer.encode(0, '', false)));
    for (let i = 0; i < 5; i++) peer.raw(part);
    peer.send(0, 'end');
    expect((await next)?.payloadText()).toBe('end');
  });

  it('charges what small messages hold back: pings between them cannot pin more chunks than the bound has', async () => {
    const { conn, peer } = await meet(role, { maxBufferedBytes: 128 * KIB });
    peer.listen();
    // Each chunk holds one byte of message, and pings that fill it.
    const pings = Array.from({ length: 150 }, () => peer.encode(9, 'p'.repeat(100)));
    const chunk = Buffer.concat([peer.encode(2, 'x'), ...pings]);
    const written = await flood(peer, chunk, 16 * MIB);
    expect(written).toBeLessThan(MIB);
    expect(conn.isOpen()).toBe(true);
    let read = 0;
    peer.close(1000);
    for await (const frame of conn) read += frame.payloadLength;
    expect(read).toBe(written / chunk.length);
  });

  it('refuses a message that is too large though nobody has read it yet, once somebody does', async () => {
    const { conn, peer } = await meet(role, { maxMessageBytes: MIB, maxBufferedBytes: 64 * KIB });
    const written = await flood(peer, peer.encode(2, Buffer.alloc(4 * MIB)), 4 * MIB);
    expect(written).toBeGreaterThan(0);
    expect(conn.isOpen()).toBe(true);
    expect(await conn.recvFrame()).toBeNull();
    expect((await peer.find(8))?.payload.readUInt16BE(0)).toBe(1009);
  });

  it('takes a message of exactly maxMessageBytes, in one frame or many', async () => {
    const { conn, peer } = await meet(role, { maxMessageBytes: 100_000 });
    peer.send(2, Buffer.alloc(100_000));
    for (let i = 0; i < 10; i++) peer.send(i === 0 ? 2 : 0, Buffer.alloc(10_000), i === 9);
    expect((await conn.recvFrame())?.payloadLength).toBe(100_000);
    expect((await conn.recvFrame())?.payloadLength).toBe(100_000);
  });
});

describe.each(ROLES)('outbound (%s)', (role) => {
  it('settles a send only where there is room for more, and holds what waits in the caller’s hands', async () => {
    const { conn, peer } = await meet(role);
    let settled = 0;
    const sends = Array.from({ length: 100 }, () => conn.sendBinary(Buffer.alloc(20_000)).then(() => settled++));
    await turns();
    expect(settled).toBeLessThan(20);
    const { bufferedAmount } = conn;
    expect(bufferedAmount).toBeGreaterThan(1_500_000);
    expect(bufferedAmount).toBeLessThan(100 * 20_014);
    peer.listen();
    await Promise.all(sends);
    await turns();
    expect(conn.bufferedAmount).toBe(0);
    for (let i = 0; i < 100; i++) expect((await peer.next())?.payload.length).toBe(20_000);
  });

  it('holds back a loop of awaited sends where the peer does not read', async () => {
    const { conn, peer } = await meet(role);
    let sent = 0;
    const sending = (async () => {
      while ((await conn.sendText('x'.repeat(1000))) > 0) sent++;
    })();
    await turns(50);
    const stuck = sent;
    expect(stuck).toBeLessThan(1000);
    await turns(20);
    expect(sent).toBe(stuck);
    expect(conn.bufferedAmount).toBeLessThan(512 * KIB);
    for (let i = 0; i < 2 * stuck; i++) await peer.next();
    expect(sent).toBeGreaterThan(stuck);
    conn.forceClose();
    await sending;
  });

  it('sends a message of 16 MiB in fragments of 64 KiB, and pongs between them (§5.4)', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp' });
    const message = Buffer.alloc(16 * MIB, 'abcdefghijklmnop');
    const sent = conn.sendBinary(message);
    peer.ping('in between');
    let [size, fragments, pongAt] = [0, 0, -1];
    for (;;) {
      const frame = (await peer.next())!;
      if (frame.opcode === 10) {
        pongAt = fragments;
        continue;
      }
      expect(frame.payload.length).toBe(64 * KIB);
      if (!frame.payload.equals(message.subarray(size, size + frame.payload.length))) expect(frame).toBe(message);
      size += frame.payload.length;
      fragments++;
      if (frame.isFinal) break;
    }
    expect([size, fragments]).toEqual([16 * MIB, 256]);
    expect(pongAt).toBeLessThan(256);
    expect(await sent).toBe(16 * MIB + 256 * (role === 'client' ? 14 : 10));
  });

  it('sends a text of 3 MB as one message, cut inside characters', async () => {
    const { conn, peer } = await meet(role);
    const text = 'é€😀'.repeat(333_333);
    void conn.sendText(text);
    const parts: Buffer[] = [];
    for (let frame = await peer.next(); ; frame = await peer.next()) {
      parts.push(frame!.payload);
      if (frame!.isFinal) break;
    }
    expect(Buffer.concat(parts).toString() === text).toBe(true);
  });
});
