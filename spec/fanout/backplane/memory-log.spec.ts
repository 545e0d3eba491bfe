import { describe, expect, it, vi } from 'vitest';
import { MemoryLog } from '../../../lib/fanout/backplane/memory-log.ts';

const append = (log: MemoryLog, texts: string, channel = 'x'): string[] =>
  [...texts].map((text) => log.append(channel, Buffer.from(text)).id);

const texts = (entries: readonly { readonly bytes: Uint8Array }[]): string =>
  entries.map(({ bytes }) => `${bytes}`).join('');

describe('a log in memory', () => {
  it('gives entries places in order, each with the one before', async () => {
    const log = new MemoryLog({});
    const start = await log.newest('x');
    const first = log.append('x', Buffer.from('a'));
    const second = log.append('x', Buffer.from('b'));
    expect(first.previous).toBe(start);
    expect(second.previous).toBe(first.id);
    expect(await log.newest('x')).toBe(second.id);
    expect(log.compare(first.id, second.id)).toBeLessThan(0);
    expect(log.compare(second.id, second.id)).toBe(0);
  });

  it('is read behind a place, a page at a time', async () => {
    const log = new MemoryLog({});
    const ids = append(log, 'abcde');
    const page = await log.read('x', ids[0], 2);
    expect([texts(page.entries), page.isGap]).toEqual(['bc', false]);
    expect(texts((await log.read('x', ids[2], 9)).entries)).toBe('de');
    expect(texts((await log.read('x', undefined, 9)).entries)).toBe('abcde');
    expect(await log.read('x', ids[4], 9)).toEqual({ entries: [], isGap: false });
  });

  it('keeps the newest, and knows what is gone', async () => {
    const log = new MemoryLog({ maxMessages: 3 });
    const ids = append(log, 'abcdefgh');
    // The last one that is gone is a place behind which nothing is.
    const known = await log.read('x', ids[4], 9);
    expect([texts(known.entries), known.isGap]).toEqual(['fgh', false]);
    const gone = await log.read('x', ids[3], 9);
    expect([texts(gone.entries), gone.isGap]).toEqual(['fgh', true]);
  });

  it.each(['', 'x', 'other-3', '-1', '../../..', '1e9'])('takes %j for a gap before everything', async (place) => {
    const log = new MemoryLog({});
    append(log, 'ab');
    const page = await log.read('x', place, 9);
    expect([texts(page.entries), page.isGap]).toEqual(['ab', true]);
  });

  it('takes a place that was never given out for a gap', async () => {
    const log = new MemoryLog({});
    const [id = ''] = append(log, 'a');
    expect((await log.read('x', id.replace(/1$/, '7'), 9)).isGap).toBe(true);
  });

  it('knows the place before the newest few', async () => {
    const log = new MemoryLog({});
    const ids = append(log, 'abc');
    expect(await log.placeBefore('x', 2)).toBe(ids[0]);
    expect(await log.placeBefore('x', 0)).toBe(ids[2]);
    expect(await log.placeBefore('x', 3)).toBeUndefined();
  });

  it('lets go of what is too old', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const log = new MemoryLog({ maxAgeMs: 1000 });
    const [a] = append(log, 'a');
    vi.advanceTimersByTime(900);
    append(log, 'b');
    vi.advanceTimersByTime(200);
    expect(texts((await log.read('x', undefined, 9)).entries)).toBe('b');
    expect((await log.read('x', a, 9)).isGap).toBe(false);
    vi.useRealTimers();
  });

  it('lets go of the name whose last message is the oldest, and never gives a place twice', async () => {
    const log = new MemoryLog({ maxNames: 2 });
    const [a = ''] = append(log, 'a', 'one');
    append(log, 'b', 'two');
    append(log, 'c', 'one');
    append(log, 'd', 'three');
    expect(texts((await log.read('one', undefined, 9)).entries)).toBe('ac');
    expect((await log.read('two', undefined, 9)).entries).toEqual([]);
    const [again = ''] = append(log, 'e', 'two');
    expect(log.compare(again, a)).toBeGreaterThan(0);
  });
});

it.each([
  [{ maxMessages: 0 }, RangeError],
  [{ maxMessages: '9' as unknown as number }, TypeError],
  [{ maxAgeMs: 0 }, RangeError],
  [{ maxNames: 0 }, RangeError],
  [null as unknown as object, TypeError],
])('refuses %o', (options, error) => {
  expect(() => new MemoryLog(options)).toThrow(error);
});
