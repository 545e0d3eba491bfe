import type { IncomingHttpHeaders } from 'node:http';
import { expect, it } from 'vitest';
import { shareRepeatedValues } from '../../../lib/endpoint/upgrade/repeated-values.ts';

/** Names the fields whose value was put in the place of an equal one. That it is the same text cannot be seen otherwise. */
function sharedNames(headers: IncomingHttpHeaders): string[] {
  const names: string[] = [];
  const watched = new Proxy(headers, {
    set(target, name, value) {
      names.push(String(name));
      return Reflect.set(target, name, value);
    },
  });
  shareRepeatedValues(watched);
  return names;
}

const createHeaders = (more: IncomingHttpHeaders = {}): IncomingHttpHeaders => ({
  host: 'example.com',
  'user-agent': 'Mozilla/5.0',
  cookie: 'sid=1',
  authorization: 'Bearer 1',
  'sec-websocket-key': 'AQIDBAUGBwgJCgsMDQ4PEA==',
  ...more,
});

it('leaves every value as it was, whatever was said before', () => {
  const all = [
    createHeaders(),
    createHeaders(),
    createHeaders({ host: 'other.example', cookie: 'sid=2', upgrade: 'websocket' }),
    createHeaders({ host: 'example.com', upgrade: 'WebSocket', 'sec-websocket-protocol': 'a, b' }),
    {},
    createHeaders({ origin: 'x'.repeat(1000) }),
    createHeaders({ origin: 'x'.repeat(1000) }),
  ];
  for (const headers of all) {
    const before = structuredClone(headers);
    shareRepeatedValues(headers);
    expect(headers).toStrictEqual(before);
  }
});

it('puts the last text in the place of an equal one, and remembers nothing that could be a secret', () => {
  shareRepeatedValues(createHeaders());
  expect(sharedNames(createHeaders())).toEqual(['host', 'user-agent']);
  expect(sharedNames(createHeaders({ host: 'other.example' }))).toEqual(['user-agent']);
  expect(sharedNames(createHeaders({ host: 'other.example' }))).toEqual(['host', 'user-agent']);
  expect(sharedNames(createHeaders())).toEqual(['user-agent']);
});

it('passes over what is not there', () => {
  shareRepeatedValues(createHeaders());
  expect(sharedNames({})).toEqual([]);
  expect(sharedNames({ 'user-agent': 'Mozilla/5.0' })).toEqual(['user-agent']);
  expect(sharedNames({ host: 'example.com' })).toEqual(['host']);
});

it('remembers no long value', () => {
  const [longest, long] = ['y'.repeat(512), 'y'.repeat(513)];
  shareRepeatedValues({ origin: longest });
  expect(sharedNames({ origin: longest })).toEqual(['origin']);
  shareRepeatedValues({ origin: long });
  expect(sharedNames({ origin: long })).toEqual([]);
  expect(sharedNames({ origin: longest })).toEqual(['origin']);
});

it('leaves headers alone that somebody has frozen', () => {
  shareRepeatedValues(createHeaders());
  const headers = Object.freeze(createHeaders());
  expect(() => shareRepeatedValues(headers)).not.toThrow();
  expect(headers).toStrictEqual(createHeaders());
});
