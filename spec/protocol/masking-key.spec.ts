import { afterEach, describe, expect, it, vi } from 'vitest';
import { createMaskingKey } from '../../lib/protocol/masking-key.ts';

afterEach(() => void vi.restoreAllMocks());

describe('a masking key', () => {
  it('comes from the system generator, and each of its words is given out once (§5.3, §10.3)', () => {
    const drawn: number[] = [];
    const original = crypto.getRandomValues.bind(crypto);
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      const words = original(array) as unknown as Int32Array;
      drawn.push(...words);
      return array;
    });
    const given = Array.from({ length: 10_000 }, createMaskingKey);
    const start = given.indexOf(drawn[0]!);
    expect(start).toBeGreaterThanOrEqual(0);
    expect(start).toBeLessThanOrEqual(2048);
    expect(given.slice(start)).toEqual(drawn.slice(0, given.length - start));
  });

  it('is not repeated (§5.3)', () => {
    const keys = Array.from({ length: 20_000 }, createMaskingKey);
    // By chance, 20,000 of 2^32 keys hold 0.05 pairs; four pairs come once in four million runs.
    expect(new Set(keys).size).toBeGreaterThan(keys.length - 4);
  });

  it('sets each of its bits in half of all cases (§5.3)', () => {
    const keys = Array.from({ length: 20_000 }, createMaskingKey);
    for (let bit = 0; bit < 32; bit++) {
      const set = keys.filter((key) => ((key >>> bit) & 1) === 1).length;
      // Six standard deviations of 71 around 10,000.
      expect(Math.abs(set - 10_000), `bit ${bit}`).toBeLessThan(430);
    }
  });

  it('has nothing to do with the one before it (§5.3)', () => {
    const keys = Array.from({ length: 20_000 }, createMaskingKey);
    const steps = new Set(keys.slice(1).map((key, i) => (key - keys[i]!) | 0));
    expect(steps.size).toBeGreaterThan(keys.length - 8);
  });
});
