import { describe, expect, it } from 'vitest';
import { resolveForeverOptions } from '../../../lib/endpoint/client/forever-options.ts';

const URL = 'ws://127.0.0.1:1/';

describe('the options of connectForever', () => {
  it('are completed: nothing ends it, and a silent peer is noticed', () => {
    const { stableAfterMs, maxRetries, connect, backoff } = resolveForeverOptions(URL);
    expect({ stableAfterMs, maxRetries }).toEqual({ stableAfterMs: 10_000, maxRetries: Number.POSITIVE_INFINITY });
    expect(connect).toEqual({ heartbeat: true });
    expect(backoff).toMatchObject({ minMs: 500 });
  });

  it('pass on what connect takes, and a heartbeat that is off', () => {
    const tls = { servername: 'a.example' };
    expect(resolveForeverOptions(URL, { heartbeat: false, maxRedirects: 3, tls }).connect).toEqual({
      ...{ heartbeat: false, maxRedirects: 3, tls },
    });
  });

  it('take functions as they are, and list fixed fields at once', () => {
    const [url, headers, protocols] = [() => URL, () => ({ a: '1' }), () => ['a']];
    expect(resolveForeverOptions(url, { headers, protocols })).toMatchObject({ url, headers, protocols });
    const once = new Map([['X-A', '1']]).entries();
    expect(resolveForeverOptions(URL, { headers: once }).headers).toEqual([['X-A', '1']]);
  });

  it('have a stableAfterMs from 0 to Infinity', () => {
    for (const stableAfterMs of [0, 1, Number.POSITIVE_INFINITY]) {
      expect(resolveForeverOptions(URL, { stableAfterMs }).stableAfterMs).toBe(stableAfterMs);
    }
  });

  it.each<[string, string, unknown, typeof TypeError | typeof RangeError]>([
    ['a URL that is none', 'nowhere', {}, TypeError],
    ['options that are none', URL, null, TypeError],
    ['options that are a number', URL, 5, TypeError],
    ['a shouldRetry that is no function', URL, { shouldRetry: true }, TypeError],
    ['an onRetry that is no function', URL, { onRetry: 'log' }, TypeError],
    ['a signal that is none', URL, { signal: {} }, TypeError],
    ['a field with a line break', URL, { headers: { 'X-A': 'a\r\nB: c' } }, TypeError],
    ['a protocol that is no token', URL, { protocols: ['a b'] }, TypeError],
    ['a number below 0', URL, { maxRetries: -1 }, RangeError],
    ['a time below 0', URL, { stableAfterMs: -1 }, RangeError],
    ['a backoff that is none', URL, { backoff: 100 }, TypeError],
    ['an option of connect that cannot be', URL, { maxMessageBytes: -1 }, RangeError],
    ['a heartbeat that cannot be', URL, { heartbeat: 5 }, TypeError],
  ])('throw for %s', (_title, url, options, error) => {
    expect(() => resolveForeverOptions(url, options as never)).toThrow(error);
  });
});
