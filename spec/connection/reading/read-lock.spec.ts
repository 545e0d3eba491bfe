import { describe, expect, it } from 'vitest';
import { ReadLock } from '../../../lib/connection/reading/read-lock.ts';

const locked = expect.objectContaining({ name: 'WsError', code: 'WS_ERR_LOCKED' });

describe('the lock of the reading side', () => {
  it('is taken once, and given back', () => {
    const lock = new ReadLock();
    lock.lock(false);
    expect(() => lock.assertUnlocked()).toThrow(locked);
    expect(() => lock.lock(false)).toThrow(locked);
    lock.unlock();
    lock.assertUnlocked();
    lock.lock(false);
  });

  it('is not taken from somebody who reads', () => {
    const lock = new ReadLock();
    expect(() => lock.lock(true)).toThrow(locked);
    lock.assertUnlocked();
  });

  it('knows open loops, of which it counts as one, and that the last one was left', () => {
    const lock = new ReadLock();
    expect([lock.hasOpenLoop, lock.hasLeftLoop]).toEqual([false, false]);
    lock.openLoop();
    lock.lock(false);
    lock.leaveLoop();
    expect([lock.hasOpenLoop, lock.hasLeftLoop]).toEqual([true, true]);
    lock.touch();
    expect(lock.hasLeftLoop).toBe(false);
    lock.unlock();
    expect([lock.hasOpenLoop, lock.hasLeftLoop]).toEqual([false, true]);
  });
});
