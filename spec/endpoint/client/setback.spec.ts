import { describe, expect, it } from 'vitest';
import { createSetback } from '../../../lib/endpoint/client/setback.ts';
import { createAbortError, HandshakeError } from '../../../lib/errors.ts';

const system = (code: string): Error => Object.assign(new Error(code), { code });
const refused = (status: number, headers: Record<string, string> = {}): HandshakeError =>
  new HandshakeError('WS_ERR_HANDSHAKE_REFUSED', status, `status ${status}`, { headers });
const NOW = Date.parse('Sun, 06 Nov 1994 08:49:37 GMT');
const judge = (error: Error): boolean => createSetback(1, error, NOW).isTransient;

describe('a setback', () => {
  it('is the end of a connection: it may come back', () => {
    const closeInfo = { code: 1008, reason: 'no', wasClean: true, initiator: 'remote' } as const;
    expect(createSetback(3, closeInfo, NOW)).toEqual({ attempt: 3, closeInfo, isTransient: true });
  });

  it.each<[string, Error]>([
    ['nobody listens', system('ECONNREFUSED')],
    ['the name is not known, as it is where the network is down', system('ENOTFOUND')],
    ['the socket of Unix is not there yet', system('ENOENT')],
    ['TLS was cut', system('ERR_SSL_WRONG_VERSION_NUMBER')],
    ['the handshake took too long', new HandshakeError('WS_ERR_HANDSHAKE_TIMEOUT', 0, 'slow')],
    ...[408, 425, 429, 500, 502, 503, 504, 529].map((status): [string, Error] => [`${status}`, refused(status)]),
    ['fetch failed for want of a network', new TypeError('fetch failed', { cause: system('ECONNREFUSED') })],
    ['what makes the URL has its own troubles', new Error('the token could not be had')],
  ])('is transient where %s', (_title, error) => {
    expect(judge(error)).toBe(true);
  });

  it.each<[string, Error]>([
    ...[200, 302, 400, 401, 403, 404, 410, 426, 501, 505].map((status): [string, Error] => [
      `${status}`,
      refused(status),
    ]),
    ['the answer breaks the RFC', new HandshakeError('WS_ERR_HANDSHAKE', 101, 'no accept')],
    ['the answer is no HTTP', new HandshakeError('WS_ERR_HANDSHAKE', 0, 'no', { cause: system('HPE_INVALID') })],
    ['it redirects', new HandshakeError('WS_ERR_REDIRECT', 302, 'away')],
    ['the caller is mistaken', new TypeError('no URL')],
    ['the caller is mistaken in a number', new RangeError('-1')],
    ['a mistake has a mistake as its cause', new TypeError('a', { cause: new TypeError('b') })],
    ['the caller gave up', createAbortError(AbortSignal.abort())],
    ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'].map(
      (code): [string, Error] => [code, system(code)],
    ),
    ['the certificate is for another name', system('ERR_TLS_CERT_ALTNAME_INVALID')],
    ['fetch met such a one', new TypeError('fetch failed', { cause: system('CERT_HAS_EXPIRED') })],
  ])('is permanent where %s', (_title, error) => {
    expect(judge(error)).toBe(false);
  });

  it.each<[string, number | undefined]>([
    ['120', 120_000],
    [' 0 ', 0],
    ['Sun, 06 Nov 1994 08:50:07 GMT', 30_000],
    ['Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['soon', undefined],
    ['soon GMT', undefined],
    ['', undefined],
    ['-5', undefined],
  ])('reads Retry-After: "%s" (RFC 9110 §10.2.3)', (value, ms) => {
    const setback = createSetback(1, refused(503, { 'retry-after': value }), NOW);
    expect(setback.retryAfterMs).toBe(ms);
  });

  it('has no Retry-After where there is none, or no answer', () => {
    expect(createSetback(1, refused(503), NOW).retryAfterMs).toBeUndefined();
    expect(createSetback(1, system('ECONNRESET'), NOW).retryAfterMs).toBeUndefined();
  });
});
