import { describe, expect, it } from 'vitest';
import {
  resolveConnectOptions,
  resolveServerOptions,
  resolveUpgradeOptions,
} from '../../lib/endpoint/endpoint-options.ts';
import { resolveConnectionOptions } from '../../lib/options.ts';
import { WS_HEADER_BUFFER } from '../../lib/protocol/sizes.ts';

describe('the options of a server', () => {
  it('have these defaults', () => {
    expect(resolveServerOptions()).toMatchObject({
      path: undefined,
      origins: undefined,
      protocols: [],
      maxConnections: Number.POSITIVE_INFINITY,
      maxConnectionsPerAddress: Number.POSITIVE_INFINITY,
      maxPendingHandshakes: 10_000,
      maxHeaderCount: 100,
      acceptQueue: 512,
      maxHeaderBytes: WS_HEADER_BUFFER,
      handshakeTimeoutMs: 10_000,
      tls: undefined,
      connection: { heartbeat: { intervalMs: 30_000, timeoutMs: 30_000 } },
    });
  });

  it('keep the options of the connection apart, with their defaults and nothing else', () => {
    const { connection } = resolveServerOptions({ maxMessageBytes: 5, heartbeat: false, path: '/a', acceptQueue: 1 });
    expect(connection).toEqual(resolveConnectionOptions({ maxMessageBytes: 5, heartbeat: false }));
  });

  it.each([
    ['a path without a slash', { path: 'chat' }, TypeError],
    ['a path that is no text', { path: 5 }, TypeError],
    ['tls that is no object', { tls: true }, TypeError],
    ['maxConnections below zero', { maxConnections: -1 }, RangeError],
    ['maxConnections that is text', { maxConnections: '5' }, TypeError],
    ['maxConnectionsPerAddress below zero', { maxConnectionsPerAddress: -1 }, RangeError],
    ['maxConnectionsPerAddress that is text', { maxConnectionsPerAddress: '5' }, TypeError],
    ['maxPendingHandshakes that is a fraction', { maxPendingHandshakes: 0.5 }, RangeError],
    ['maxPendingHandshakes that is text', { maxPendingHandshakes: 'many' }, TypeError],
    ['maxHeaderCount NaN', { maxHeaderCount: Number.NaN }, RangeError],
    ['maxHeaderCount that is text', { maxHeaderCount: '9' }, TypeError],
    ['a rate of nothing', { maxMessagesPerSecond: 0 }, RangeError],
    ['acceptQueue that is a fraction', { acceptQueue: 1.5 }, RangeError],
    ['maxHeaderBytes 0', { maxHeaderBytes: 0 }, RangeError],
    ['maxHeaderBytes NaN', { maxHeaderBytes: Number.NaN }, RangeError],
    ['maxHeaderBytes without bound', { maxHeaderBytes: Number.POSITIVE_INFINITY }, RangeError],
    ['handshakeTimeoutMs 0', { handshakeTimeoutMs: 0 }, RangeError],
    ['handshakeTimeoutMs beyond a timer', { handshakeTimeoutMs: 2 ** 31 }, RangeError],
    ['protocols that are one text', { protocols: 'chat' }, TypeError],
    ['a protocol with a space', { protocols: ['a b'] }, TypeError],
    ['a protocol with a line break', { protocols: ['a\r\nX: y'] }, TypeError],
    ['an origin that no browser sends', { origins: ['example.com'] }, TypeError],
    ['authorize that is no function', { authorize: true }, TypeError],
    ['selectProtocol that is no function', { selectProtocol: 'chat' }, TypeError],
    ['responseHeaders that are no function', { responseHeaders: {} }, TypeError],
    ['onRefused that is no function', { onRefused: 1 }, TypeError],
    ['an option of the connection that cannot be', { maxMessageBytes: -5 }, RangeError],
    ['options that are no object', 5, TypeError],
    ['options that are null', null, TypeError],
  ])('refuse %s', (_title, options, error) => {
    expect(() => resolveServerOptions(options as never)).toThrow(error);
  });

  it('take any function for the origins', () => {
    const origins = (): boolean => true;
    expect(resolveUpgradeOptions({ origins }).origins).toBe(origins);
  });
});

describe('the options of a client', () => {
  it('have these defaults', () => {
    expect(resolveConnectOptions()).toMatchObject({
      protocols: [],
      maxRedirects: 0,
      maxHeaderCount: 100,
      maxHeaderBytes: WS_HEADER_BUFFER,
      handshakeTimeoutMs: 10_000,
    });
    expect(resolveConnectOptions().connection.heartbeat).toBeUndefined();
  });

  it('take one protocol as a text', () => {
    expect(resolveConnectOptions({ protocols: 'chat' }).protocols).toEqual(['chat']);
  });

  it.each([
    ['a signal that is none', { signal: {} }, TypeError],
    ['tls that is no object', { tls: 'yes' }, TypeError],
    ['createConnection that is no function', { createConnection: {} }, TypeError],
    ['maxRedirects without bound', { maxRedirects: Number.POSITIVE_INFINITY }, RangeError],
    ['more redirects than any browser follows', { maxRedirects: 21 }, RangeError],
    ['maxRedirects below zero', { maxRedirects: -1 }, RangeError],
    ['protocols that are no list', { protocols: 5 }, TypeError],
    ['handshakeTimeoutMs that is text', { handshakeTimeoutMs: '5' }, TypeError],
    ['an option of the connection that cannot be', { closeTimeoutMs: 0 }, RangeError],
    ['options that are no object', 'x', TypeError],
  ])('refuse %s', (_title, options, error) => {
    expect(() => resolveConnectOptions(options as never)).toThrow(error);
  });
});
