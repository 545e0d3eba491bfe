/** What a refusal says is what somebody has to go by: it names the field, and what is wrong with it. */
import { describe, expect, it } from 'vitest';
import { formatResponse, type HandshakeRequest, readRequest } from '../../lib/handshake/server-handshake.ts';
import { type Fields, KEY, requestWith, sha1 } from '../vectors/handshake.ts';

describe('a server', () => {
  it.each<[message: string, status: number, fields: Fields, line?: Partial<HandshakeRequest>]>([
    ['a WebSocket handshake is a GET request', 405, {}, { method: 'POST' }],
    ['a WebSocket handshake is an HTTP/1.1 request', 505, {}, { httpVersion: '2.0' }],
    ['a WebSocket handshake needs HTTP/1.1', 400, {}, { httpVersion: '1.0' }],
    ['the request target is not a path', 400, {}, { url: '*' }],
    ['the request target has a fragment', 400, {}, { url: '/#a' }],
    ['one valid Host field is needed', 400, { host: undefined }],
    ['the Upgrade field is malformed', 400, { upgrade: 'websocket;' }],
    ['this is a WebSocket endpoint', 426, { upgrade: 'h2c' }],
    ['the Connection field does not say Upgrade', 400, { connection: 'close' }],
    ['a WebSocket handshake has no body', 400, { 'content-length': '5' }],
    ['the WebSocket version must be 13', 426, { 'sec-websocket-version': '8' }],
    ['one Sec-WebSocket-Key of 16 bytes in base64 is needed', 400, { 'sec-websocket-key': 'a' }],
    ['the Origin field is repeated', 400, { origin: ['http://a', 'http://a'] }],
    ['the Sec-WebSocket-Protocol field is malformed', 400, { 'sec-websocket-protocol': 'a b' }],
    ['a subprotocol is offered twice', 400, { 'sec-websocket-protocol': 'a, a' }],
    ['the Sec-WebSocket-Extensions field is malformed', 400, { 'sec-websocket-extensions': 'a;' }],
  ])('refuses because %s', (message, status, fields, line) => {
    const refuse = (): unknown => readRequest(requestWith(fields, line));
    expect(refuse).toThrow(expect.objectContaining({ status, message }));
  });

  it('says what it was asked to answer and may not', () => {
    const format = (): unknown => formatResponse({ key: KEY, protocols: ['a'], protocol: 'b' }, sha1);
    expect(format).toThrow('the client did not offer the subprotocol "b"');
  });
});
