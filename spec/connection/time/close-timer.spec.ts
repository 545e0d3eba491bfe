import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CloseTimer } from '../../../lib/connection/time/close-timer.ts';

/** How much too late the wheel may be for 100 ms: what is due is rounded up. */
const LATE_MS = 4;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('expires once, when nothing has moved for so long', () => {
  let expired = 0;
  new CloseTimer().start(
    100,
    () => 7,
    () => expired++,
  );
  vi.advanceTimersByTime(99);
  expect(expired).toBe(0);
  vi.advanceTimersByTime(1 + LATE_MS);
  expect(expired).toBe(1);
  vi.advanceTimersByTime(1000);
  expect([expired, vi.getTimerCount()]).toEqual([1, 0]);
});

it('gives more time as long as something moves', () => {
  let [moved, expired] = [0, 0];
  new CloseTimer().start(
    100,
    () => moved,
    () => expired++,
  );
  for (let turn = 0; turn < 5; turn++) {
    moved++;
    vi.advanceTimersByTime(100 + LATE_MS);
  }
  expect(expired).toBe(0);
  vi.advanceTimersByTime(100 + LATE_MS);
  expect(expired).toBe(1);
});

it('starts anew: the earlier one never expires', () => {
  const expired: string[] = [];
  const timer = new CloseTimer();
  const still = (): number => 0;
  timer.start(100, still, () => expired.push('first'));
  vi.advanceTimersByTime(60);
  timer.start(100, still, () => expired.push('second'));
  vi.advanceTimersByTime(99);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(1 + LATE_MS);
  expect(expired).toEqual(['second']);
});

it('stops, and may be stopped at any time', () => {
  const timer = new CloseTimer();
  timer.stop();
  timer.start(
    100,
    () => 0,
    () => expect.unreachable(),
  );
  timer.stop();
  timer.stop();
  expect(vi.getTimerCount()).toBe(0);
});

it('may be started again by what it calls', () => {
  const expired: number[] = [];
  const timer = new CloseTimer();
  const still = (): number => 0;
  timer.start(10, still, () => timer.start(20, still, () => expired.push(2)));
  vi.advanceTimersByTime(29);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(1 + LATE_MS);
  expect(expired).toEqual([2]);
});
