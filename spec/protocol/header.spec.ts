import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeMaskingKey,
  decodePayloadLength,
  encodeHeader,
  headerLength,
  headerLengthFor,
  isMinimalLength,
} from '../../lib/protocol/header.ts';
import { bits, KEY, KEY_WORD } from '../vectors/frames.ts';

const LENGTHS: readonly (readonly [number, number, string])[] = [
  [0, 2, '0000000'],
  [125, 2, '1111101'],
  [126, 4, '1111110 00000000 01111110'],
  [127, 4, '1111110 00000000 01111111'],
  [65_535, 4, '1111110 11111111 11111111'],
  [65_536, 10, `1111111 ${'0'.repeat(40)} 00000001 00000000 00000000`],
  [2 ** 32 - 1, 10, `1111111 ${'0'.repeat(32)} ${'1'.repeat(32)}`],
  [2 ** 32, 10, `1111111 ${'0'.repeat(31)}1 ${'0'.repeat(32)}`],
  [Number.MAX_SAFE_INTEGER, 10, `1111111 ${'0'.repeat(11)} ${'1'.repeat(53)}`],
];

describe.each(LENGTHS)('the header of %i bytes', (length, size, picture) => {
  it('is written in the shortest form (§5.2)', () => {
    const target = new Uint8Array(20);
    const end = encodeHeader(target, 3, 2, true, 0, length, undefined);
    expect([...target.subarray(3, end)]).toEqual([...bits(`1 000 0010 0 ${picture}`)]);
    expect(end).toBe(3 + size);
  });

  it('is written with the masking key behind the length (§5.2)', () => {
    const target = new Uint8Array(20);
    const end = encodeHeader(target, 0, 1, false, 4, length, KEY_WORD);
    expect([...target.subarray(0, end)]).toEqual([...bits(`0 100 0001 1 ${picture}`), ...KEY]);
  });

  it('is read again, with its own length (§5.2)', () => {
    const bytes = bits(`1 000 0010 0 ${picture}`);
    expect(decodePayloadLength(bytes, 0)).toBe(length);
    expect([headerLength(bytes[1]!), headerLength(bytes[1]! | 0x80)]).toEqual([size, size + 4]);
    expect([headerLengthFor(length, false), headerLengthFor(length, true)]).toEqual([size, size + 4]);
    expect(isMinimalLength(bytes[1]!, length)).toBe(true);
  });
});

describe('a header', () => {
  it.each([
    [126, 125, false],
    [126, 126, true],
    [127, 65_535, false],
    [127, 65_536, true],
  ])('with length code %i and %i bytes is minimal: %s (§5.2)', (code, length, isMinimal) => {
    expect([isMinimalLength(code, length), isMinimalLength(code | 0x80, length)]).toEqual([isMinimal, isMinimal]);
  });

  it('shows a set most significant bit of a length as -1 (§5.2)', () => {
    expect(decodePayloadLength(bits(`1 000 0010 0 1111111 1${'0'.repeat(63)}`), 0)).toBe(-1);
  });

  it('gives any length and key back, at any place (§5.2)', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer(), fc.nat(9), (length, key, at) => {
        const bytes = new Uint8Array(30);
        const end = encodeHeader(bytes, at, 2, true, 0, length, key);
        expect(decodePayloadLength(bytes, at)).toBe(length);
        expect(decodeMaskingKey(bytes, end - 4)).toBe(key);
      }),
    );
  });
});
