/** What a refusal says is what somebody has to go by: it names the field, and what is wrong with it. */
import { describe, expect, it } from 'vitest';
import { formatExtendedConnect, isConnectionField, readExtendedConnect } from '../../lib/handshake/extended-connect.ts';

describe('what an extended CONNECT is refused with', () => {
  it.each<[message: string, fields: Record<string, readonly string[] | undefined>, url?: string]>([
    ['its :scheme is neither https nor http', { ':scheme': ['ftp'] }],
    ['its :path is not a path', {}, '*'],
    ['its :path has a fragment', {}, '/#a'],
    ['it has the field upgrade, which HTTP/2 has not', { upgrade: ['websocket'] }],
    ['one valid :authority is needed', { ':authority': undefined }],
    ['its Host is not its :authority', { host: ['other'] }],
    ['its :protocol is not websocket', { ':protocol': ['connect-udp'] }],
  ])('refuses an extended CONNECT because %s (RFC 8441 §4)', (message, fields, url = '/') => {
    const own = { ':method': ['CONNECT'], ':protocol': ['websocket'], ':scheme': ['https'], ':authority': ['a'] };
    const headers = { ...own, ':path': [url], 'sec-websocket-version': ['13'], ...fields };
    const refuse = (): unknown => readExtendedConnect({ method: 'CONNECT', httpVersion: '2.0', url, headers });
    expect(refuse).toThrow(`the extended CONNECT is not in order: ${message}`);
  });

  it('says which field HTTP/2 has not', () => {
    const target = { isSecure: true, path: '/', host: 'a' };
    expect(() => formatExtendedConnect(target, [['TE', 'x']])).toThrow('HTTP/2 has no header field te');
  });
});

it.each(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'http2-settings', 'te'])(
  'the field %s is not for HTTP/2 (RFC 9113 §8.2.2)',
  (name) => {
    expect([isConnectionField(name), isConnectionField(name.toUpperCase())]).toEqual([true, true]);
  },
);
