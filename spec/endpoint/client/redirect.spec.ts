import { describe, expect, it } from 'vitest';
import { parseConnectTarget } from '../../../lib/endpoint/client/connect-target.ts';
import { followRedirect, type Itinerary, isRedirect, redirectError } from '../../../lib/endpoint/client/redirect.ts';

const HEADERS = [
  ['Authorization', 'Bearer x'],
  ['Cookie', 'a=b'],
  ['Proxy-Authorization', 'y'],
  ['HOST', 'c'],
  ['X-Trace', '1'],
] as const;
const TLS = {
  ca: 'ca',
  cert: 'cert',
  key: 'key',
  pfx: 'pfx',
  passphrase: 'p',
  servername: 's',
  minVersion: 'TLSv1.3',
} as const;

const from = (url: string): Itinerary => ({ target: parseConnectTarget(url), headers: HEADERS, tls: TLS });
const to = (location: string) => ({ status: 302, headers: { location } });

describe('isRedirect', () => {
  it.each([
    [301, 'x', true],
    [302, 'x', true],
    [303, 'x', true],
    [307, 'x', true],
    [308, 'x', true],
    [300, 'x', false],
    [304, 'x', false],
    [200, 'x', false],
    [302, undefined, false],
  ])('of status %i with Location %s is %s', (status, location, expected) => {
    expect(isRedirect({ status, headers: location === undefined ? {} : { location } })).toBe(expected);
  });
});

describe('followRedirect', () => {
  it.each([
    ['ws://a.example/x/y', '/z', 'ws://a.example/z'],
    ['ws://a.example/x/y', 'z?q', 'ws://a.example/x/z?q'],
    ['ws://a.example/x', '//b.example/z', 'ws://b.example/z'],
    ['ws://a.example/x', 'wss://a.example/z', 'wss://a.example/z'],
    ['ws://a.example/x', 'https://b.example/', 'https://b.example/'],
    ['ws://a.example/x', '/z#part', 'ws://a.example/z'],
    ['ws+unix:///a.sock:/x/y', '/z', 'ws+unix:///a.sock:/z'],
    ['ws+unix:///a.sock:/x/y', 'z?q', 'ws+unix:///a.sock:/x/z?q'],
    ['ws+unix:///a.sock:/x', 'ws://b.example/', 'ws://b.example/'],
  ])('from %s by %s leads to %s', (start, location, end) => {
    expect(followRedirect(from(start), to(location)).target.url.href).toBe(end);
  });

  it('takes everything along within one origin', () => {
    const next = followRedirect(from('ws://ada:x@a.example/'), to('http://a.example:80/z'));
    expect(next).toMatchObject({ headers: HEADERS, tls: TLS });
    expect(next.target.authorization).toBe('Basic YWRhOng=');
  });

  it.each([
    ['another host', 'ws://b.example/'],
    ['a subdomain', 'ws://x.a.example/'],
    ['another port', 'ws://a.example:81/'],
    ['TLS on the same host', 'wss://a.example/'],
  ])(
    'leaves credentials, cookies, the old Host and the client certificate behind on the way to %s',
    (_title, location) => {
      const next = followRedirect(from('ws://ada:x@a.example/'), to(location));
      expect(next.headers).toEqual([['X-Trace', '1']]);
      expect(next.target.authorization).toBeUndefined();
      expect(next.tls).toEqual({ ca: 'ca', minVersion: 'TLSv1.3' });
    },
  );

  it.each([
    ['wss://a.example/', 'ws://a.example/', 'TLS'],
    ['https://a.example/', 'http://b.example/', 'TLS'],
    ['ws://a.example/', 'ws+unix:///a.sock', 'Unix'],
    ['ws+unix:///a.sock', 'ws+unix:///b.sock', 'Unix'],
    ['ws://a.example/', 'ftp://a.example/', 'Location'],
    ['ws://a.example/', 'javascript:alert(1)', 'Location'],
    ['ws://a.example/', 'ws://:99999', 'Location'],
  ])('from %s does not follow to %s', (start, location, why) => {
    const follow = (): unknown => followRedirect(from(start), to(location));
    expect(follow).toThrow(expect.objectContaining({ code: 'WS_ERR_REDIRECT', status: 302, headers: { location } }));
    expect(follow).toThrow(why);
  });

  it('does without TLS options where there are none', () => {
    const start = { ...from('ws://a.example'), tls: undefined };
    expect(followRedirect(start, to('ws://b.example')).tls).toBeUndefined();
  });
});

describe('redirectError', () => {
  it('has the cause, where there is one', () => {
    const cause = new Error('x');
    expect(redirectError(to('/'), 'why', cause)).toMatchObject({ cause, status: 302 });
    expect('cause' in redirectError(to('/'), 'why')).toBe(false);
  });
});
