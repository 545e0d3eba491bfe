import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PendingPings } from '../../../lib/connection/time/pending-pings.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Adds a ping and notes what becomes of it. */
function add(pings: PendingPings, payload: string, timeoutMs?: number): { results: unknown[]; forget: () => void } {
  const results: unknown[] = [];
  const forget = pings.add(bytes(payload), timeoutMs, (ms) => results.push(ms));
  return { results, forget };
}

describe('a pong', () => {
  it('gives the round trip in ms (§5.5.3)', () => {
    const pings = new PendingPings();
    const { results } = add(pings, 'a');
    vi.advanceTimersByTime(42);
    expect(pings.size).toBe(1);
    expect(pings.answer(bytes('a'))).toBe(42);
    expect(pings.size).toBe(0);
    expect(results).toEqual([42]);
  });

  it('settles the older pings too, and none that came later (§5.5.3)', () => {
    const pings = new PendingPings();
    const all = ['a', 'b', 'c'].map((payload) => {
      const ping = add(pings, payload);
      vi.advanceTimersByTime(10);
      return ping;
    });
    pings.answer(bytes('b'));
    expect(all.map(({ results }) => results)).toEqual([[30], [20], []]);
    pings.answer(bytes('a'));
    expect(all[2]!.results).toEqual([]);
    pings.answer(bytes('c'));
    expect(all.map(({ results }) => results.length)).toEqual([1, 1, 1]);
  });

  it('answers the oldest of several pings with the same payload', () => {
    const pings = new PendingPings();
    const [first, second] = [add(pings, 'same'), add(pings, 'same')];
    pings.answer(bytes('same'));
    expect([first.results.length, second.results.length]).toEqual([1, 0]);
    pings.answer(bytes('same'));
    expect([first.results.length, second.results.length]).toEqual([1, 1]);
  });

  it.each(['', 'x', 'aa', 'b'])('that nobody waits for (%o) changes nothing (§5.5.3)', (payload) => {
    const pings = new PendingPings();
    const { results } = add(pings, 'a');
    expect(pings.answer(bytes(payload))).toBeUndefined();
    expect(results).toEqual([]);
  });

  it('answers an empty ping with an empty payload', () => {
    const pings = new PendingPings();
    const { results } = add(pings, '');
    pings.answer(new Uint8Array(0));
    expect(results).toEqual([0]);
  });
});

describe('a ping', () => {
  it('gives null after timeoutMs, and a late pong is no answer to it', () => {
    const pings = new PendingPings();
    const { results } = add(pings, 'a', 100);
    vi.advanceTimersByTime(99);
    expect(results).toEqual([]);
    // The wheel rounds up.
    vi.advanceTimersByTime(5);
    expect(results).toEqual([null]);
    pings.answer(bytes('a'));
    expect(results).toEqual([null]);
  });

  it('leaves no timer behind, however it ends', () => {
    const pings = new PendingPings();
    add(pings, 'answered', 1000);
    pings.answer(bytes('answered'));
    add(pings, 'forgotten', 1000).forget();
    add(pings, 'closed', 1000);
    pings.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that is taken back is not settled', () => {
    const pings = new PendingPings();
    const { results, forget } = add(pings, 'a', 100);
    forget();
    pings.answer(bytes('a'));
    vi.advanceTimersByTime(1000);
    pings.close();
    expect(results).toEqual([]);
  });

  it('gives null when the connection ends, each once', () => {
    const pings = new PendingPings();
    const all = ['a', 'b'].map((payload) => add(pings, payload, 100));
    pings.close();
    pings.close();
    vi.advanceTimersByTime(1000);
    expect(all.map(({ results }) => results)).toEqual([[null], [null]]);
  });

  it('has a payload of eight bytes that tells it from all others', () => {
    const pings = new PendingPings();
    const payloads = Array.from({ length: 100 }, () => Buffer.from(pings.nextPayload()).toString('hex'));
    expect(new Set(payloads).size).toBe(100);
    expect(payloads.every((payload) => payload.length === 16)).toBe(true);
  });
});
