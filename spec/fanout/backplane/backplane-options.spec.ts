import { describe, expect, it } from 'vitest';
import { assertName, resolveSettings } from '../../../lib/fanout/backplane/backplane-options.ts';

describe('resolveSettings', () => {
  it('puts the defaults in', () => {
    expect(resolveSettings({})).toEqual({
      whileAway: 'queue',
      maxQueuedBytes: 16 * 1024 * 1024,
      maxMessageBytes: 16 * 1024 * 1024,
      maxPublishers: 1024,
    });
  });

  it('takes what is given', () => {
    const settings = { whileAway: 'reject', maxQueuedBytes: 1, maxMessageBytes: 0, maxPublishers: 2 } as const;
    expect(resolveSettings(settings)).toEqual(settings);
  });

  it.each([
    [{ whileAway: 'wait' }, TypeError],
    [{ maxQueuedBytes: '1' }, TypeError],
    [{ maxQueuedBytes: -1 }, RangeError],
    [{ maxMessageBytes: 1.5 }, RangeError],
    [{ maxPublishers: 0 }, RangeError],
    [null, TypeError],
  ])('refuses %o', (settings, error) => {
    expect(() => resolveSettings(settings as object)).toThrow(error);
  });
});

describe('assertName', () => {
  it.each(['x', 'a room', 'räume/1', '😀', '*'])('takes %j', (name) => {
    expect(() => assertName(name)).not.toThrow();
  });

  it.each(['', '\ud83d', 'a\ude00', 7, undefined])('refuses %j', (name) => {
    expect(() => assertName(name as string)).toThrow(TypeError);
  });
});
