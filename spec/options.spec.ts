import { describe, expect, it } from 'vitest';
import {
  byteLimit,
  type ConnectionOptions,
  count,
  flag,
  milliseconds,
  resolveConnectionOptions,
} from '../lib/options.ts';

const MIB = 1024 * 1024;
const LONGEST_TIMER = 2 ** 31 - 1;

interface Knob {
  readonly name: keyof ConnectionOptions;
  /** What it is when nobody says anything. */
  readonly byDefault: unknown;
  readonly taken: readonly unknown[];
  readonly wrongType: readonly unknown[];
  readonly outOfRange: readonly unknown[];
}

const bytes = (name: keyof ConnectionOptions, byDefault: number): Knob => ({
  name,
  byDefault,
  taken: [0, 1, 4096, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY],
  wrongType: ['1', null, 1n, true, {}],
  outOfRange: [-1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY],
});

const time = (name: keyof ConnectionOptions, byDefault: number): Knob => ({
  name,
  byDefault,
  taken: [0.5, 1, 60_000, LONGEST_TIMER],
  wrongType: ['1', null, 1n, true, {}],
  outOfRange: [0, -1, Number.NaN, LONGEST_TIMER + 1, Number.POSITIVE_INFINITY],
});

const patience = (name: keyof ConnectionOptions, byDefault: number): Knob => ({
  ...time(name, byDefault),
  taken: [0.5, 1, 60_000, LONGEST_TIMER, Number.POSITIVE_INFINITY],
  outOfRange: [0, -1, Number.NaN, LONGEST_TIMER + 1],
});

const rate = (name: keyof ConnectionOptions): Knob => ({
  name,
  byDefault: Number.POSITIVE_INFINITY,
  taken: [0.1, 1, 1e9, Number.POSITIVE_INFINITY],
  wrongType: ['1', null, 1n, true, {}],
  outOfRange: [0, -1, Number.NaN, Number.NEGATIVE_INFINITY],
});

const onOff = (name: keyof ConnectionOptions, byDefault: boolean): Knob => ({
  name,
  byDefault,
  taken: [true, false],
  wrongType: [0, 1, 'true', null, {}],
  outOfRange: [],
});

const KNOBS: readonly Knob[] = [
  bytes('maxMessageBytes', 16 * MIB),
  bytes('maxFrameBytes', Number.POSITIVE_INFINITY),
  bytes('maxBufferedBytes', MIB / 4),
  bytes('maxQueuedBytes', 64 * MIB),
  rate('maxMessagesPerSecond'),
  rate('maxBytesPerSecond'),
  patience('writeTimeoutMs', 60_000),
  patience('idleTimeoutMs', Number.POSITIVE_INFINITY),
  time('closeTimeoutMs', 10_000),
  onOff('autoPong', true),
  onOff('controlFrames', false),
  onOff('validateUtf8', true),
  onOff('allowNonMinimalLengths', false),
];

const resolve = (name: string, value: unknown): unknown =>
  (resolveConnectionOptions({ [name]: value }) as unknown as Record<string, unknown>)[name];

describe.each(KNOBS)('$name', ({ name, byDefault, taken, wrongType, outOfRange }) => {
  it(`is ${byDefault} by default`, () => {
    expect(resolveConnectionOptions()).toHaveProperty(name, byDefault);
    expect(resolve(name, undefined)).toBe(byDefault);
  });

  it.each(taken)('takes %s', (value) => {
    expect(resolve(name, value)).toBe(value);
  });

  it.each(wrongType)('throws a TypeError that names it for %o', (value) => {
    expect(() => resolve(name, value)).toThrow(TypeError);
    expect(() => resolve(name, value)).toThrow(name);
  });

  if (outOfRange.length > 0) {
    it.each(outOfRange)('throws a RangeError that names it for %s', (value) => {
      expect(() => resolve(name, value)).toThrow(RangeError);
      expect(() => resolve(name, value)).toThrow(`${name} must be`);
    });
  }
});

describe('heartbeat', () => {
  it.each([[undefined], [false]])('is off for %s', (value) => {
    expect(resolve('heartbeat', value)).toBeUndefined();
  });

  it.each([
    [true, { intervalMs: 30_000, timeoutMs: 30_000 }],
    [{}, { intervalMs: 30_000, timeoutMs: 30_000 }],
    [{ intervalMs: 5 }, { intervalMs: 5, timeoutMs: 30_000 }],
    [{ timeoutMs: 5 }, { intervalMs: 30_000, timeoutMs: 5 }],
    [
      { intervalMs: 0.5, timeoutMs: LONGEST_TIMER },
      { intervalMs: 0.5, timeoutMs: LONGEST_TIMER },
    ],
  ])('fills %o up', (value, resolved) => {
    expect(resolve('heartbeat', value)).toEqual(resolved);
  });

  it.each([[null], [30_000], ['on'], [() => {}]])('throws a TypeError for %o', (value) => {
    expect(() => resolve('heartbeat', value)).toThrow(TypeError);
  });

  it.each(['intervalMs', 'timeoutMs'])('judges %s as a time', (name) => {
    expect(() => resolve('heartbeat', { [name]: '5' })).toThrow(TypeError);
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => resolve('heartbeat', { [name]: value })).toThrow(RangeError);
      expect(() => resolve('heartbeat', { [name]: value })).toThrow(`heartbeat.${name}`);
    }
  });
});

it('has a row here for every knob', () => {
  const names = [...KNOBS.map(({ name }) => name), 'heartbeat'].sort();
  expect(Object.keys(resolveConnectionOptions()).sort()).toEqual(names);
});

describe('the judges, which other options share', () => {
  it('count takes whole numbers up to its maximum, inclusive', () => {
    expect(count('n', 5, 1, 5)).toBe(5);
    expect(count('n', undefined, 1, 5)).toBe(1);
    for (const value of [6, Number.POSITIVE_INFINITY]) expect(() => count('n', value, 1, 5)).toThrow(RangeError);
  });

  it('take what is given and give back the default where nothing is', () => {
    expect([byteLimit('n', undefined, 7), byteLimit('n', 0, 7)]).toEqual([7, 0]);
    expect([milliseconds('n', undefined, 7), milliseconds('n', 1, 7)]).toEqual([7, 1]);
    expect([flag('n', undefined, true), flag('n', false, true)]).toEqual([true, false]);
  });

  it('milliseconds takes a default that is no time', () => {
    expect(milliseconds('n', undefined, undefined)).toBeUndefined();
  });
});

it('gives connections with the same limits one object, and others another', () => {
  const heartbeat = { intervalMs: 5, timeoutMs: 6 };
  const options = resolveConnectionOptions({ maxMessageBytes: 77, heartbeat });
  expect(resolveConnectionOptions({ maxMessageBytes: 77, heartbeat: { ...heartbeat } })).toBe(options);
  expect(resolveConnectionOptions({ maxMessageBytes: 78, heartbeat })).not.toBe(options);
  expect(resolveConnectionOptions({ maxMessageBytes: 77, heartbeat: { ...heartbeat, timeoutMs: 7 } })).not.toBe(
    options,
  );
  expect(resolveConnectionOptions({ maxMessageBytes: 77 })).not.toBe(options);
  for (let bytes = 0; bytes < 20; bytes++) {
    expect(resolveConnectionOptions({ maxMessageBytes: bytes }).maxMessageBytes).toBe(bytes);
  }
  expect(resolveConnectionOptions({ maxMessageBytes: 77, heartbeat })).toEqual(options);
});
