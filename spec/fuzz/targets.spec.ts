/** The fuzzer, for a moment and with a seed that stays; the long run is `npm run fuzz`. And every input that ever failed. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { outcome } from '../support/outcome.ts';
import { type FuzzCase, makeCase, TARGETS } from './fuzz-case.ts';
import { isUtf8Prefix, receiveNaively } from './naive-receiver.ts';
import { Random } from './random.ts';
import { tryCase } from './targets.ts';
import { isExplained } from './ws-receiver.ts';

const corpus = new URL('../corpus/', import.meta.url);
const kept = readdirSync(corpus)
  .filter((name) => name.endsWith('.json'))
  .map((name) => [name, JSON.parse(String(readFileSync(new URL(name, corpus)))) as FuzzCase] as const);

it.each(kept)('an input that has failed before fails no more: %s', async (_name, input) => {
  expect(await outcome(tryCase(input))).toBe('done');
});

it.each(TARGETS)('random sessions and heads break no %s', async (target) => {
  const random = new Random(6455);
  for (let tried = 0; tried < 400; tried++) {
    const input = makeCase(random, target);
    const result = await outcome(tryCase(input));
    if (result !== 'done') throw new Error(`case ${tried}: ${JSON.stringify(input)}`, { cause: result });
  }
});

it('a seed gives the same run again, and another seed another one', () => {
  const run = (seed: number): string =>
    JSON.stringify(Array.from({ length: 20 }, () => makeCase(random(seed), 'parser')));
  const random = (seed: number): Random => new Random(seed);
  expect(run(1)).toBe(run(1));
  expect(run(1)).not.toBe(run(2));
});

it('the judge of UTF-8 agrees with the platform, on whole texts', () => {
  const random = new Random(3629);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let tried = 0; tried < 3000; tried++) {
    const bytes = random.once(2)
      ? random.bytes(random.below(6))
      : Buffer.from([0xe0 + random.below(22), ...random.bytes(3).map((byte) => 0x80 | (byte & 0x3f))]);
    let isValid = true;
    try {
      decoder.decode(bytes);
    } catch {
      isValid = false;
    }
    expect([bytes.toString('hex'), isUtf8Prefix(bytes, true)]).toEqual([bytes.toString('hex'), isValid]);
  }
});

it('the fuzzer sees what is wrong: a verdict that is changed is no longer that of ws', () => {
  const right = receiveNaively(Buffer.from('810161', 'hex'), 'client', 1000);
  expect(right).toMatchObject({ events: ['1:a'], end: 0 });
  expect(isExplained(right, right)).toBe(true);
  expect(isExplained(right, { events: ['1:b'], end: 0 })).toBe(false);
  expect(isExplained(right, { events: ['1:a'], end: 1002 })).toBe(false);
  expect(isExplained(right, { events: ['1:a', '1:a'], end: 0 })).toBe(false);
});
