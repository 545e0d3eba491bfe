import { describe, expect, it } from 'vitest';
import { Misuse, Values } from '../../lib/cli/values.ts';

const values = (...texts: string[]): Values => new Values(new Map([['x', texts]]));
const none = new Values(new Map());

describe('Values', () => {
  it('lets the last of several hold, and lists them all', () => {
    expect([values('a', 'b').text('x'), values('a', 'b').list('x'), values('a').has('x')]).toEqual([
      'b',
      ['a', 'b'],
      true,
    ]);
    expect([none.text('x'), none.list('x'), none.has('x')]).toEqual([undefined, [], false]);
  });

  it('reads whole numbers in decimal digits', () => {
    expect(values('0').number('x', { fallback: 1, min: 0 })).toBe(0);
    expect(values('10').number('x', { fallback: 1, min: 0, max: 10 })).toBe(10);
    expect(none.number('x', { fallback: undefined, min: 0 })).toBeUndefined();
  });

  it.each(['-1', '11', '1.5', '0x1', '1e1', ' 1', '', '1'.repeat(17)])('refuses "%s" from 1 to 10', (text) => {
    const read = (): number => values(text).number('x', { fallback: 1, min: 1, max: 10, remark: '!' });
    expect(read).toThrow(new Misuse(`--x takes a whole number from 1 to 10!, not ${text}.`));
  });

  it.each([
    ['1', 1000],
    ['0.5', 500],
    ['1.234s', 1234],
    ['200ms', 200],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['0.1ms', 0],
  ])('reads %s as %i ms', (text, ms) => {
    expect(values(text).time('x', 7, { min: 0 })).toBe(ms);
  });

  it('reads forever where time may be endless, and nothing as the default', () => {
    expect(values('forever').time('x', 7, { mayBeEndless: true })).toBe(Number.POSITIVE_INFINITY);
    expect(none.time('x', undefined)).toBeUndefined();
  });

  it.each(['forever', '0', '-1', '1 s', '1d', 'x', '', '25000m0', '600h'])('refuses %s as a time', (text) => {
    expect(() => values(text).time('x', 7)).toThrow(/^--x takes a time such as 10 \(seconds\).* 24 days; not /);
  });
});
