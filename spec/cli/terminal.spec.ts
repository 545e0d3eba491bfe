import { expect, it } from 'vitest';
import { createPaint } from '../../lib/cli/terminal.ts';

const write = (): boolean => true;

it('gives colours to a terminal that shows them', () => {
  const paint = createPaint({ write, isTTY: true, hasColors: () => true });
  expect([paint.bold('a'), paint.dim('b'), paint.link('c')]).toEqual([
    '\x1b[1ma\x1b[22m',
    '\x1b[2mb\x1b[22m',
    '\x1b[36mc\x1b[39m',
  ]);
});

it.each([
  ['a file or a pipe', { write }],
  ['a pipe, whatever it says of colours', { write, isTTY: false, hasColors: () => true }],
  ['a terminal without colours (NO_COLOR, TERM=dumb)', { write, isTTY: true, hasColors: () => false }],
])('gives plain text to %s', (_name, output) => {
  const paint = createPaint(output);
  expect([paint.bold('a'), paint.dim('b'), paint.link('c')]).toEqual(['a', 'b', 'c']);
});
