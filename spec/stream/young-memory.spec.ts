import { describe, expect, it } from 'vitest';
import * as young from '../../lib/stream/young-memory.ts';

describe('weighYoung', () => {
  it.each([
    [0, 0],
    [4095, 0],
    [4096, 512],
    [65_536, 8192],
  ])('puts beside %i bytes a young object of %i', (bytes, weight) => {
    const before = young.weight;
    young.weighYoung(bytes);
    if (weight === 0) expect(young.weight).toBe(before);
    else expect([young.weight === before, young.weight!.length * 8]).toEqual([false, weight]);
  });
});
