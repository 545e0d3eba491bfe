import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeflatePool, sharedPool } from '../../lib/deflate/deflate-pool.ts';
import { contextBytes, type ZlibSettings } from '../../lib/deflate/zlib-context.ts';

const inflate: ZlibSettings = { kind: 'inflate', windowBits: 15, level: 0, memLevel: 0 };
const deflate: ZlibSettings = { kind: 'deflate', windowBits: 15, level: -1, memLevel: 8 };
const other: ZlibSettings = { kind: 'inflate', windowBits: 14, level: 0, memLevel: 0 };

/** A pool that somebody uses, until the test is over. */
function opened(options?: ConstructorParameters<typeof DeflatePool>[0]): DeflatePool & Disposable {
  const pool = new DeflatePool(options);
  pool.join();
  return Object.assign(pool, { [Symbol.dispose]: () => pool.leave() });
}

class Holder {
  taken = 0;
  contextTaken(): void {
    this.taken++;
  }
}

describe('a pool', () => {
  it('gives again what was given back, to whoever asks for the same', () => {
    using pool = opened();
    const first = pool.lease(inflate);
    expect(pool.lease(inflate)).not.toBe(first);
    pool.release(first);
    expect(pool.lease(other)).not.toBe(first);
    expect(pool.lease({ ...inflate })).toBe(first);
    expect(pool.lease({ ...deflate, level: 1 })).not.toBe(pool.lease(deflate));
  });

  it('gives none that was made for something else', () => {
    using pool = opened();
    const bits = [8, 9, 14, 15];
    const deflaters = [-1, 0, 1, 9].flatMap((level) =>
      [1, 2, 9].flatMap((memLevel) =>
        bits.slice(1).map((windowBits) => ({ kind: 'deflate' as const, windowBits, level, memLevel })),
      ),
    );
    const inflaters = [
      ...bits.map((windowBits) => ({ ...inflate, windowBits })),
      { ...deflate, memLevel: 9, kind: 'inflate' as const },
    ];
    for (const settings of [...deflaters, ...inflaters]) {
      const context = pool.lease(settings);
      expect(context.settings).toEqual(settings);
      pool.release(context);
    }
  });

  it('accounts for what is in use and what rests', () => {
    using pool = opened();
    const context = pool.lease(deflate);
    expect(pool.bytes).toBe(contextBytes(deflate));
    pool.rest(context, new Holder());
    pool.lease(inflate);
    expect(pool.bytes).toBe(contextBytes(deflate) + contextBytes(inflate));
    pool.resume(context);
    pool.discard(context);
    expect(pool.bytes).toBe(contextBytes(inflate));
  });

  it('takes from who has rested longest when the budget is needed, and never what is in use', () => {
    using pool = opened({ maxBytes: 3 * contextBytes(inflate) });
    const holders = [new Holder(), new Holder()];
    const inUse = pool.lease(inflate);
    const contexts = holders.map((holder) => {
      const context = pool.lease(inflate);
      pool.rest(context, holder);
      return context;
    });
    pool.resume(contexts[0]!);
    pool.rest(contexts[0]!, holders[0]!);
    expect(pool.lease(inflate)).toBe(contexts[1]);
    expect(holders.map(({ taken }) => taken)).toEqual([0, 1]);
    expect(pool.lease(inflate)).toBe(contexts[0]);
    expect(pool.lease(inflate)).not.toBe(inUse);
    expect(pool.bytes).toBe(4 * contextBytes(inflate));
  });

  it('closes as many of other kinds as it must', () => {
    using pool = opened({ maxBytes: contextBytes(deflate) });
    const holders = [new Holder(), new Holder(), new Holder()];
    for (const holder of holders) pool.rest(pool.lease(inflate), holder);
    pool.release(pool.lease(other));
    pool.rest(pool.lease(deflate), holders[0]!);
    expect(holders.map(({ taken }) => taken)).toEqual([1, 1, 1]);
    expect(pool.bytes).toBe(contextBytes(deflate));
  });

  it('keeps nothing that is given back beyond its budget', () => {
    using pool = opened({ maxBytes: 0 });
    const context = pool.lease(inflate);
    const close = vi.spyOn(context, 'close');
    pool.release(context);
    expect(pool.bytes).toBe(0);
    expect(close).toHaveBeenCalledOnce();
  });

  it('gives up what has rested, by one timer, which is there only while something rests', () => {
    vi.useFakeTimers();
    try {
      const pool = new DeflatePool({ restMs: 1000 });
      pool.join();
      const holder = new Holder();
      const [busy, free] = [pool.lease(inflate), pool.lease(inflate)];
      expect(vi.getTimerCount()).toBe(0);
      pool.rest(busy, holder);
      pool.release(free);
      expect(vi.getTimerCount()).toBe(1);
      for (let i = 0; i < 10; i++) {
        vi.advanceTimersByTime(400);
        pool.resume(busy);
        pool.rest(busy, holder);
      }
      expect([pool.bytes, holder.taken]).toEqual([contextBytes(inflate), 0]);
      vi.advanceTimersByTime(1000);
      expect([pool.bytes, holder.taken, vi.getTimerCount()]).toEqual([0, 1, 0]);
      pool.leave();
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves nothing behind when the last of its users is gone', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const pool = new DeflatePool();
    pool.join();
    pool.join();
    pool.release(pool.lease(inflate));
    pool.leave();
    expect([pool.bytes, vi.getTimerCount()]).toEqual([contextBytes(inflate), 1]);
    pool.leave();
    expect([pool.bytes, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it.each([{ maxBytes: -1 }, { maxBytes: 1.5 }, { restMs: -1 }, { restMs: Number.NaN }, { restMs: 2 ** 31 }])(
    'refuses %o',
    (options) => {
      expect(() => new DeflatePool(options)).toThrow(RangeError);
    },
  );

  it('is one for the process where none is given', () => {
    expect(sharedPool()).toBe(sharedPool());
  });
});

it.each([
  [{ maxBytes: -1 }, 'maxBytes must'],
  [{ restMs: -1 }, 'restMs must be a number of milliseconds, not -1'],
])('says what is wrong with %o', (options, message) => {
  expect(() => new DeflatePool(options)).toThrow(message);
});

it('takes no rest, and the longest that a timer knows', () => {
  expect(() => new DeflatePool({ restMs: 0 })).not.toThrow();
  expect(() => new DeflatePool({ restMs: 2 ** 31 - 1 })).not.toThrow();
});

describe('what is given back', () => {
  it('is all there for the next, as new', () => {
    using pool = opened();
    const contexts = [pool.lease(inflate), pool.lease(inflate)];
    for (const context of contexts) pool.release(context);
    expect(new Set([pool.lease(inflate), pool.lease(inflate)])).toEqual(new Set(contexts));
    expect(pool.bytes).toBe(2 * contextBytes(inflate));
  });

  it('is kept up to the budget, inclusive', () => {
    using pool = opened({ maxBytes: contextBytes(inflate) });
    const context = pool.lease(inflate);
    pool.release(context);
    expect(pool.lease(inflate)).toBe(context);
  });

  it('is made as new where it is taken from who rests', () => {
    using pool = opened({ maxBytes: contextBytes(inflate) });
    const context = pool.lease(inflate);
    const reset = vi.spyOn(context, 'reset');
    pool.rest(context, new Holder());
    expect(pool.lease(inflate)).toBe(context);
    expect(reset).toHaveBeenCalledOnce();
  });

  it('keeps no process alive', () => {
    const timers = vi.spyOn(globalThis, 'setInterval');
    using pool = opened();
    pool.release(pool.lease(inflate));
    expect(timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).toEqual([false]);
    timers.mockRestore();
  });
});
