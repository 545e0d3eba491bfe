import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PayloadCollector } from '../../lib/protocol/payload-collector.ts';
import { anyCuts, cutAt, oneByOne } from '../vectors/any-frame.ts';
import { pattern } from '../vectors/frames.ts';

function counting(): { collector: PayloadCollector; sizes: number[] } {
  const sizes: number[] = [];
  const collector = new PayloadCollector((size) => {
    sizes.push(size);
    return new Uint8Array(size);
  });
  return { collector, sizes };
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

describe('a collector of payloads', () => {
  it('gives the pieces back in order, however they were cut', () => {
    fc.assert(
      fc.property(fc.nat(30_000), anyCuts, fc.boolean(), fc.boolean(), (length, cuts, isCopied, isLastTaken) => {
        const bytes = pattern(length);
        const collector = new PayloadCollector();
        const pieces = cutAt(bytes, cuts).map((piece) => (isCopied ? piece.slice() : piece));
        const last = isLastTaken ? pieces.pop() : undefined;
        for (const piece of pieces) collector.push(piece);
        expect(collector.length).toBe(length - (last?.length ?? 0));
        expect(Buffer.compare(collector.take(last), bytes)).toBe(0);
        expect(collector.length).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it.each([1, 255, 256, 1000, 100_000, 1_000_000])(
    'holds %i single bytes in about as much memory, in few blocks',
    (length) => {
      const { collector, sizes } = counting();
      const piece = Uint8Array.of(7);
      for (let i = 0; i < length; i++) collector.push(piece);
      expect(sum(sizes)).toBeLessThan(2 * length + 65_536 / 64);
      expect(sizes.length).toBeLessThan(10 + length / 65_536);
      expect(collector.take()).toHaveLength(length);
    },
  );

  it.each([1, 300, 5000])('wastes no more than it holds where pieces of %i bytes come before single ones', (length) => {
    const { collector, sizes } = counting();
    const chunk = pattern(65_536);
    let held = 0;
    for (let i = 0; i < 200; i++) {
      const isViewed = i % 3 === 0;
      // Between views every run begins anew.
      const piece = isViewed ? pattern(4096) : chunk.subarray(0, i % 3 === 1 ? length : 1);
      collector.push(piece);
      held += piece.length;
    }
    expect(sum(sizes)).toBeLessThan(2 * held);
  });

  it('copies the last piece once, into the whole', () => {
    const { collector, sizes } = counting();
    const chunk = pattern(65_536);
    collector.push(chunk.subarray(0, 300));
    expect(collector.take(chunk.subarray(300, 12_000))).toEqual(chunk.subarray(0, 12_000));
    expect(sizes).toEqual([300, 12_000]);
  });

  it('reserves nothing for pieces that are empty', () => {
    const { collector, sizes } = counting();
    for (let i = 0; i < 1000; i++) collector.push(new Uint8Array(0));
    expect(sizes).toEqual([]);
    expect(collector.take()).toHaveLength(0);
  });

  it('keeps a large piece as a view, and gives a single one out without a copy', () => {
    const { collector, sizes } = counting();
    const piece = pattern(8192);
    collector.push(piece);
    expect(collector.take()).toBe(piece);
    expect(sizes).toEqual([]);
  });

  it('copies a piece that would hold much more than itself back from the collector', () => {
    const { collector } = counting();
    const chunk = pattern(65_536);
    collector.push(chunk.subarray(0, 4096));
    const taken = collector.take();
    expect(taken.buffer).not.toBe(chunk.buffer);
    expect(Buffer.compare(taken, chunk.subarray(0, 4096))).toBe(0);
  });

  it('keeps small pieces in their places between large ones', () => {
    const { collector, sizes } = counting();
    const parts = [pattern(5), pattern(5000), pattern(3), pattern(300), pattern(6000)];
    for (const part of parts) collector.push(part);
    expect(Buffer.compare(collector.take(), Buffer.concat(parts))).toBe(0);
    expect(sizes).toEqual([256, 256, 256, 11_308]);
  });

  it('is empty after drop', () => {
    const { collector } = counting();
    for (const piece of oneByOne(pattern(9))) collector.push(piece);
    collector.drop();
    expect(collector.length).toBe(0);
    collector.push(Uint8Array.of(1));
    expect([...collector.take()]).toEqual([1]);
  });
});

it.each([
  [4096, 4096, true],
  [4096, 8192, true],
  [4096, 8193, false],
  [4095, 4095, false],
])('a piece of %i bytes in memory of %i is kept as a view: %s', (length, memory, isKept) => {
  const { collector, sizes } = counting();
  const piece = new Uint8Array(memory).subarray(0, length);
  collector.push(piece);
  expect([collector.take() === piece, sizes.length]).toEqual([isKept, isKept ? 0 : 1]);
});
