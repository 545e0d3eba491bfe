import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { give } from '../../lib/stream/give.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function createSource(): Readable {
  return new Readable({ objectMode: true, highWaterMark: 2, read() {} });
}

describe('what is given', () => {
  it('comes to who listens at once, in order, and is not asked for', async () => {
    const source = createSource();
    const got: number[] = [];
    source.on('data', (value) => got.push(value));
    await turn();
    for (const value of [1, 2, 3]) {
      expect(give(source, value)).toBe(true);
      expect(got.at(-1)).toBe(value);
    }
    expect([source.readableLength, source.readableDidRead]).toEqual([0, true]);
    source.destroy();
  });

  it('is decoded where text was asked for', async () => {
    const source = new Readable({ objectMode: true, read() {} });
    const got: unknown[] = [];
    source.setEncoding('hex').on('data', (text) => got.push(text));
    await turn();
    for (const value of [1, 2, 3]) give(source, Buffer.of(value));
    await turn();
    expect(got).toEqual(['01', '02', '03']);
    source.destroy();
  });

  it('waits behind what waits, where somebody has paused, and comes when he goes on', async () => {
    const source = createSource();
    const got: number[] = [];
    source.on('data', (value) => {
      got.push(value);
      if (value === 1) source.pause();
    });
    await turn();
    expect([0, 1, 2, 3].map((value) => give(source, value))).toEqual([true, true, true, false]);
    expect([got, source.readableLength]).toEqual([[0, 1], 2]);
    source.resume();
    expect(give(source, 4)).toBe(false);
    await turn();
    expect(got).toEqual([0, 1, 2, 3, 4]);
    source.destroy();
  });

  it('waits where nobody listens', async () => {
    const source = createSource();
    expect([give(source, 1), give(source, 2)]).toEqual([true, false]);
    expect(source.read()).toBe(1);
    const got: number[] = [];
    source.on('data', (value) => got.push(value));
    await turn();
    expect(got).toEqual([2]);
    source.destroy();
  });
});
