import { constants, PerformanceObserver } from 'node:perf_hooks';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { weighYoung } from '../../lib/stream/young-memory.ts';

const isNeeded = Number.parseInt(process.versions.v8, 10) >= 12;

describe('weighYoung', () => {
  it('lays a weight beside a large buffer and none beside a small one', () => {
    expect(weighYoung(4095)).toBe(0);
    const [small, large, huge] = [weighYoung(4096), weighYoung(65_536), weighYoung(2 ** 30)];
    if (!isNeeded) {
      expect([small, large, huge]).toEqual([0, 0, 0]);
      return;
    }
    expect(small).toBeGreaterThan(0);
    expect(large).toBeGreaterThan(small);
    expect(huge).toBeLessThanOrEqual(65_536);
  });

  it('has the young collected, where nothing else would', async () => {
    let collections = 0;
    const observer = new PerformanceObserver((list) => {
      const isMinor = (entry: unknown): boolean =>
        (entry as { detail: { kind: number } }).detail.kind === constants.NODE_PERFORMANCE_GC_MINOR;
      collections += list.getEntries().filter(isMinor).length;
    });
    observer.observe({ entryTypes: ['gc'] });
    onTestFinished(() => observer.disconnect());
    for (let bytes = 0; bytes < 256 * 1024 * 1024; bytes += 65_536) weighYoung(65_536);
    // Once for 16 MiB; the room may grow between two looks at it. They are told some time later.
    if (isNeeded) await vi.waitFor(() => expect(collections).toBeGreaterThan(4));
  });
});
