import { describe, expect, it } from 'vitest';
import { PROXY_OPTIONS, type ProxyOptions, parseProxy } from '../../../lib/cli/proxy/proxy-arguments.ts';
import { wordsOf } from '../../support/command-words.ts';

const parse = (line: string): ProxyOptions => parseProxy(wordsOf(line, PROXY_OPTIONS));

describe('parseProxy', () => {
  it.each([
    ['8080', { protocol: 'ws', host: '127.0.0.1', port: 8080 }],
    [':8080', { protocol: 'ws', host: '127.0.0.1', port: 8080 }],
    ['0.0.0.0:0', { protocol: 'ws', host: '0.0.0.0', port: 0 }],
    ['[::1]:1', { protocol: 'ws', host: '::1', port: 1 }],
    ['ws://box:1/', { protocol: 'ws', host: 'box', port: 1 }],
    ['ws://:1', { protocol: 'ws', host: '127.0.0.1', port: 1 }],
  ])('listens for WebSocket at %s', (address, listen) => {
    expect(parse(`--listen ${address} --to tcp://a:1`).listen).toEqual(listen);
  });

  it.each([
    ['tcp://8080', { protocol: 'tcp', host: '127.0.0.1', port: 8080 }],
    ['TCP://[::]:2', { protocol: 'tcp', host: '::', port: 2 }],
  ])('listens for TCP at %s', (address, listen) => {
    expect(parse(`--listen ${address} --to ws://a/`).listen).toEqual(listen);
  });

  it('leads to TCP, or to a WebSocket server with the options of a handshake', () => {
    expect(parse('--listen 1 --to tcp://[::1]:22')).toEqual({
      listen: { protocol: 'ws', host: '127.0.0.1', port: 1 },
      target: { protocol: 'tcp', address: { host: '::1', port: 22 } },
      allowedOrigins: undefined,
      maxConnections: 1000,
    });
    expect(parse('--listen 1 --to wss://a/b --insecure --allow-origin * --max-connections 2')).toMatchObject({
      target: { protocol: 'ws', dial: { url: 'wss://a/b', isChecked: false } },
      allowedOrigins: '*',
      maxConnections: 2,
    });
  });

  it.each([
    ['', 'Where to listen?'],
    ['8080', 'wspipe proxy takes options only, and 8080 is none. Write --listen ADDRESS --to ADDRESS.'],
    ['to', 'wspipe proxy takes options only, and to is none. Did you mean --to?'],
    ['--listen 1', 'Where to? --to tcp://host:port'],
    ['--listen tcp://1 --to tcp://a:1', 'both of these are TCP'],
    [
      '--listen wss://1 --to tcp://a:1',
      '--listen takes [host:]port, ws://[host:]port or tcp://[host:]port, not wss://1.',
    ],
    ['--listen x --to tcp://a:1', '--listen takes [host:]port with a port from 0 to 65535, not x.'],
    ['--listen 1:65536 --to tcp://a:1', '--listen takes [host:]port with a port from 0 to 65535, not 1:65536.'],
    ['--listen ::1:80 --to tcp://a:1', '--listen takes [host:]port'],
    ['--listen 1 --to tcp://a', '--to takes host:port with a port from 1 to 65535, not a.'],
    ['--listen 1 --to tcp://1', '--to takes host:port with a port from 1 to 65535, not 1.'],
    ['--listen 1 --to tcp://a:0', '--to takes host:port with a port from 1 to 65535, not a:0.'],
    ['--listen 1 --to a:1', 'a:1 is no URL. Did you mean ws://a:1?'],
    ['--listen 1 --to tcp://a:1 --ca x', '--ca is for a WebSocket server, and tcp://a:1 is TCP.'],
  ])('explains what is wrong with "%s"', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });
});
