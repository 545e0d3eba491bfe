import { finished } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { createMemoryDuplexes } from '../../lib/endpoint/memory-duplex.ts';
import { ByteCollector } from '../support/sockets.ts';

const turns = async (count = 5): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe('a pipe in memory', () => {
  it('carries bytes both ways, and an end', async () => {
    const [left, right] = createMemoryDuplexes();
    left.end('to the right');
    right.end('to the left');
    const all = await Promise.all([left, right].map((end) => new ByteCollector(end).readAll()));
    expect(all.map(String)).toEqual(['to the left', 'to the right']);
    await Promise.all([left, right].map((end) => finished(end)));
    expect([left.destroyed, right.destroyed]).toEqual([true, true]);
  });

  it('hands over copies, as a socket does', async () => {
    const [left, right] = createMemoryDuplexes();
    const bytes = Buffer.from('abc');
    left.write(bytes);
    bytes.fill(0);
    expect(String(await new ByteCollector(right).read(3))).toBe('abc');
    left.destroy();
    right.destroy();
  });

  it('loses nothing, and keeps the order, where each side answers while it is given something', async () => {
    const [left, right] = createMemoryDuplexes();
    const got: string[] = [];
    left.on('data', (chunk) => {
      got.push(chunk.length > 100 ? 'large' : String(chunk));
      if (chunk.length > 100) left.write('question');
    });
    right.on('data', () => right.write('answer'));
    await turns();
    right.write('hello');
    left.pause();
    right.write(Buffer.alloc(left.readableHighWaterMark));
    right.write('small');
    left.resume();
    await turns();
    right.end('later');
    await finished(left, { writable: false });
    expect(got).toEqual(['hello', 'large', 'small', 'answer', 'later']);
    left.destroy();
  });

  it('holds no more than two high-water marks while nobody reads, and goes on when somebody does', async () => {
    const [left, right] = createMemoryDuplexes();
    const chunk = Buffer.alloc(4096);
    let written = 0;
    while (left.write(chunk)) written += chunk.length;
    await turns();
    while (left.write(chunk)) written += chunk.length;
    await turns();
    const held = left.writableLength + right.readableLength;
    expect(held).toBeLessThanOrEqual(left.writableHighWaterMark + right.readableHighWaterMark + 2 * chunk.length);
    expect(left.writableNeedDrain).toBe(true);
    right.resume();
    await new Promise((resolve) => left.once('drain', resolve));
    expect(written).toBeGreaterThan(0);
    left.destroy();
    right.destroy();
  });

  it('shows an end without a FIN to the other side when one side is destroyed, after what had arrived', async () => {
    const [left, right] = createMemoryDuplexes();
    left.write('last words');
    left.destroy();
    expect(String(await new ByteCollector(right).readAll())).toBe('last words');
    expect(right.readableEnded).toBe(true);
    right.destroy();
  });

  it('fails writes to a side that is gone with EPIPE, also those that waited for room', async () => {
    const [left, right] = createMemoryDuplexes();
    const errors: unknown[] = [];
    left.on('error', () => {});
    left.write(Buffer.alloc(left.writableHighWaterMark * 4), (error) => errors.push(error));
    await turns();
    right.destroy();
    await turns();
    expect(errors).toEqual([expect.objectContaining({ code: 'EPIPE' })]);
    expect(left.destroyed).toBe(true);
  });

  it('fails a write after the other side has gone', async () => {
    const [left, right] = createMemoryDuplexes();
    left.on('error', () => {});
    right.destroy();
    await turns();
    const error = await new Promise((resolve) => left.write('x', resolve));
    expect(error).toMatchObject({ code: 'EPIPE' });
  });
});
