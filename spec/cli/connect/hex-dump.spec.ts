import { expect, it } from 'vitest';
import { formatHexDump } from '../../../lib/cli/connect/hex-dump.ts';

it('shows bytes, their place and their ASCII', () => {
  const bytes = Buffer.from('GIF89a\x01\x00\xff and more than sixteen', 'latin1');
  expect(formatHexDump(bytes, 8)).toEqual([
    '000000  47 49 46 38 39 61 01 00 ff 20 61 6e 64 20 6d 6f  GIF89a... and mo',
    '000010  72 65 20 74 68 61 6e 20 73 69 78 74 65 65 6e     re than sixteen',
  ]);
});

it.each([
  [0, 2, []],
  [32, 2, []],
  [33, 2, ['… and 1 more byte']],
  [1000, 1, ['… and 984 more bytes']],
])('says how much of %i bytes it leaves out of %i lines', (size, maxLines, last) => {
  const lines = formatHexDump(new Uint8Array(size), maxLines);
  expect(lines.slice(Math.min(maxLines, Math.ceil(size / 16)))).toEqual(last);
});
