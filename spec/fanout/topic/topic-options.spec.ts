import { describe, expect, it } from 'vitest';
import { resolveMemberOptions, resolveName } from '../../../lib/fanout/topic/topic-options.ts';

describe('resolveMemberOptions', () => {
  it('puts the defaults in, and the topic’s where there are some', () => {
    const defaults = { slow: 'close', maxQueuedBytes: 1_048_576, maxQueuedMessages: Number.POSITIVE_INFINITY };
    expect(resolveMemberOptions({})).toEqual(defaults);
    const topic = resolveMemberOptions({ slow: 'drop-oldest', maxQueuedMessages: 1 });
    expect(resolveMemberOptions({ maxQueuedBytes: 5 }, topic)).toEqual({
      slow: 'drop-oldest',
      maxQueuedBytes: 5,
      maxQueuedMessages: 1,
    });
  });

  it.each([
    ['an unknown policy', { slow: 'drop' }, TypeError],
    ['bytes that are no number', { maxQueuedBytes: '1' }, TypeError],
    ['fewer than no bytes', { maxQueuedBytes: -1 }, RangeError],
    ['half a message', { maxQueuedMessages: 0.5 }, RangeError],
    ['a queue for no message', { maxQueuedMessages: 0 }, RangeError],
    ['no object', 'close', TypeError],
    ['nothing', null, TypeError],
  ])('refuses %s', (_what, options, error) => {
    expect(() => resolveMemberOptions(options as never)).toThrow(error);
  });
});

describe('resolveName', () => {
  it('takes a string, or nothing', () => {
    expect(resolveName('rooms/1')).toBe('rooms/1');
    expect(resolveName(undefined)).toBe('');
    expect(() => resolveName(1 as never)).toThrow(TypeError);
  });
});
