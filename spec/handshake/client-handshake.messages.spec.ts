/** What a failure says is what somebody has to go by: it names the field, and what is wrong with it. */
import { describe, expect, it } from 'vitest';
import { type ClientOffer, formatRequest, readResponse } from '../../lib/handshake/client-handshake.ts';
import { type Fields, KEY, responseWith, sha1 } from '../vectors/handshake.ts';

describe('a client', () => {
  const expected = { key: KEY, protocols: ['a'], extensionsOffered: ['x'] };

  it.each<[message: string, fields: Fields]>([
    ['its Upgrade field is not websocket', { upgrade: 'h2c' }],
    ['its Connection field does not say Upgrade', { connection: 'close' }],
    ['its Sec-WebSocket-Accept does not answer the key', { 'sec-websocket-accept': 'a' }],
    ['its Sec-WebSocket-Extensions is malformed', { 'sec-websocket-extensions': 'x;' }],
    ['it names an extension that was not offered', { 'sec-websocket-extensions': 'y' }],
    ['its Sec-WebSocket-Protocol field is repeated', { 'sec-websocket-protocol': ['a', 'a'] }],
    ['it names a subprotocol that was not offered', { 'sec-websocket-protocol': 'b' }],
  ])('fails because %s', (message, fields) => {
    const read = (): unknown => readResponse(responseWith(fields), expected, sha1);
    expect(read).toThrow(expect.objectContaining({ message: `the handshake failed: ${message}` }));
  });

  it('says with which status it was refused', () => {
    const read = (): unknown => readResponse(responseWith({}, 404), expected, sha1);
    expect(read).toThrow('the server answered with status 404');
  });

  it.each<[message: string, offer: object]>([
    ['the key must be 16 bytes in base64', { key: 'a' }],
    ['a subprotocol must be a token: "a b"', { protocols: ['a b'] }],
    ['a subprotocol is given twice', { protocols: ['a', 'a'] }],
    ['origin must be printable ASCII without spaces', { origin: 'a b' }],
    ['extensions must be a list of extensions (RFC 6455 §9.1): "a;"', { extensions: 'a;' }],
  ])('asks for nothing where %s', (message, offer) => {
    expect(() => formatRequest({ key: KEY, ...offer } as ClientOffer)).toThrow(message);
  });
});
