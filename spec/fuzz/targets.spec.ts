/** The fuzzer, for a moment and with a seed that stays; the long run is `npm run fuzz`. And every input that ever failed. */
import { readdirSync, readFileSync } from 'node:fs';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { outcome } from '../support/outcome.ts';
import { anyText } from './compressed-messages.ts';
import { type FuzzCase, makeCase, TARGETS } from './fuzz-case.ts';
import { inflateNaively } from './naive-inflate.ts';
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
  // Bit by bit, inflating takes its time.
  const times = target === 'inflater' || target === 'compressed' ? 120 : 400;
  for (let tried = 0; tried < times; tried++) {
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

it('the judge of DEFLATE agrees with zlib, on what is whole and on what is broken (RFC 1951)', () => {
  const random = new Random(1951);
  const nothing = Buffer.alloc(0);
  for (let tried = 0; tried < 600; tried++) {
    const text = anyText(random).subarray(0, 3000);
    const known = Buffer.from(anyText(random).subarray(0, 300));
    const dictionary = known.length > 0 ? { dictionary: known } : {};
    const style = { level: tried % 10, strategy: tried % 5, memLevel: 1 + (tried % 9), ...dictionary };
    const isFinal = random.once(2);
    const finishFlush = isFinal ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    const bytes = deflateRawSync(text, { ...style, finishFlush });
    const inflated = inflateNaively(bytes, known, 32_768);
    expect([tried, inflated.state, inflated.text.equals(text)]).toEqual([tried, isFinal ? 'start' : 'between', true]);
    bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    const { text: ours, state, hasFinalBlock } = inflateNaively(bytes, known, 32_768);
    let theirs: Buffer | undefined = nothing;
    try {
      theirs = inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
    } catch {
      theirs = undefined;
    }
    // zlib stops behind a final block.
    if (!hasFinalBlock) expect([tried, state === 'corrupt']).toEqual([tried, theirs === undefined]);
    if (theirs !== undefined) expect([tried, ours.subarray(0, theirs.length).equals(theirs)]).toEqual([tried, true]);
  }
});

it('the receiver that the others are held against knows RFC 7692: its examples, and what it forbids', () => {
  const agreed = { windowBytes: 512, contextTakeover: true };
  const receive = (bytes: string): unknown => {
    const { events, end, why } = receiveNaively(Buffer.from(bytes.replaceAll(' ', ''), 'hex'), 'client', 1000, agreed);
    return [events, end, why];
  };
  // §7.2.3.1, whole, in fragments, and with the same window again; §7.2.3.3, .4, .5.
  expect(receive('c107 f248cdc9c90700 c105 f200110000')).toEqual([['1:Hello', '1:Hello'], 0, undefined]);
  expect(receive('4103 f248cd 8004 c9c90700')).toEqual([['1:Hello'], 0, undefined]);
  expect(receive('c10b 000500faff48656c6c6f00')).toEqual([['1:Hello'], 0, undefined]);
  expect(receive('c108 f348cdc9c9070000')).toEqual([['1:Hello'], 0, undefined]);
  expect(receive('c10d f24805000000ffffcac9c90700')).toEqual([['1:Hello'], 0, undefined]);
  expect(receive('c10100')).toEqual([['1:'], 0, undefined]);
  // §6.1: neither on a control frame, nor on a fragment that is not the first.
  expect(receive('c900')).toEqual([[], 1002, undefined]);
  expect(receive('4103 f248cd c004 c9c90700')).toEqual([[], 1002, undefined]);
  // Cut off, no DEFLATE, and back beyond the start.
  expect(receive('c105 f248cdc9c9')).toEqual([[], 1007, 'deflate']);
  expect(receive('c104 ffffffff')).toEqual([[], 1007, 'deflate']);
  expect(receive('c105 f200110000')).toEqual([[], 1007, 'deflate']);
});

it('the fuzzer sees what is wrong: a verdict that is changed is no longer that of ws', () => {
  const right = receiveNaively(Buffer.from('810161', 'hex'), 'client', 1000);
  expect(right).toMatchObject({ events: ['1:a'], end: 0 });
  expect(isExplained(right, right)).toBe(true);
  expect(isExplained(right, { events: ['1:b'], end: 0 })).toBe(false);
  expect(isExplained(right, { events: ['1:a'], end: 1002 })).toBe(false);
  expect(isExplained(right, { events: ['1:a', '1:a'], end: 0 })).toBe(false);
});
