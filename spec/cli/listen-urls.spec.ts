import type { AddressInfo } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { listUrls } from '../../lib/cli/listen-urls.ts';

describe('listUrls', () => {
  const info = (address: string, internal = false): NetworkInterfaceInfo =>
    ({ address, internal, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as NetworkInterfaceInfo;
  const interfaces = {
    lo: [info('127.0.0.1', true), info('::1', true)],
    eth0: [info('192.0.2.7'), info('2001:db8::7'), info('fe80::7')],
    gone: undefined,
  };
  const bound = (address: string, port = 8080): AddressInfo => ({
    address,
    port,
    family: address.includes(':') ? 'IPv6' : 'IPv4',
  });

  it.each<[string, AddressInfo, string[]]>([
    ['127.0.0.1', bound('127.0.0.1'), ['http://127.0.0.1:8080/']],
    ['localhost', bound('::1'), ['http://localhost:8080/']],
    ['::1', bound('::1', 3000), ['http://[::1]:3000/']],
    ['127.0.0.1', bound('127.0.0.1', 80), ['http://127.0.0.1/']],
    ['0.0.0.0', bound('0.0.0.0'), ['http://localhost:8080/', 'http://192.0.2.7:8080/']],
    ['::', bound('::'), ['http://localhost:8080/', 'http://192.0.2.7:8080/', 'http://[2001:db8::7]:8080/']],
  ])('says where %s is found', (host, address, urls) => {
    expect(listUrls('http', host, address, interfaces)).toEqual(urls);
  });

  it('names WebSocket and TCP by their schemes', () => {
    expect(listUrls('ws', '127.0.0.1', bound('127.0.0.1', 80), interfaces)).toEqual(['ws://127.0.0.1/']);
    expect(listUrls('tcp', '::1', bound('::1', 80), interfaces)).toEqual(['tcp://[::1]:80']);
  });
});
