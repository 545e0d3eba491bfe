import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineCutter, LineError } from '../../lib/cli/lines.ts';

function cut(chunks: Iterable<string | Uint8Array>, maxBytes = 100): string[] {
  const cutter = new LineCutter(maxBytes);
  const lines: string[] = [];
  for (const chunk of chunks)
    for (const line of cutter.push(Buffer.from(chunk))) lines.push(Buffer.from(line).toString());
  for (const line of cutter.end()) lines.push(Buffer.from(line).toString());
  return lines;
}

describe('LineCutter', () => {
  it.each<[string[], string[]]>([
    [['a\nb\n'], ['a', 'b']],
    [['a\nb'], ['a', 'b']],
    [['a\r\nb\r\n'], ['a', 'b']],
    [
      ['a\r', '\nb\rc\n'],
      ['a', 'b\rc'],
    ],
    [['\n\n'], ['', '']],
    [[], []],
    [
      ['a', 'b', '', 'c\nd'],
      ['abc', 'd'],
    ],
  ])('cuts %j into %j', (chunks, lines) => {
    expect(cut(chunks)).toEqual(lines);
  });

  it('cuts the same lines however the bytes come', () => {
    const text = fc.array(fc.stringMatching(/^[a-zß€👋 ]{0,8}$/u), { maxLength: 6 });
    fc.assert(
      fc.property(text, fc.array(fc.nat(7), { minLength: 1, maxLength: 20 }), (lines, sizes) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const end = at + 1 + sizes[turn % sizes.length]!;
          chunks.push(bytes.subarray(at, end));
          at = end;
        }
        expect(cut(chunks)).toEqual(lines);
      }),
    );
  });

  it('takes a line of the largest size, whatever ends it', () => {
    expect(cut(['12345\n', '12345\r\n', '123', '45\r', '\n12345'], 5)).toEqual(['12345', '12345', '12345', '12345']);
  });

  it.each([[['ok\n123456\n']], [['ok\n', '123', '456']], [['ok\n', '1234567']], [['ok\n12345\r']]])(
    'refuses %j with a bound of 5',
    (chunks) => {
      const error = new LineError('line 2 is longer than 5 bytes', true);
      if (chunks[0]!.endsWith('\r')) expect(cut(chunks, 5)).toEqual(['ok', '12345']);
      else expect(() => cut(chunks, 5)).toThrow(error);
    },
  );

  it('holds no more than the bound allows of a line that does not end', () => {
    const cutter = new LineCutter(10);
    for (const byte of Buffer.from('01234567890')) expect([...cutter.push(Buffer.of(byte))]).toEqual([]);
    expect(() => [...cutter.push(Buffer.of(1))]).toThrow('line 1 is longer than 10 bytes');
  });

  it('refuses what is not UTF-8, also where a character is torn by the end', () => {
    expect(() => cut(['a\n', Buffer.of(0xc3), 'x\n'])).toThrow(new LineError('line 2 is not UTF-8', false));
    expect(() => cut([Buffer.of(0xe2, 0x82)])).toThrow('line 1 is not UTF-8');
    expect(cut([Buffer.of(0xe2, 0x82), Buffer.of(0xac)])).toEqual(['€']);
  });
});
