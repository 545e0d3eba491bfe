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

/** What is said to come, true or not. */
const anyAnnounced = fc.array(fc.oneof(fc.constant(0), fc.nat(60_000)), { minLength: 1 });

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

describe('a collector of payloads', () => {
  it('gives the pieces back in order, however they were cut', () => {
    fc.assert(
      fc.property(
        fc.nat(30_000),
        anyCuts,
        fc.boolean(),
        fc.boolean(),
        anyAnnounced,
        (length, cuts, isCopied, isLastTaken, said) => {
          const bytes = pattern(length);
          const collector = new PayloadCollector();
          const pieces = cutAt(bytes, cuts).map((piece) => (isCopied ? piece.slice() : piece));
          const last = isLastTaken ? pieces.pop() : undefined;
          for (const [i, piece] of pieces.entries()) collector.push(piece, said[i % said.length]);
          expect(collector.length).toBe(length - (last?.length ?? 0));
          expect(Buffer.compare(collector.take(last), bytes)).toBe(0);
          expect(collector.length).toBe(0);
        },
      ),
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

describe('room for what is announced', () => {
  /** Pieces of a larger chunk, none of which is kept as a view, and what was said to come behind each. */
  const collect = (...pieces: readonly (readonly [size: number, announced?: number])[]) => {
    const { collector, sizes } = counting();
    const bytes = pattern(65_536);
    let at = 0;
    for (const [size, announced] of pieces) collector.push(bytes.subarray(at, (at += size)), announced);
    const next = (size: number): Uint8Array => bytes.subarray(at, at + size);
    return { collector, sizes, next, gathered: bytes.subarray(0, at) };
  };

  it.each([
    ['a quarter has come', [[1000, 3000]], [4000]],
    ['less has come', [[1000, 3001]], [1000]],
    [
      'a quarter has come with the second piece',
      [
        [1000, 4000],
        [250, 3750],
      ],
      [1000, 5000],
    ],
    ['half has come', [[1000, 1000]], [2000]],
    ['more than half has come, and copying all of it is not worth it', [[1000, 999]], [1000]],
    ['nothing has come', [[0, 1]], []],
    [
      'there is room already',
      [
        [1000, 3000],
        [1000, 2000],
        [1000, 1000],
      ],
      [4000],
    ],
    ['the room is full, and another frame is a quarter there', [[1000, 1000], [1000], [1000, 9000]], [2000, 12_000]],
    ['the room is full, and another frame has just begun', [[1000, 1000], [1000], [1000, 9001]], [2000, 2000]],
    ['the room is full, and a small piece follows', [[1000, 1000], [1000], [1]], [2000, 2000]],
    ['a piece is larger than what was announced', [[1000, 1000], [1500]], [2000, 2000]],
    [
      'such a piece announces more',
      [
        [1000, 1000],
        [1500, 2500],
      ],
      [2000, 5000],
    ],
  ] satisfies [string, [number, number?][], number[]][])('where %s: %j makes %j', (_, pieces, made) => {
    const { collector, sizes, gathered } = collect(...pieces);
    expect(sizes).toEqual(made);
    expect(Buffer.compare(collector.take(), gathered)).toBe(0);
  });

  it('takes all that comes, large pieces and the last one too, and is given out as it is', () => {
    const { collector, sizes } = counting();
    const bytes = pattern(40_000);
    collector.push(bytes.slice(0, 10_000), 30_000);
    collector.push(bytes.slice(10_000, 20_000), 20_000);
    const whole = collector.take(bytes.slice(20_000));
    expect([sizes, whole.buffer.byteLength]).toEqual([[40_000], 40_000]);
    expect(Buffer.compare(whole, bytes)).toBe(0);
  });

  it('begins with the views that were kept before', () => {
    const { collector, sizes } = counting();
    const bytes = pattern(50_000);
    collector.push(bytes.slice(0, 5000), 45_000);
    expect(sizes).toEqual([]);
    collector.push(bytes.slice(5000, 12_500), 37_500);
    expect(sizes).toEqual([50_000]);
    expect(Buffer.compare(collector.take(bytes.subarray(12_500)), bytes)).toBe(0);
    expect(sizes).toEqual([50_000]);
  });

  it('is left where a large piece does not fit it, which is kept as a view', () => {
    const { collector, sizes, gathered } = collect([1000, 1000]);
    const piece = pattern(5000);
    collector.push(piece);
    expect(sizes).toEqual([2000]);
    expect(Buffer.compare(collector.take(), Buffer.concat([gathered, piece]))).toBe(0);
  });

  it.each([
    ['fits it to the byte', 1000, [2000]],
    ['does not', 1001, [2000, 2001]],
  ])('has the last piece where that %s', (_, size, made) => {
    const { collector, sizes, next, gathered } = collect([1000, 1000]);
    const last = next(size);
    expect(Buffer.compare(collector.take(last), Buffer.concat([gathered, last]))).toBe(0);
    expect(sizes).toEqual(made);
  });

  it.each([
    ['take', (collector: PayloadCollector) => void collector.take()],
    ['drop', (collector: PayloadCollector) => collector.drop()],
  ])('is gone after %s', (_, end) => {
    const { collector, sizes, next } = collect([1000, 1000]);
    end(collector);
    collector.push(next(10));
    expect(Buffer.compare(collector.take(), next(10))).toBe(0);
    expect(sizes).toEqual([2000, 256]);
  });

  it('is never more than three times what has come, and all of it together grows with that', () => {
    const anySteps = fc.array(fc.tuple(fc.nat(9000), fc.oneof(fc.nat(40_000), fc.nat(2 ** 31))));
    const property = fc.property(anySteps, (steps) => {
      const { collector, sizes } = counting();
      for (const [size, announced] of steps) {
        const made = sizes.length;
        collector.push(new Uint8Array(size), announced);
        for (const room of sizes.slice(made)) expect(room).toBeLessThanOrEqual(Math.max(256, 4 * collector.length));
      }
      expect(sum(sizes)).toBeLessThanOrEqual(256 + 16 * collector.length);
    });
    fc.assert(property, { numRuns: 300 });
  });
});
