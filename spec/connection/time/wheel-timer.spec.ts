import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WheelTimer } from '../../../lib/connection/time/wheel-timer.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('expires once for each start', () => {
  let expired = 0;
  const timer = new WheelTimer(() => expired++);
  timer.start(10);
  vi.advanceTimersByTime(100);
  expect(expired).toBe(1);
  timer.start(10);
  timer.start(20);
  vi.advanceTimersByTime(100);
  expect(expired).toBe(2);
});

it('does not expire when it is stopped, and may be stopped at any time', () => {
  const timer = new WheelTimer(() => expect.unreachable());
  timer.stop();
  timer.start(10);
  timer.stop();
  timer.stop();
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
});

it('shares one timer of the system with all others', () => {
  const timers = Array.from({ length: 100 }, () => new WheelTimer(() => {}));
  for (const timer of timers) timer.start(1000);
  expect(vi.getTimerCount()).toBe(1);
  for (const timer of timers) timer.stop();
  expect(vi.getTimerCount()).toBe(0);
});
