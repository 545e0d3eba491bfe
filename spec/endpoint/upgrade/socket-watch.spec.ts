import { describe, expect, it, vi } from 'vitest';
import { refuse } from '../../../lib/endpoint/upgrade/refusal.ts';
import { SocketWatch } from '../../../lib/endpoint/upgrade/socket-watch.ts';
import { memoryPair } from '../../support/sockets.ts';

const LATE = () => refuse(408);

describe('a SocketWatch', () => {
  it('gives null when the socket closes, and null when it fails', async () => {
    const { client, server } = memoryPair();
    const watches = [new SocketWatch(client, 1000, LATE), new SocketWatch(server, 1000, LATE)];
    client.destroy(new Error('cut'));
    server.destroy();
    expect(await Promise.all(watches.map(({ interrupted }) => interrupted))).toEqual([null, null]);
  });

  it('gives null at once for a socket that is gone', async () => {
    const { client } = memoryPair();
    client.destroy();
    await new Promise((resolve) => client.once('close', resolve));
    expect(await new SocketWatch(client, 1000, LATE).interrupted).toBeNull();
  });

  it('gives the refusal of the moment when the time is over', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { client } = memoryPair();
    const watch = new SocketWatch(client, 1000, LATE);
    const later = refuse(503);
    watch.lateRefusal = () => later;
    vi.advanceTimersByTime(999);
    const first = await Promise.race([watch.interrupted, 'still waiting']);
    vi.advanceTimersByTime(1 + 32);
    const second = await watch.interrupted;
    vi.useRealTimers();
    expect([first, second]).toEqual(['still waiting', later]);
  });

  it('gives the refusal with which it is cancelled', async () => {
    const { client } = memoryPair();
    const watch = new SocketWatch(client, 1000, LATE);
    const refusal = refuse(503);
    watch.cancel(refusal);
    expect(await watch.interrupted).toBe(refusal);
    watch.release();
  });

  it('leaves no listener behind when it is released', () => {
    const { client } = memoryPair();
    const events = ['error', 'close', 'readable', 'end'];
    const count = (): number => events.reduce((sum, event) => sum + client.listenerCount(event), 0);
    const before = count();
    const watch = new SocketWatch(client, 1000, LATE);
    expect(count()).toBe(before + 2);
    watch.watchEnd();
    expect(count()).toBe(before + 4);
    watch.release();
    expect(count()).toBe(before);
  });

  it('gives null when the peer ends, where it looks for that and nothing else has come', async () => {
    const { client, server } = memoryPair();
    const watch = new SocketWatch(client, 1000, LATE);
    watch.watchEnd();
    server.end();
    expect(await watch.interrupted).toBeNull();
    watch.release();
  });

  it('leaves what has come where it is', async () => {
    const { client, server } = memoryPair();
    const watch = new SocketWatch(client, 1000, LATE);
    watch.watchEnd();
    server.end('bytes');
    await new Promise((resolve) => client.once('readable', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect([watch.reason, client.readableLength]).toEqual([undefined, 5]);
    watch.release();
    expect(String(await client.toArray())).toBe('bytes');
  });
});
