import { expect, it } from 'vitest';
import { formatAmount, formatLimit } from '../../lib/cli/byte-count.ts';

it.each([
  [67_108_864, '64 MiB'],
  [2048, '2 KiB'],
  [1000, '1000 bytes'],
  [1, '1 byte'],
])('formats a limit of %i as %s', (bytes, text) => {
  expect(formatLimit(bytes)).toBe(text);
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '0.98 KiB'],
  [1536, '1.50 KiB'],
  [15_360, '15.0 KiB'],
  [900 * 1024, '900 KiB'],
  [5 * 1024 ** 3, '5.00 GiB'],
  [5000 * 1024 ** 4, '5000 TiB'],
])('formats an amount of %i as %s', (bytes, text) => {
  expect(formatAmount(bytes)).toBe(text);
});
