import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AcceptQueue } from '../../../lib/endpoint/server/accept-queue.ts';

describe('an AcceptQueue', () => {
  it('hands out what waits, first in, first out', async () => {
    const queue = new AcceptQueue<number>();
    for (const item of [1, 2, 3]) queue.push(item);
    expect(queue.size).toBe(3);
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual([1, 2, 3]);
    expect(queue.size).toBe(0);
  });

  it('hands an item to who waits longest', async () => {
    const queue = new AcceptQueue<number>();
    const [first, second] = [queue.take(), queue.take()];
    expect(queue.waiting).toBe(2);
    queue.push(1);
    queue.push(2);
    expect(await Promise.all([first, second])).toEqual([1, 2]);
    expect(queue.waiting).toBe(0);
  });

  it('gives what is queued after its end, and then null for ever', async () => {
    const queue = new AcceptQueue<number>();
    queue.push(1);
    queue.end();
    expect([await queue.take(), await queue.take(), await queue.take()]).toEqual([1, null, null]);
  });

  it('gives null to those who wait when it ends', async () => {
    const queue = new AcceptQueue<number>();
    const takes = [queue.take(), queue.take()];
    queue.end();
    expect(await Promise.all(takes)).toEqual([null, null]);
  });

  it('forgets what is queued when it is cleared', async () => {
    const queue = new AcceptQueue<number>();
    queue.push(1);
    queue.clear();
    queue.end();
    expect(await queue.take()).toBeNull();
    expect(queue.shift()).toBeUndefined();
  });

  it('rejects an aborted wait with an AbortError that has the reason as its cause, and loses nothing', async () => {
    const queue = new AcceptQueue<number>();
    const controller = new AbortController();
    const given = queue.take(controller.signal);
    const waiting = queue.take();
    controller.abort('why not');
    await expect(given).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'why not' });
    queue.push(7);
    expect(await waiting).toBe(7);
  });

  it('rejects a wait that is aborted before it begins, and leaves the item', async () => {
    const queue = new AcceptQueue<number>();
    queue.push(1);
    await expect(queue.take(AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(queue.size).toBe(1);
  });

  it('does not listen to a signal whose wait is over', async () => {
    const queue = new AcceptQueue<number>();
    const { signal } = new AbortController();
    const count = (): number => getEventListeners(signal, 'abort').length;
    const wait = queue.take(signal);
    expect(count()).toBe(1);
    queue.push(1);
    await wait;
    expect(count()).toBe(0);
  });
});
