import { describe, expect, it, vi } from 'vitest';
import { WsError } from '../../../lib/errors.ts';
import {
  PublishQueue,
  type QueueHandlers,
  queuedSize,
  retryDelayMs,
} from '../../../lib/fanout/backplane/publish-queue.ts';

interface Call {
  readonly texts: string[];
  answer(isTaken: boolean): void;
  reject(error: unknown): void;
}

function setUp() {
  const calls: Call[] = [];
  const story: string[] = [];
  const state = { isConnected: true, messages: 0, bytes: 0 };
  const handlers: QueueHandlers = {
    isConnected: () => state.isConnected,
    send: (batch) =>
      new Promise((answer, reject) => calls.push({ texts: batch.map((bytes) => `${bytes}`), answer, reject })),
    queued: (messages, bytes) => {
      state.messages += messages;
      state.bytes += bytes;
    },
    drained: () => story.push('drained'),
    refused: (error, messages) => story.push(`refused ${error.code} ${messages}`),
  };
  const queue = new PublishQueue(handlers);
  const push = (text: string, isMessage?: boolean): Promise<boolean> => queue.push(Buffer.from(text), isMessage);
  return { queue, push, calls, story, state };
}

const settle = (): Promise<unknown> => new Promise(setImmediate);
const refusal = (): WsError => new WsError('WS_ERR_BACKPLANE_AWAY', 'away');

describe('what is published', () => {
  it('leaves in order, one batch at a time, and what comes meanwhile is the next', async () => {
    const { push, calls, story, state } = setUp();
    const taken = ['a', 'b', 'c'].map((text) => push(text));
    expect(calls.map(({ texts }) => texts)).toEqual([['a']]);
    expect(state).toMatchObject({ messages: 3, bytes: 3 * queuedSize(1) });
    calls[0]!.answer(true);
    expect(await taken[0]).toBe(true);
    expect(calls.at(-1)!.texts).toEqual(['b', 'c']);
    calls[1]!.answer(true);
    expect(await Promise.all(taken)).toEqual([true, true, true]);
    expect(state).toMatchObject({ messages: 0, bytes: 0 });
    expect(story).toEqual(['drained']);
  });

  it('is cut into batches by number and by size, but a message of any size is one', async () => {
    const { queue, push, calls, state } = setUp();
    state.isConnected = false;
    for (let i = 0; i < 600; i++) void push('x');
    void push('y'.repeat(300_000));
    void push('z');
    state.isConnected = true;
    queue.flush();
    for (let i = 0; i < 4; i++) {
      calls[i]!.answer(true);
      await settle();
    }
    expect(calls.map(({ texts }) => texts.length)).toEqual([512, 88, 1, 1]);
  });

  it('waits while the broker is away, and what was under way is given again', async () => {
    const { queue, push, calls, state } = setUp();
    const taken = [push('a'), push('b')];
    queue.disconnected();
    state.isConnected = false;
    queue.flush();
    expect(calls).toHaveLength(1);
    state.isConnected = true;
    queue.flush();
    expect(calls[1]!.texts).toEqual(['a', 'b']);
    // The answer of the connection that broke does not count.
    calls[0]!.answer(true);
    await settle();
    expect(queue.isEmpty).toBe(false);
    calls[1]!.answer(true);
    expect(await Promise.all(taken)).toEqual([true, true]);
  });

  it('is given again in a while, and later each time, where the broker cannot take it just now', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { queue, push, calls } = setUp();
    const taken = push('a');
    for (const delay of [50, 100, 200]) {
      calls.at(-1)!.answer(false);
      await settle();
      const before = calls.length;
      vi.advanceTimersByTime(delay - 1);
      queue.flush();
      expect(calls).toHaveLength(before);
      vi.advanceTimersByTime(1);
      expect(calls).toHaveLength(before + 1);
    }
    calls.at(-1)!.answer(true);
    expect(await taken).toBe(true);
    vi.useRealTimers();
  });

  it('is not waited for any more when the broker goes while it is to be given again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { queue, push, calls } = setUp();
    void push('a');
    calls[0]!.answer(false);
    await settle();
    queue.disconnected();
    expect(vi.getTimerCount()).toBe(0);
    queue.flush();
    expect(calls).toHaveLength(2);
    vi.useRealTimers();
  });

  it('is refused where the broker says so, and the rest goes on', async () => {
    const { push, calls, story } = setUp();
    const taken = [push('a'), push('b')];
    calls[0]!.reject(new Error('not you'));
    expect(await taken[0]).toBe(false);
    calls[1]!.answer(true);
    expect(await taken[1]).toBe(true);
    expect(story).toEqual(['refused WS_ERR_BACKPLANE_REFUSED 1', 'drained']);
  });

  it('is refused altogether where it is given up, and only messages count', async () => {
    const { queue, push, calls, story } = setUp();
    const taken = [push('a'), push('b'), push('no message', false)];
    queue.refuseAll(refusal);
    expect(await Promise.all(taken)).toEqual([false, false, false]);
    expect(story).toEqual(['drained', 'refused WS_ERR_BACKPLANE_AWAY 2']);
    calls[0]!.reject('whatever');
    await settle();
    queue.refuseAll(refusal);
    expect(story.filter((line) => line !== 'drained')).toHaveLength(1);
  });

  it('is refused with what was thrown, also where that is no error', async () => {
    const { push, calls, story } = setUp();
    const taken = push('a');
    calls[0]!.reject('a string');
    expect(await taken).toBe(false);
    expect(story).toContain('refused WS_ERR_BACKPLANE_REFUSED 1');
  });
});

it('tries again after 50 ms, then after twice that each time, up to 5 s', () => {
  expect([0, 1, 2, 6, 7, 1000].map(retryDelayMs)).toEqual([50, 100, 200, 3200, 5000, 5000]);
});
