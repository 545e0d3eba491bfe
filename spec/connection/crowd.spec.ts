import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Crowd } from '../../lib/connection/crowd.ts';

const people = Array.from({ length: 200 }, (_, index) => ({ index }));

describe('a crowd', () => {
  it('holds what a Set would hold, in the same order', () => {
    const step = fc.record({ isIn: fc.boolean(), who: fc.nat(people.length - 1) });
    const steps = fc.array(step, { maxLength: 2000, size: 'max' });
    fc.assert(
      fc.property(steps, (all) => {
        const [crowd, set] = [new Crowd<object>(), new Set<object>()];
        for (const { isIn, who } of all) {
          const member = people[who]!;
          if (isIn) {
            crowd.add(member);
            set.add(member);
          } else {
            expect(crowd.delete(member)).toBe(set.delete(member));
          }
          expect([crowd.size, crowd.has(member)]).toEqual([set.size, set.has(member)]);
        }
        expect([...crowd]).toEqual([...set]);
        expect([...crowd.entries()]).toEqual([...set.entries()]);
        for (const member of set) crowd.delete(member);
        expect([crowd.size, [...crowd.keys()]]).toEqual([0, []]);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps its order when those who came later move up', () => {
    const crowd = new Crowd<(typeof people)[number]>();
    for (const member of people) crowd.add(member);
    for (const member of people) if (member.index % 10 > 0) crowd.delete(member);
    const late = { index: 200 };
    crowd.add(late);
    expect([...crowd].map(({ index }) => index)).toEqual([...Array.from({ length: 20 }, (_, tens) => tens * 10), 200]);
    for (const member of [...crowd]) expect(crowd.delete(member)).toBe(true);
  });

  it('may change while somebody goes through it: who has gone is not given any more', () => {
    const crowd = new Crowd<(typeof people)[number]>();
    const [one, two, three] = people.slice(0, 3) as [{ index: number }, { index: number }, { index: number }];
    for (const member of [one, two, three]) crowd.add(member);
    const seen: number[] = [];
    crowd.forEach((member, key, all) => {
      expect([key, all]).toEqual([member, crowd]);
      seen.push(member.index);
      crowd.delete(member);
      crowd.delete(two);
    });
    expect([seen, crowd.size]).toEqual([[0, 2], 0]);
  });

  it('is no place for strangers', () => {
    const crowd = new Crowd<object>();
    const other = new Crowd<object>();
    const member = {};
    crowd.add(member);
    expect([other.has(member), other.delete(member), other.has(undefined as never)]).toEqual([false, false, false]);
    expect(crowd.has(member)).toBe(true);
  });
});
