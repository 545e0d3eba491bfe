import { describe, expect, it } from 'vitest';
import { parseConnectTarget } from '../../../lib/endpoint/client/connect-target.ts';

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

describe('parseConnectTarget', () => {
  it.each<[string, object]>([
    ['ws://a.example', { isSecure: false, hostname: 'a.example', port: 80, host: 'a.example', path: '/' }],
    ['WS://A.example:80/x', { isSecure: false, port: 80, host: 'a.example', path: '/x' }],
    ['ws://a.example:8080/x?y=z', { port: 8080, host: 'a.example:8080', path: '/x?y=z' }],
    ['wss://a.example', { isSecure: true, port: 443, host: 'a.example' }],
    ['http://a.example', { isSecure: false, port: 80 }],
    ['https://a.example/x', { isSecure: true, port: 443, path: '/x' }],
    ['ws://[::1]:81/', { hostname: '::1', host: '[::1]:81', port: 81 }],
    ['ws://bücher.example/ü?ö', { host: 'xn--bcher-kva.example', path: '/%C3%BC?%C3%B6' }],
    ['ws+unix:///run/a.sock:/x?y', { isSecure: false, socketPath: '/run/a.sock', path: '/x?y', host: 'localhost' }],
    ['ws+unix:///run/a.sock', { socketPath: '/run/a.sock', path: '/' }],
    ['ws+unix:///run/a.sock:/x:y', { socketPath: '/run/a.sock', path: '/x:y' }],
    ['ws+unix:///run/a b/ü.sock:/', { socketPath: '/run/a b/ü.sock', path: '/' }],
    ['wss+unix:///run/a.sock:/x', { isSecure: true, socketPath: '/run/a.sock', path: '/x' }],
  ])('reads %s (§3)', (text, expected) => {
    expect(parseConnectTarget(text)).toMatchObject(expected);
    expect(parseConnectTarget(new URL(text))).toMatchObject(expected);
  });

  it.each([
    ['ws://ada:secret@a.example/', 'ada:secret'],
    ['ws://ada@a.example/', 'ada:'],
    ['ws://a%40b:p%3Aq@a.example/', 'a@b:p:q'],
    ['ws://ü:ö@a.example/', 'ü:ö'],
  ])('makes an Authorization field of the user and password in %s, and takes them out', (text, pair) => {
    const { authorization, url, host } = parseConnectTarget(text);
    expect({ authorization, url: url.href, host }).toEqual({
      authorization: basic(pair),
      url: 'ws://a.example/',
      host: 'a.example',
    });
  });

  it.each([
    ['nothing', ''],
    ['a path', '/chat'],
    ['another scheme', 'ftp://a.example/'],
    ['a fragment (§3)', 'ws://a.example/#x'],
    ['an empty fragment (§3)', 'ws://a.example/#'],
    ['no host', 'ws://'],
    ['a port that cannot be', 'ws://a.example:70000/'],
    ['a Unix socket with a host', 'ws+unix://host/a.sock'],
    ['a Unix socket without a path', 'ws+unix://'],
    ['a request path without a slash', 'ws+unix:///a.sock:x'],
    ['something that is no URL', undefined],
  ])('throws a TypeError for %s', (_title, text) => {
    expect(() => parseConnectTarget(text as string)).toThrow(TypeError);
  });

  it('leaves the URL of the caller as it is', () => {
    const url = new URL('ws://ada:secret@a.example/');
    parseConnectTarget(url);
    expect(url.href).toBe('ws://ada:secret@a.example/');
  });

  it.each([
    ['ws://a.example', 'http://a.example:80/x', true],
    ['wss://a.example', 'https://a.example:443', true],
    ['ws://a.example', 'wss://a.example', false],
    ['ws://a.example', 'ws://a.example:81', false],
    ['ws://a.example', 'ws://b.example', false],
    ['ws+unix:///a.sock:/x', 'ws+unix:///a.sock:/y', true],
    ['ws+unix:///a.sock', 'ws+unix:///b.sock', false],
  ])('tells whether %s and %s are of one origin', (left, right, isSame) => {
    expect(parseConnectTarget(left).origin === parseConnectTarget(right).origin).toBe(isSame);
  });
});
