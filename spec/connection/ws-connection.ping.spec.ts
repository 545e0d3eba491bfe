/** A ping that one waits for: its round trip, its timeout and its abort. */
import { describe, expect, it } from 'vitest';
import { meet } from '../support/naive-peer.ts';

describe('ping', () => {
  it('measures the round trip; a pong answers the pings before it too (§5.5.3)', async () => {
    const { conn, peer } = await meet('server');
    const trips = [conn.ping('a'), conn.ping('b'), conn.ping()];
    await peer.next();
    await peer.next();
    const third = await peer.next();
    peer.send(10, 'unknown');
    peer.send(10, 'b');
    peer.send(10, third!.payload);
    for (const trip of await Promise.all(trips)) expect(trip).toBeGreaterThanOrEqual(0);
    expect(third?.payload.length).toBe(8);
  });

  it('gives null after timeoutMs, and the connection goes on', async () => {
    const { conn, peer } = await meet('server');
    expect(await conn.ping('x', { timeoutMs: 10 })).toBeNull();
    peer.send(10, 'x');
    peer.text('hello');
    expect((await conn.recvFrame())?.payloadText()).toBe('hello');
  });

  it('rejects with AbortError, and the connection goes on', async () => {
    const { conn } = await meet('server');
    const controller = new AbortController();
    const trip = conn.ping('x', { signal: controller.signal });
    controller.abort();
    await expect(trip).rejects.toMatchObject({ name: 'AbortError' });
    expect(conn.isOpen()).toBe(true);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31])('rejects timeoutMs: %d', async (timeoutMs) => {
    const { conn } = await meet('server');
    await expect(conn.ping('x', { timeoutMs })).rejects.toThrow(RangeError);
  });
});
