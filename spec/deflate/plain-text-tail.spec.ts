import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainTextTail } from '../../lib/deflate/plain-text-tail.ts';
import { Z_NO_FLUSH, ZlibContext } from '../../lib/deflate/zlib-context.ts';
import { noise } from '../vectors/deflate.ts';

/** What a context is told of the past: the head of a block, and the bytes in one piece or two. */
function told(tail: PlainTextTail): Buffer[] {
  const written: Buffer[] = [];
  tail.feed({
    write: (_flush: number, input: Buffer, at: number, length: number) =>
      written.push(Buffer.from(input.subarray(at, at + length))),
  } as unknown as ZlibContext);
  return written;
}

const past = (tail: PlainTextTail): Buffer => Buffer.concat(told(tail).slice(1));

describe('the tail', () => {
  it('is the last bytes, up to a window of them, however they came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 700 }), { maxLength: 12 }),
        fc.constantFrom(256, 512, 1024),
        (sizes, window) => {
          const tail = new PlainTextTail(window);
          let all = Buffer.alloc(0);
          for (const [i, size] of sizes.entries()) {
            const text = noise(size + 9, i + 1);
            tail.push(text, 4, 4 + size);
            all = Buffer.concat([all, text.subarray(4, 4 + size)]);
            const expected = all.subarray(Math.max(0, all.length - window));
            expect(past(tail).equals(expected)).toBe(true);
            expect(tail.length).toBe(expected.length);
            expect(tail.capacity).toBeLessThanOrEqual(window);
          }
        },
      ),
    );
  });

  it('takes no memory while there is none, and little for little', () => {
    const tail = new PlainTextTail(32_768);
    expect(tail.capacity).toBe(0);
    tail.push(noise(2048), 0, 2048);
    expect(tail.capacity).toBe(2048);
    for (let i = 0; i < 100; i++) tail.push(noise(1000), 0, 1000);
    expect(tail.capacity).toBe(32_768);
    const ofLittle = new PlainTextTail(32_768);
    ofLittle.push(noise(9000), 8800, 9000);
    expect(ofLittle.capacity).toBe(256);
  });

  it('is told in as few pieces as it lies in', () => {
    const tail = new PlainTextTail(512);
    const pieces = (): number[] => told(tail).map(({ length }) => length);
    tail.push(noise(300), 0, 300);
    expect(pieces()).toEqual([5, 300]);
    tail.push(noise(212), 0, 212);
    expect(pieces()).toEqual([5, 512]);
    tail.push(noise(100), 0, 100);
    expect(pieces()).toEqual([5, 412, 100]);
  });

  it('is told to a context as one stored block, to which what follows may refer (RFC 1951 §3.2.4)', () => {
    for (const size of [5, 300, 32_768, 50_000]) {
      const context = new ZlibContext({ kind: 'inflate', windowBits: 15, level: 0, memLevel: 0 });
      const text = noise(size);
      text.write('Hello', size - 5);
      const tail = new PlainTextTail(32_768);
      tail.push(text, 0, size);
      tail.feed(context);
      const output = Buffer.alloc(10);
      // "H", and four bytes from five back.
      const length = context.write(Z_NO_FLUSH, Buffer.from('f200110000', 'hex'), 0, 5, output, 0);
      expect(output.toString('utf8', 0, length)).toBe('Hello');
      context.close();
    }
  });

  it('that is empty is not told', () => {
    expect(told(new PlainTextTail(256))).toEqual([]);
  });
});
