import { expect, it } from 'vitest';
import { printable, printableLine } from '../../lib/cli/printable.ts';

it.each([
  ['text, tabs\tand\nlines', 'text, tabs\tand\nlines'],
  ['\x1b[2J\x1b]0;title\x07', '\\x1b[2J\\x1b]0;title\\x07'],
  ['\r\b\x7f\x00\x9b31m', '\\x0d\\x08\\x7f\\x00\\x9b31m'],
  ['a\u202eb\u2066c\u2028', 'a\\u202eb\\u2066c\\u2028'],
  ['Grüße, 你好, 👋🏽', 'Grüße, 你好, 👋🏽'],
])('shows %j so that a terminal only prints it', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

it('puts a text into one line', () => {
  expect(printableLine('a\nb\tc\x1b')).toBe('a\\nb\\tc\\x1b');
});
