import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelay, resolveBackoff } from '../../../lib/endpoint/client/backoff.ts';
import type { Setback } from '../../../lib/endpoint/client/setback.ts';

const failed = (attempt: number, more: Partial<Setback> = {}): Setback => ({ attempt, isTransient: true, ...more });
const closed = (code: number, attempt = 1): Setback =>
  failed(attempt, { closeInfo: { code, reason: '', wasClean: true, initiator: 'remote' } });
const never = (): number => 0;
const almost = (): number => 1 - Number.EPSILON;
const delays = (options: Parameters<typeof resolveBackoff>[0], random: () => number, count = 8): number[] =>
  Array.from({ length: count }, (_, at) => backoffDelay(resolveBackoff(options), failed(at + 1), random));

describe('the waits of a client', () => {
  it('lie between half a second and 1, 2, 4 … 30 seconds by default (§7.2.3)', () => {
    expect(delays({}, never)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(new Set(delays({}, almost))).toEqual(new Set([500]));
  });

  it('are left to chance in part, or not at all', () => {
    const backoff = { minMs: 100, maxMs: 1000, factor: 3 };
    expect(delays({ ...backoff, jitter: 0 }, almost, 4)).toEqual([300, 900, 1000, 1000]);
    expect(delays({ ...backoff, jitter: 0.5 }, almost, 4)).toEqual([200, 500, 550, 550]);
    expect(delays({ ...backoff, factor: 1 }, Math.random, 4)).toEqual([100, 100, 100, 100]);
  });

  it('stay within their bounds, whatever chance and the number of retries', () => {
    const options = fc.record({
      minMs: fc.double({ min: 1, max: 1e5, noNaN: true }),
      more: fc.double({ min: 0, max: 1e6, noNaN: true }),
      factor: fc.double({ min: 1, max: 1e300, noNaN: true }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(
        options,
        chance,
        fc.integer({ min: 1, max: 2 ** 53 - 1 }),
        fc.boolean(),
        (drawn, at, attempt, isTold) => {
          const { minMs, more, ...rest } = drawn;
          const maxMs = minMs + more;
          const setback = isTold ? closed(1012, attempt) : failed(attempt);
          const ms = backoffDelay(resolveBackoff({ minMs, maxMs, ...rest }), setback, () => at);
          expect(ms).toBeGreaterThanOrEqual(Math.floor(minMs));
          expect(ms).toBeLessThanOrEqual(Math.ceil(maxMs));
        },
      ),
    );
  });

  it('never get shorter with jitter 0, and reach maxMs', () => {
    fc.assert(
      fc.property(fc.double({ min: 1.1, max: 10, noNaN: true }), (factor) => {
        const ms = delays({ minMs: 10, maxMs: 5000, factor, jitter: 0 }, never, 100);
        expect(ms).toEqual([...ms].sort((a, b) => a - b));
        expect(ms.at(-1)).toBe(5000);
      }),
    );
  });

  it.each([1012, 1013])('are 5 to 30 seconds after %d, made to fit where maxMs is less', (code) => {
    const wait = (maxMs: number, random: () => number): number =>
      backoffDelay(resolveBackoff({ minMs: 1, maxMs }), closed(code), random);
    expect([wait(60_000, never), wait(60_000, almost)]).toEqual([5000, 30_000]);
    expect([wait(3000, never), wait(3000, almost)]).toEqual([500, 3000]);
  });

  it('are no longer after any other code', () => {
    expect(backoffDelay(resolveBackoff({ minMs: 10, jitter: 0 }), closed(1001), never)).toBe(20);
  });

  it("come behind a server's Retry-After, up to a bound, so that nobody comes early and not all at once", () => {
    const wait = (retryAfterMs: number, more = {}): number =>
      backoffDelay(resolveBackoff({ minMs: 10, jitter: 0, ...more }), failed(1, { retryAfterMs }), never);
    expect(wait(60_000)).toBe(60_020);
    expect(wait(Number.POSITIVE_INFINITY)).toBe(300_020);
    expect(wait(5000, { maxRetryAfterMs: 0 })).toBe(20);
    expect(wait(2 ** 40, { maxRetryAfterMs: 2 ** 31 - 1 })).toBe(2 ** 31 - 1);
  });
});

describe('the options of the waits', () => {
  it('are completed: a maxMs that nobody has set is no less than minMs', () => {
    expect(resolveBackoff()).toEqual({ minMs: 500, maxMs: 30_000, factor: 2, jitter: 1, maxRetryAfterMs: 300_000 });
    expect(resolveBackoff({ minMs: 60_000 }).maxMs).toBe(60_000);
  });

  it.each<[string, unknown, typeof TypeError | typeof RangeError]>([
    ['minMs', 0, RangeError],
    ['minMs', '5', TypeError],
    ['maxMs', 2 ** 31, RangeError],
    ['maxMs', 499, RangeError],
    ['factor', 0.9, RangeError],
    ['factor', Number.POSITIVE_INFINITY, RangeError],
    ['factor', '2', TypeError],
    ['jitter', 1.1, RangeError],
    ['jitter', Number.NaN, RangeError],
    ['jitter', true, TypeError],
    ['maxRetryAfterMs', -1, RangeError],
  ])('are checked: %s %s', (name, value, error) => {
    expect(() => resolveBackoff({ [name]: value })).toThrow(error);
  });

  it.each([null, 5, 'fast'])('are an object, not %s', (options) => {
    expect(() => resolveBackoff(options as never)).toThrow(TypeError);
  });
});
