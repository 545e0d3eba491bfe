import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../lib/connection/reading/token-bucket.ts';

describe('a bucket', () => {
  it('gives a second of its rate at once, and then asks to wait for what is taken', () => {
    const bucket = new TokenBucket(10, 0);
    expect(bucket.take(10, 0)).toBe(0);
    expect(bucket.take(1, 0)).toBe(100);
    expect(bucket.take(1, 100)).toBe(100);
    expect(bucket.take(0, 200)).toBe(0);
  });

  it('gives no more than that after a long rest', () => {
    const bucket = new TokenBucket(10, 0);
    expect(bucket.take(11, 1_000_000)).toBe(100);
  });

  it('lends what is larger than it, and is paid back', () => {
    const bucket = new TokenBucket(1000, 0);
    expect(bucket.take(65_000, 0)).toBe(64_000);
    expect(bucket.take(1, 64_000)).toBe(1);
  });

  it('takes rates of less than one a second', () => {
    const bucket = new TokenBucket(0.5, 0);
    expect(bucket.take(1, 0)).toBe(1000);
  });

  it('holds whoever waits as told to its rate and one second of it, whatever he takes', () => {
    const takes = fc.array(fc.record({ count: fc.nat(500), rest: fc.nat(300) }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), takes, (perSecond, all) => {
        const bucket = new TokenBucket(perSecond, 0);
        let [now, taken] = [0, 0];
        for (const { count, rest } of all) {
          now += rest;
          // What has been taken up to now was paid for before more is taken.
          expect(taken).toBeLessThanOrEqual(perSecond * (1 + now / 1000) + 1e-6);
          now += bucket.take(count, now);
          taken += count;
        }
      }),
    );
  });
});
