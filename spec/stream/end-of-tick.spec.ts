import { describe, expect, it, vi } from 'vitest';
import { flushAtEndOfTick } from '../../lib/stream/end-of-tick.ts';

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe('flushAtEndOfTick', () => {
  it('calls each at the end of the tick, in order, in one tick for all', async () => {
    const planned = vi.spyOn(process, 'nextTick');
    const called: number[] = [];
    for (const index of [0, 1, 2]) flushAtEndOfTick({ flushTick: () => called.push(index) });
    expect([called, planned.mock.calls.length]).toEqual([[], 1]);
    planned.mockRestore();
    await tick();
    expect(called).toEqual([0, 1, 2]);
  });

  it('calls those who come while others are called', async () => {
    const called: string[] = [];
    const late = { flushTick: () => called.push('late') };
    flushAtEndOfTick({ flushTick: () => flushAtEndOfTick(late) });
    flushAtEndOfTick({ flushTick: () => called.push('other') });
    await tick();
    expect(called).toEqual(['other', 'late']);
  });

  it('calls the others where one throws, and throws that', () => {
    const ticks: (() => void)[] = [];
    const plan = (job: (...args: unknown[]) => void, ...args: unknown[]): void => void ticks.push(() => job(...args));
    const planned = vi.spyOn(process, 'nextTick').mockImplementation(plan as typeof process.nextTick);
    const called: string[] = [];
    const fail = (): never => {
      throw new Error('a listener');
    };
    flushAtEndOfTick({ flushTick: fail });
    flushAtEndOfTick({ flushTick: () => called.push('other') });
    expect(() => ticks.shift()!()).toThrow('a listener');
    ticks.shift()!();
    planned.mockRestore();
    expect([called, ticks]).toEqual([['other'], []]);
  });
});
