import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { flushAtEndOfTick } from '../../lib/stream/end-of-tick.ts';

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const range = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, index) => from + index);

/** ms by which the rounds are measured. */
let now = 0;

/** Those with these numbers ask; it is noted when they have their turn, which gives on so many frames and takes so long. */
function caller(frames = 1, ms = 0) {
  const called: number[] = [];
  const ask = (from: number, end: number): void => {
    for (const each of range(from, end)) {
      const flushTick = (): number => {
        called.push(each);
        now += ms;
        return frames;
      };
      flushAtEndOfTick({ flushTick });
    }
  };
  return { called, ask };
}

/** Twelve have their turns, each of so many ms and frames, and ask for another one in the middle. @returns who had one */
async function twoRounds(frames: number, ms: number): Promise<number[]> {
  const { called, ask } = caller(frames, ms);
  ask(0, 12);
  await tick();
  await turn();
  ask(12, 24);
  await turn();
  return called;
}

describe('flushAtEndOfTick', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => {
    const timers = vi.getTimerCount();
    vi.useRealTimers();
    vi.restoreAllMocks();
    expect(timers).toBe(0);
  });

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
    flushAtEndOfTick({
      flushTick: () => {
        flushAtEndOfTick(late);
        return 1;
      },
    });
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

  it('gives a few their turn in the tick, and many in turns of the event loop, in the order in which they asked', async () => {
    const { called, ask } = caller();
    ask(0, 8);
    await tick();
    expect(called).toEqual(range(0, 8));
    ask(8, 28);
    await tick();
    expect(called).toEqual(range(0, 8));
    for (const count of [16, 24, 28]) {
      await turn();
      expect(called).toEqual(range(0, count));
    }
  });

  it('gives a few who ask meanwhile their turn before those who wait, and many theirs behind them', async () => {
    const { called, ask } = caller();
    ask(0, 12);
    await tick();
    ask(100, 101);
    await tick();
    ask(12, 21);
    while (called.length < 22) await turn();
    expect(called).toEqual([100, ...range(0, 21)]);
  });

  it('makes the turns longer where thousands wait, so that their number is bounded', async () => {
    const { called, ask } = caller();
    ask(0, 6400);
    await tick();
    await turn();
    expect(called).toEqual(range(0, 100));
    // A few more behind them make the turns no shorter, and have a round of their own.
    ask(6400, 6410);
    let turns = 1;
    for (; called.length < 6400; turns++) await turn();
    expect(turns).toBe(64);
    await turn();
    expect(called).toEqual(range(0, 6408));
    await turn();
    expect(called).toEqual(range(0, 6410));
  });

  it('goes on with the next turn where one throws', async () => {
    const turns: (() => void)[] = [];
    const planned = vi
      .spyOn(globalThis, 'setImmediate')
      .mockImplementation(((job: () => void) => turns.push(job)) as never);
    const { called, ask } = caller();
    flushAtEndOfTick({
      flushTick: () => {
        throw new Error('a listener');
      },
    });
    ask(0, 10);
    await tick();
    expect(() => turns.shift()!()).toThrow('a listener');
    while (turns.length > 0) turns.shift()!();
    planned.mockRestore();
    expect(called).toEqual(range(0, 10));
  });

  describe('between rounds', () => {
    it('pauses as long as the round took whose writes carried little', async () => {
      const called = await twoRounds(1, 0.5);
      await turn();
      vi.advanceTimersByTime(5);
      expect(called).toEqual(range(0, 12));
      vi.advanceTimersByTime(1);
      expect(called).toEqual(range(0, 20));
      await turn();
      expect(called).toEqual(range(0, 24));
    });

    it('keeps the order, and the few who do not wait, in a pause too', async () => {
      const { called, ask } = caller(1, 0.5);
      ask(0, 12);
      await tick();
      await turn();
      ask(12, 22);
      await turn();
      ask(22, 32);
      await tick();
      ask(100, 101);
      await tick();
      expect(called).toEqual([...range(0, 12), 100]);
      vi.advanceTimersByTime(6);
      while (called.length < 33) await turn();
      expect(called).toEqual([...range(0, 12), 100, ...range(12, 32)]);
    });

    it('pauses 8 ms at most', async () => {
      const called = await twoRounds(1, 5);
      vi.advanceTimersByTime(7);
      expect(called).toHaveLength(12);
      vi.advanceTimersByTime(1);
      expect(called).toHaveLength(20);
      await turn();
    });

    it('does not pause where writes carry two frames, or the round was short', async () => {
      for (const [frames, ms] of [
        [2, 1],
        [1, 0.0625],
      ] as const) {
        const called = await twoRounds(frames, ms);
        await turn();
        expect(called).toEqual(range(0, 20));
        await turn();
        expect(called).toEqual(range(0, 24));
      }
    });

    it('does not pause where nobody waits', async () => {
      const { called, ask } = caller(1, 1);
      ask(0, 12);
      await tick();
      await turn();
      await turn();
      ask(12, 24);
      await tick();
      await turn();
      expect(called).toEqual(range(0, 20));
      await turn();
    });
  });
});
