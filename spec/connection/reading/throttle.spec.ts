import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Throttle, type ThrottleHandlers } from '../../../lib/connection/reading/throttle.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { meet, ROLES } from '../../support/naive-peer.ts';

const NONE = { maxMessagesPerSecond: Number.POSITIVE_INFINITY, maxBytesPerSecond: Number.POSITIVE_INFINITY };

class Log implements ThrottleHandlers {
  readonly road = { bytesIn: 0 };
  story: string[] = [];

  limitReached(limit: string): void {
    this.story.push(limit);
  }

  updateFlow(): void {
    this.story.push('flow');
  }
}

describe('a throttle', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is not made where there is no rate', () => {
    const log = new Log();
    expect(Throttle.create(NONE, log.road, log)).toBeUndefined();
  });

  it('holds the peer from the message beyond the rate on, until it is paid for', () => {
    const log = new Log();
    const throttle = Throttle.create({ ...NONE, maxMessagesPerSecond: 10 }, log.road, log)!;
    for (let count = 0; count < 10; count++) throttle.count(WsFrame.text('a'));
    expect([throttle.isHolding, log.story]).toEqual([false, []]);
    throttle.count(WsFrame.text('a'));
    expect([throttle.isHolding, log.story]).toEqual([true, ['maxMessagesPerSecond', 'flow']]);
    vi.advanceTimersByTime(99);
    expect(throttle.isHolding).toBe(true);
    vi.advanceTimersByTime(5);
    expect([throttle.isHolding, log.story.length]).toEqual([false, 3]);
  });

  it('holds it longer for what still comes meanwhile, and tells that once', () => {
    const log = new Log();
    const throttle = Throttle.create({ ...NONE, maxMessagesPerSecond: 10 }, log.road, log)!;
    for (let count = 0; count < 13; count++) throttle.count(WsFrame.ping());
    vi.advanceTimersByTime(299);
    expect([throttle.isHolding, log.story]).toEqual([true, ['maxMessagesPerSecond', 'flow']]);
    vi.advanceTimersByTime(15);
    expect(throttle.isHolding).toBe(false);
  });

  it('counts a message once, however many fragments it has, and bytes as they come in', () => {
    const log = new Log();
    const throttle = Throttle.create({ maxMessagesPerSecond: 1, maxBytesPerSecond: 1000 }, log.road, log)!;
    for (let count = 0; count < 50; count++) throttle.count(new WsFrame(2, Buffer.alloc(1), { isFinal: false }));
    expect(throttle.isHolding).toBe(false);
    log.road.bytesIn = 1001;
    throttle.count(new WsFrame(0, Buffer.alloc(1), { isFinal: false }));
    expect(log.story).toEqual(['maxBytesPerSecond', 'flow']);
    throttle.stop();
    expect([throttle.isHolding, vi.getTimerCount()]).toEqual([false, 0]);
  });
});

describe.each(ROLES)('a connection with a rate (%s)', (role) => {
  it('loses nothing and reads no faster than maxMessagesPerSecond', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', maxMessagesPerSecond: 100 });
    const begun = performance.now();
    for (let index = 0; index < 130; index++) peer.text(String(index));
    const texts: string[] = [];
    for (let index = 0; index < 130; index++) texts.push((await conn.recvFrame())!.payloadText());
    // A hundred at once, then one each 10 ms.
    expect(performance.now() - begun).toBeGreaterThan(290);
    expect(texts).toEqual(Array.from({ length: 130 }, (_, index) => String(index)));
    conn.forceClose();
  });

  it('leaves in the peer what comes faster than maxBytesPerSecond', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', maxBytesPerSecond: 100_000, maxBufferedBytes: 1e9 });
    const seen: number[] = [];
    conn.on('data', (frame: WsFrame) => seen.push(frame.payload.length));
    const begun = performance.now();
    // More than the system holds on the way.
    const written = new Promise((resolve) => {
      for (let index = 0; index < 1000; index++) peer.send(2, Buffer.alloc(40_000));
      peer.socket.once('drain', resolve);
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const elapsedMs = performance.now() - begun;
    const bytes = seen.reduce((sum, length) => sum + length, 0);
    // The burst, what the time has earned, and a few chunks that had been read already.
    expect(bytes).toBeLessThan(100_000 * (1 + elapsedMs / 1000) + 300_000);
    expect(peer.socket.writableLength).toBeGreaterThan(0);
    conn.forceClose();
    await Promise.race([written, conn.closeInfo]);
  });

  it('reaches the close that stands behind what was too fast (§5.5.1)', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', maxMessagesPerSecond: 50 });
    for (let index = 0; index < 60; index++) peer.text('x');
    peer.close(1000);
    peer.fin();
    for (let index = 0; index < 60; index++) expect((await conn.recvFrame())?.payloadText()).toBe('x');
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });
});
