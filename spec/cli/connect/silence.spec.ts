import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Silence } from '../../../lib/cli/connect/silence.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Waits, and says for how long it did. */
function watch(silence: Silence): () => number | undefined {
  const start = performance.now();
  let lasted: number | undefined;
  void silence.wait().then(() => {
    lasted = performance.now() - start;
  });
  return () => lasted;
}

describe('Silence', () => {
  it('waits for as long as nothing moves', async () => {
    const lasted = watch(new Silence(100, () => false));
    await vi.advanceTimersByTimeAsync(99);
    expect(lasted()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(lasted()).toBe(100);
  });

  it('begins again with every sign of life', async () => {
    const silence = new Silence(100, () => false);
    const lasted = watch(silence);
    await vi.advanceTimersByTimeAsync(60);
    silence.touch();
    await vi.advanceTimersByTimeAsync(99);
    expect(lasted()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(lasted()).toBe(160);
  });

  it('does not count the time while something is under way', async () => {
    let isBusy = true;
    const lasted = watch(new Silence(100, () => isBusy));
    await vi.advanceTimersByTimeAsync(500);
    isBusy = false;
    await vi.advanceTimersByTimeAsync(99);
    expect(lasted()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(lasted()).toBe(600);
  });

  it('waits for ever, without a timer, and stops when it is told to', async () => {
    const silence = new Silence(Number.POSITIVE_INFINITY, () => false);
    const lasted = watch(silence);
    expect(vi.getTimerCount()).toBe(0);
    silence.stop();
    await vi.advanceTimersByTimeAsync(0);
    expect(lasted()).toBe(0);
    const timed = new Silence(100, () => false);
    void timed.wait();
    timed.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
