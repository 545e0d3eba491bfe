import { describe, expect, it } from 'vitest';
import { DIAL_HELP, DIAL_OPTIONS, type DialOptions, parseDial } from '../../lib/cli/dial-arguments.ts';
import { Misuse, Values } from '../../lib/cli/values.ts';

const URL = 'wss://example.com/chat';
const parse = (given: Record<string, string | string[]> = {}, url = URL): DialOptions =>
  parseDial(url, new Values(new Map(Object.entries(given).map(([name, value]) => [name, [value].flat()]))));

describe('parseDial', () => {
  it('checks the certificate and follows no redirect by default', () => {
    expect(parse()).toEqual({
      url: URL,
      headers: [],
      protocols: [],
      origin: undefined,
      maxRedirects: 0,
      isHttp2: false,
      caPath: undefined,
      certPath: undefined,
      keyPath: undefined,
      servername: undefined,
      isChecked: true,
    });
  });

  it('reads the rest', () => {
    const given = {
      header: ['A: 1', 'B:  x:y '],
      protocol: ['a, b', 'c'],
      origin: 'https://a.example',
      'max-redirects': '3',
      ca: 'ca.pem',
      cert: 'me.pem',
      servername: 'b.example',
      insecure: '',
      http2: '',
    };
    expect(parse(given)).toMatchObject({
      headers: [
        ['A', '1'],
        ['B', 'x:y'],
      ],
      protocols: ['a', 'b', 'c'],
      origin: 'https://a.example',
      maxRedirects: 3,
      isHttp2: true,
      caPath: 'ca.pem',
      certPath: 'me.pem',
      keyPath: 'me.pem',
      servername: 'b.example',
      isChecked: false,
    });
    expect(parse({ cert: 'a', key: 'b' }).keyPath).toBe('b');
  });

  it('writes name and password as the Basic scheme does (RFC 7617)', () => {
    expect(parse({ user: 'Aladdin:open sesame' }).headers).toEqual([
      ['Authorization', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
    ]);
  });

  it.each([
    [{}, 'localhost:8080', 'localhost:8080 is no URL. Did you mean ws://localhost:8080?'],
    [{}, 'ftp://x/', 'ftp://x/ cannot be connected to: the scheme of a WebSocket URL cannot be ftp:.'],
    [{}, 'ws://', 'ws:// cannot be connected to: it is no URL.'],
    [{}, 'ws://x/#a', 'ws://x/#a cannot be connected to: a WebSocket URL has no fragment.'],
    [{ key: 'k' }, URL, '--key needs the --cert that belongs to it.'],
    [{ user: 'me' }, URL, '--user takes name:password.'],
    [{ header: 'nothing' }, URL, "--header takes 'Name: value', not nothing."],
    [{ header: ': x' }, URL, "--header takes 'Name: value', not : x."],
    [{ header: 'Upgrade: x' }, URL, '--header: the header field Upgrade is written by the handshake itself.'],
    [{ header: 'a b: x' }, URL, '--header: the name of a header field must be a token: "a b".'],
  ])('explains what is wrong with %j to %s', (given, url, message) => {
    expect(() => parse(given, url)).toThrow(new Misuse(message));
  });

  it('is explained, option by option', () => {
    for (const name of Object.keys(DIAL_OPTIONS)) expect(DIAL_HELP).toContain(`--${name} `);
  });
});
