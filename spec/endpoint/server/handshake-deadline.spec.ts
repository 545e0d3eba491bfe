import { describe, expect, it, vi } from 'vitest';
import { HandshakeDeadline } from '../../../lib/endpoint/server/handshake-deadline.ts';

const never = new Promise<never>(() => {});

describe('a HandshakeDeadline', () => {
  it('lets through what is in time', async () => {
    const deadline = new HandshakeDeadline(1000, undefined);
    expect(await deadline.race(Promise.resolve(5))).toBe(5);
    await expect(deadline.race(Promise.reject(new Error('own')))).rejects.toThrow('own');
    expect(() => deadline.assertGoing()).not.toThrow();
    deadline.release();
  });

  it('rejects with WS_ERR_HANDSHAKE_TIMEOUT when the time is over, and cleans up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const deadline = new HandshakeDeadline(50, undefined);
    const onGivenUp = vi.fn();
    const race = expect(deadline.race(never, onGivenUp)).rejects.toMatchObject({
      code: 'WS_ERR_HANDSHAKE_TIMEOUT',
      status: 0,
    });
    vi.advanceTimersByTime(50 + 2);
    vi.useRealTimers();
    await race;
    expect(onGivenUp).toHaveBeenCalledTimes(1);
    expect(() => deadline.assertGoing()).toThrow('50 ms');
  });

  it('rejects with an AbortError when the signal aborts, also what was done in the same moment', async () => {
    const controller = new AbortController();
    const deadline = new HandshakeDeadline(1000, controller.signal);
    const race = deadline.race(Promise.resolve('done'));
    controller.abort(new Error('enough'));
    await expect(race).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: new Error('enough') });
    deadline.release();
  });

  it('is over from the start with an aborted signal', async () => {
    const deadline = new HandshakeDeadline(1000, AbortSignal.abort());
    expect(() => deadline.assertGoing()).toThrow('aborted');
    await expect(deadline.race(never)).rejects.toMatchObject({ name: 'AbortError' });
    deadline.release();
  });

  it('keeps its first reason', async () => {
    const controller = new AbortController();
    const deadline = new HandshakeDeadline(1, controller.signal);
    await expect(deadline.race(never)).rejects.toMatchObject({ code: 'WS_ERR_HANDSHAKE_TIMEOUT' });
    controller.abort();
    await expect(deadline.race(never)).rejects.toMatchObject({ code: 'WS_ERR_HANDSHAKE_TIMEOUT' });
    deadline.release();
  });
});
