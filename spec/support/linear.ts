/** Work that must grow as its input does, and no faster. */
import { expect } from 'vitest';

/** Holds that eight times the input is nowhere near 64 times the work. */
export async function expectLinear(work: (size: number) => Promise<number>, size: number): Promise<void> {
  const best = async (of: number): Promise<number> => Math.min(await work(of), await work(of), await work(of));
  await work(size);
  const [small, large] = [await best(size), await best(8 * size)];
  expect(large).toBeLessThan(32 * Math.max(small, 1000));
}
