import type { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { type Overflowable, overflows } from '../../../lib/connection/writing/overflow.ts';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import type { WsError } from '../../../lib/errors.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { meet, ROLES, turns } from '../../support/naive-peer.ts';

const WAYS: ((conn: WsConnection) => Writable)[] = [
  (conn) => conn.createMessage('binary'),
  (conn) => conn.byteStream(),
];

class Log implements Overflowable {
  readonly options: { maxQueuedBytes: number };
  readonly sender: { load: number };
  readonly liveness = { pingCount: 0 };
  story: unknown[] = [];

  constructor(maxQueuedBytes: number, load: number) {
    this.options = { maxQueuedBytes };
    this.sender = { load };
  }

  limitReached(limit: string): void {
    this.story.push(limit);
  }

  giveUp(error: WsError, frame: WsFrame): void {
    this.story.push(error.code, frame.closeCode());
  }
}

describe('overflows', () => {
  it.each([
    [100, 0, false],
    [100, 99, false],
    [100, 100, true],
    // Where nothing waits, one message may always go.
    [0, 0, false],
    [0, 1, true],
    [Number.POSITIVE_INFINITY, 1e15, false],
  ])('with a bound of %d and %d waiting: %s', (bound, load, expected) => {
    const log = new Log(bound, load);
    expect(overflows(log)).toBe(expected);
    expect(log.story).toEqual(expected ? ['maxQueuedBytes', 'WS_ERR_QUEUE_FULL', 1013] : []);
  });
});

describe.each(ROLES)('a caller who does not wait, and a peer that does not read (%s)', (role) => {
  const payload = Buffer.alloc(10_000);

  it('end the connection beyond maxQueuedBytes: nothing rejects, and what waited gives 0', async () => {
    const { conn } = await meet(role, { over: 'tcp', maxQueuedBytes: 1_000_000, closeTimeoutMs: 50 });
    const results: Promise<number>[] = [];
    for (let count = 0; count < 10_000 && conn.isOpen(); count++) results.push(conn.sendBinary(payload));
    expect(conn.isOpen()).toBe(false);
    expect(conn.bufferedAmount).toBeLessThan(1_300_000);
    expect(await conn.sendText('late')).toBe(0);
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ wasClean: false, initiator: 'local', error: { code: 'WS_ERR_QUEUE_FULL' } });
    const bytes = await Promise.all(results);
    expect(bytes.filter((size) => size === 0).length).toBeGreaterThan(50);
    expect(await conn.recvFrame()).toBeNull();
  });

  it('are told why with 1013, where the peer reads on after all', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', maxQueuedBytes: 1_000_000 });
    while (conn.isOpen()) void conn.sendBinary(payload);
    const close = await peer.find(8);
    expect(close!.payload.readUInt16BE(0)).toBe(1013);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1013, wasClean: false, initiator: 'local' });
  });

  it.each<[string, (conn: WsConnection) => void]>([
    ['write()', (conn) => conn.write(payload)],
    ['tiny messages, which cost more than their bytes', (conn) => void conn.sendText('')],
    ['pings that nobody waits for', (conn) => void conn.sendPing()],
    ['pings that wait for their pong', (conn) => void conn.ping()],
    ['a mixture', (conn) => (Math.random() < 0.5 ? conn.write('x') : void conn.sendFrame(WsFrame.binary(payload)))],
  ])('are bounded whatever is sent: %s', async (_name, send) => {
    const { conn } = await meet(role, { maxQueuedBytes: 500_000, closeTimeoutMs: 50 });
    let count = 0;
    for (; conn.isOpen() && count < 100_000; count++) send(conn);
    expect(conn.isOpen()).toBe(false);
    expect((await conn.closeInfo).error).toMatchObject({ code: 'WS_ERR_QUEUE_FULL' });
  });

  it.each<[string, Buffer]>([
    ['large chunks', payload],
    ['chunks of a byte, which cost more than that', Buffer.from('x')],
  ])(
    'are bounded where a message is written bit by bit, or bytes are, without a look at false: %s',
    async (_name, chunk) => {
      for (const open of WAYS) {
        const { conn } = await meet(role, { maxQueuedBytes: 500_000, closeTimeoutMs: 50 });
        const stream = open(conn);
        let count = 0;
        for (; conn.isOpen() && count < 100_000; count++) stream.write(chunk);
        expect(conn.isOpen()).toBe(false);
        expect((await conn.closeInfo).error).toMatchObject({ code: 'WS_ERR_QUEUE_FULL' });
        await vi.waitFor(() => expect(stream.destroyed).toBe(true));
      }
    },
  );

  it('are bounded over all messages that are written bit by bit together', async () => {
    const { conn } = await meet(role, { maxQueuedBytes: 500_000, closeTimeoutMs: 50 });
    const messages = Array.from({ length: 20 }, () => conn.createMessage('binary'));
    for (let count = 0; conn.isOpen() && count < 100; count++) for (const message of messages) message.write(payload);
    expect(conn.isOpen()).toBe(false);
    expect(conn.bufferedAmount).toBeLessThan(700_000);
    expect((await conn.closeInfo).error).toMatchObject({ code: 'WS_ERR_QUEUE_FULL' });
  });

  it('are charged once for what is written to a byte stream', async () => {
    const { conn, peer } = await meet(role, { maxQueuedBytes: 1_000_000 });
    const stream = conn.byteStream();
    stream.write(Buffer.alloc(700_000));
    for (let count = 0; count < 10; count++) stream.write(payload);
    expect(conn.isOpen()).toBe(true);
    peer.listen();
    await new Promise((resolve) => stream.once('drain', resolve));
    conn.forceClose();
  });

  it('are not charged for what was written bit by bit and has left, or was given up', async () => {
    const { conn, peer } = await meet(role, { maxQueuedBytes: 100_000 });
    peer.listen();
    for (let round = 0; round < 20; round++) {
      const [given, kept] = [conn.createMessage('binary'), conn.createMessage('binary')];
      for (let count = 0; count < 4; count++) kept.write(payload);
      given.end();
      await new Promise<void>((resolve) => void kept.end(payload, () => resolve()));
      conn.createMessage('binary').destroy();
    }
    expect(conn.isOpen()).toBe(true);
    expect(await conn.sendText('still')).toBeGreaterThan(0);
    conn.forceClose();
  });

  it('do not come near it where the caller waits, in whatever way, or the message is large', async () => {
    const { conn, peer } = await meet(role, { maxQueuedBytes: 20_000 });
    peer.listen();
    for (let count = 0; count < 50; count++) await conn.sendBinary(payload);
    await conn.sendBinary(Buffer.alloc(500_000));
    for (let count = 0; count < 50; count++) {
      if (!conn.write(payload)) await new Promise((resolve) => conn.once('drain', resolve));
    }
    expect(conn.isOpen()).toBe(true);
    conn.forceClose();
  });

  it('are not charged for what was taken back, nor for what has left', async () => {
    const { conn, peer } = await meet(role, { maxQueuedBytes: 250_000 });
    for (let round = 0; round < 10; round++) {
      const controller = new AbortController();
      const sends = Array.from({ length: 8 }, () => conn.sendBinary(payload, { signal: controller.signal }));
      controller.abort();
      await Promise.allSettled(sends);
    }
    expect(conn.isOpen()).toBe(true);
    peer.listen();
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 20 }, () => conn.sendBinary(payload)));
    }
    await turns();
    expect(conn.isOpen()).toBe(true);
    conn.forceClose();
  });
});
