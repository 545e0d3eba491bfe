import { expect, it } from 'vitest';
import { complain, createPaint, type Output } from '../../lib/cli/terminal.ts';
import { FakeTerminal } from '../support/fake-terminal.ts';

it('gives colours to a terminal that shows them', () => {
  const paint = createPaint({ isTTY: true, hasColors: () => true });
  expect([paint.bold('a'), paint.dim('b'), paint.link('c')]).toEqual([
    '\x1b[1ma\x1b[22m',
    '\x1b[2mb\x1b[22m',
    '\x1b[36mc\x1b[39m',
  ]);
});

it.each<[string, Pick<Output, 'isTTY' | 'hasColors'>]>([
  ['a file or a pipe', {}],
  ['a pipe, whatever it says of colours', { isTTY: false, hasColors: () => true }],
  ['a terminal without colours (NO_COLOR, TERM=dumb)', { isTTY: true, hasColors: () => false }],
])('gives plain text to %s', (_name, output) => {
  const paint = createPaint(output);
  expect([paint.bold('a'), paint.dim('b'), paint.link('c')]).toEqual(['a', 'b', 'c']);
});

it('complains on stderr, in a line that says who speaks', () => {
  const terminal = new FakeTerminal();
  complain(terminal, 'it is so');
  expect([terminal.stdout.text, terminal.stderr.text]).toEqual(['', 'wspipe: it is so\n']);
});
