import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mask, maskInto, rotateMaskingKey } from '../../lib/protocol/mask.ts';
import { KEY, KEY_WORD, maskNaively, pattern } from '../vectors/frames.ts';

const keyBytes = (key: number): Uint8Array => Uint8Array.of(key, key >>> 8, key >>> 16, key >>> 24);

/** Masks a stretch of memory at any place, and compares it, and all around it, with the naive way. */
function expectSameAsNaive(length: number, key: number, lead: number, start: number): void {
  const memory = new Uint8Array(lead + start + length + 11).map((_, i) => (i * 31) & 0xff);
  const before = memory.slice();
  const view = memory.subarray(lead, memory.length - 2);
  mask(view, start, start + length, key);
  const from = lead + start;
  const masked = maskNaively(before.subarray(from, from + length), keyBytes(key));
  const whole = Buffer.concat([before.subarray(0, from), masked, before.subarray(from + length)]);
  expect(Buffer.compare(memory, whole), `${length} bytes at ${lead} + ${start}`).toBe(0);
}

describe('mask', () => {
  it('does what the naive loop does, for each length up to 200 at each alignment, and nothing around (§5.3)', () => {
    for (let length = 0; length <= 200; length++) {
      for (let lead = 0; lead < 4; lead++)
        for (let start = 0; start < 4; start++) expectSameAsNaive(length, 0x80ff017f, lead, start);
    }
  });

  it('does so for a short run in a large buffer, which is not held back', () => {
    for (const lead of [0, 3, 131_000, 131_072, 200_000]) expectSameAsNaive(100, 0x80ff017f, lead, 131_072);
  });

  it('does so for any key, length, offset and start (§5.3)', () => {
    const anyLength = fc.oneof(fc.nat(200), fc.nat(140_000));
    const anyKey = fc.oneof(fc.integer(), fc.nat(0xffffffff));
    fc.assert(fc.property(anyLength, anyKey, fc.nat(70), fc.nat(70), expectSameAsNaive), { numRuns: 300 });
  });

  it('copies what it masks where that is asked for, and changes nothing else (§5.3)', () => {
    const anyLength = fc.oneof(fc.nat(200), fc.nat(40_000));
    const anyKey = fc.oneof(fc.integer(), fc.constant(0));
    const property = fc.property(anyLength, anyKey, fc.nat(70), fc.nat(70), (length, key, at, start) => {
      const source = pattern(start + length + 5);
      const target = new Uint8Array(at + length + 5);
      maskInto(target, at, source, start, start + length, key);
      const masked = maskNaively(pattern(start + length).subarray(start), keyBytes(key));
      expect(Buffer.compare(target, Buffer.concat([Buffer.alloc(at), masked, Buffer.alloc(5)]))).toBe(0);
      expect(Buffer.compare(source, pattern(start + length + 5))).toBe(0);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it.each([0, KEY_WORD])('copies with key %i, in one go or in windows: from all places, to all places', (key) => {
    for (const length of [0, 1, 31, 32, 2047, 2048, 2049, 8191, 8192, 8193, 16_384, 16_385, 16_447, 24_577]) {
      for (const [at, start] of [
        [0, 0],
        [1, 2],
        [3, 8191],
      ] as const) {
        const source = pattern(start + length + 3);
        const target = new Uint8Array(at + length + 3);
        maskInto(target, at, source, start, start + length, key);
        const masked = maskNaively(source.subarray(start, start + length), keyBytes(key));
        const whole = Buffer.concat([Buffer.alloc(at), masked, Buffer.alloc(3)]);
        expect(Buffer.compare(target, whole), `${length} bytes from ${start} to ${at}`).toBe(0);
        maskInto(source, start, source, start, start + length, key);
        expect(Buffer.compare(source.subarray(start, start + length), masked), `${length} bytes in place`).toBe(0);
      }
    }
  });

  it('does so in memory that is shared', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(10_000));
    mask(bytes, 1, 10_000, KEY_WORD);
    expect(Buffer.compare(bytes.subarray(1), maskNaively(new Uint8Array(9999), KEY))).toBe(0);
    const copy = new Uint8Array(new SharedArrayBuffer(10_000));
    maskInto(copy, 0, bytes, 1, 10_000, KEY_WORD);
    expect(copy.every((byte) => byte === 0)).toBe(true);
  });

  it('gives the payload back when done twice (§5.3)', () => {
    const bytes = pattern(1001);
    mask(bytes, 0, 1001, KEY_WORD);
    expect(Buffer.compare(bytes, maskNaively(pattern(1001), KEY))).toBe(0);
    mask(bytes, 0, 1001, KEY_WORD);
    expect(Buffer.compare(bytes, pattern(1001))).toBe(0);
  });

  it('goes on behind a piece with the key turned (§5.3)', () => {
    for (const cut of [0, 1, 2, 3, 4, 5, 33, 66, 99]) {
      const bytes = pattern(100);
      mask(bytes, 0, cut, KEY_WORD);
      mask(bytes, cut, 100, rotateMaskingKey(KEY_WORD, cut));
      expect(Buffer.compare(bytes, maskNaively(pattern(100), KEY))).toBe(0);
    }
  });

  it('sees that memory behind a view was resized since the last time', () => {
    // Node 20 has resizable buffers; the types of es2023 do not know them.
    const Resizable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
    const memory = new Resizable(64, { maxByteLength: 4096 }) as ArrayBuffer & { resize(length: number): void };
    const bytes = new Uint8Array(memory);
    mask(bytes, 0, 64, KEY_WORD);
    mask(bytes, 0, 64, KEY_WORD);
    memory.resize(4096);
    mask(bytes, 0, 4096, KEY_WORD);
    expect(Buffer.compare(bytes, maskNaively(new Uint8Array(4096), KEY))).toBe(0);
    memory.resize(128);
    mask(bytes, 0, 128, KEY_WORD);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
  });

  it('masks what lies across the place where 31 bits end, and behind it', () => {
    // Untouched pages of so large a buffer take no memory.
    const bytes = new Uint8Array(2 ** 31 + 10_000);
    for (const length of [82, 9000]) {
      const expected = Buffer.concat([new Uint8Array(9), maskNaively(new Uint8Array(length), KEY), new Uint8Array(9)]);
      for (const start of [2 ** 31 - 41, 2 ** 31 + 13]) {
        mask(bytes, start, start + length, KEY_WORD);
        expect(Buffer.compare(bytes.subarray(start - 9, start + length + 9), expected)).toBe(0);
        bytes.fill(0, start, start + length);
      }
    }
  });
});
