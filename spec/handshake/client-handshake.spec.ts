import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HandshakeError } from '../../lib/errors.ts';
import { createKey } from '../../lib/handshake/accept-key.ts';
import {
  type ClientOffer,
  formatRequest,
  type HandshakeResponse,
  readResponse,
} from '../../lib/handshake/client-handshake.ts';
import { type FieldLine, formatExtensions, groupFields, parseExtensions } from '../../lib/handshake/field-grammar.ts';
import { formatResponse, readRequest } from '../../lib/handshake/server-handshake.ts';
import {
  ACCEPT,
  arbitraryText,
  arbitraryToken,
  type Fields,
  HOSTILE_TEXTS,
  KEY,
  PROTOTYPE_NAMES,
  responseWith,
  sha1,
} from '../vectors/handshake.ts';

const EXPECTED = { key: KEY, protocols: ['chat', 'superchat'], extensionsOffered: ['permessage-deflate'] };

const read = (fields: Fields = {}, expected = EXPECTED) => readResponse(responseWith(fields), expected, sha1);

/** Reads a response that must fail, and gives the failure. */
function failureOf(response: HandshakeResponse, expected = EXPECTED): HandshakeError {
  try {
    readResponse(response, expected, sha1);
  } catch (error) {
    if (error instanceof HandshakeError) return error;
    throw error;
  }
  throw new Error('the response was not refused');
}

describe('formatRequest', () => {
  it('writes the least that asks for a WebSocket (§4.1)', () => {
    expect(formatRequest({ key: KEY })).toEqual([
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Key', KEY],
      ['Sec-WebSocket-Version', '13'],
    ]);
    expect(formatRequest({ key: KEY, protocols: [] })).toHaveLength(4);
  });

  it('writes subprotocols, extensions, the origin, and then the further fields (§4.1)', () => {
    const offer = { key: KEY, protocols: ['chat', 'superchat'], extensions: 'a; b', origin: 'http://example.com' };
    expect(formatRequest({ ...offer, headers: { Cookie: 'a=1' } }).slice(4)).toEqual([
      ['Sec-WebSocket-Protocol', 'chat, superchat'],
      ['Sec-WebSocket-Extensions', 'a; b'],
      ['Origin', 'http://example.com'],
      ['Cookie', 'a=1'],
    ]);
  });

  it('leaves Origin and Host to the further fields where they are wanted there', () => {
    const headers = { Origin: 'http://example.com', Host: 'example.com' };
    expect(formatRequest({ key: KEY, headers }).slice(4)).toEqual(Object.entries(headers));
  });

  it.each<[what: string, offer: object]>([
    ['a key of 15 bytes', { key: Buffer.alloc(15).toString('base64') }],
    ['no key', { key: '' }],
    ['a subprotocol twice', { protocols: ['chat', 'chat'] }],
    ['an empty subprotocol', { protocols: [''] }],
    ['a subprotocol with a space', { protocols: ['a b'] }],
    ['a subprotocol with a comma', { protocols: ['a,b'] }],
    ['a subprotocol with a line end', { protocols: ['a\r\nX-B: 1'] }],
    ['a subprotocol beyond ASCII', { protocols: ['caf\u00e9'] }],
    ['a subprotocol that is no text', { protocols: [1] }],
    ['malformed extensions', { extensions: 'a;' }],
    ['empty extensions', { extensions: '' }],
    ['extensions with a line end', { extensions: 'a\r\nX-B: 1' }],
    ['an empty origin', { origin: '' }],
    ['an origin with a line end', { origin: 'http://a\r\nX-B: 1' }],
    ['an origin with NUL', { origin: 'http://a\0' }],
    ['an origin with a space', { origin: 'http://a http://b' }],
    ['an origin beyond ASCII', { origin: 'http://b\u00fccher.example' }],
    ['an origin that is no text', { origin: 5 }],
    ['a second origin', { origin: 'http://a', headers: { origin: 'http://b' } }],
    ['a field with a line end', { headers: { 'X-A': '1\nX-B: 1' } }],
    ['a field of its own', { headers: { 'Sec-WebSocket-Version': '8' } }],
  ])('refuses %s with a TypeError (§4.1)', (_, offer) => {
    expect(() => formatRequest({ key: KEY, ...offer } as ClientOffer)).toThrow(TypeError);
  });

  it.each(PROTOTYPE_NAMES)('offers a subprotocol %s like any other (§4.1)', (name) => {
    expect(formatRequest({ key: KEY, protocols: [name] })[4]).toEqual(['Sec-WebSocket-Protocol', name]);
  });
});

describe('readResponse', () => {
  it("takes the RFC's own example (§1.3)", () => {
    expect(read({ 'sec-websocket-protocol': 'chat' })).toEqual({ protocol: 'chat', extensions: [] });
  });

  it('takes a server that chooses no subprotocol and no extension (§4.1)', () => {
    expect(read()).toEqual({ protocol: '', extensions: [] });
  });

  it.each<[what: string, fields: Fields]>([
    ['Upgrade in mixed case', { upgrade: 'WebSocket' }],
    ['space around Upgrade', { upgrade: ' websocket\t' }],
    ['Connection in mixed case, among others', { connection: 'keep-alive, UPGRADE' }],
    ['Connection on several lines', { connection: ['keep-alive', 'upgrade'] }],
    ['space around the accept value', { 'sec-websocket-accept': ` \t${ACCEPT} ` }],
    ['fields of no concern', { 'set-cookie': ['a=1', 'b=2'], server: 'caf\u00e9' }],
  ])('takes %s (§4.1)', (_, fields) => {
    expect(read(fields)).toEqual({ protocol: '', extensions: [] });
  });

  it.each<[what: string, fields: Fields]>([
    ['no Upgrade', { upgrade: undefined }],
    ['an empty Upgrade', { upgrade: '' }],
    ['an Upgrade with more than websocket', { upgrade: 'websocket, h2c' }],
    ['an Upgrade to something else', { upgrade: 'h2c' }],
    ['an Upgrade to a longer name', { upgrade: 'x-websocket' }],
    ['an Upgrade on two lines', { upgrade: ['websocket', 'websocket'] }],
    ['an Upgrade that only folds to websocket', { upgrade: 'websoc\u212aet' }],
    ['an Upgrade with a line end', { upgrade: 'websocket\n' }],
    ['no Connection', { connection: undefined }],
    ['an empty Connection', { connection: '' }],
    ['a Connection that closes', { connection: 'close' }],
    ['a Connection with Upgrade inside a longer token', { connection: 'upgrades' }],
    ['a malformed Connection', { connection: 'upgrade;' }],
    ['a Connection with obs-fold', { connection: 'keep-alive,\r\n upgrade' }],
    ['no accept value', { 'sec-websocket-accept': undefined }],
    ['an empty accept value', { 'sec-websocket-accept': '' }],
    ['the accept value of another key', { 'sec-websocket-accept': sha1('another') }],
    ['the accept value in another case', { 'sec-websocket-accept': ACCEPT.toLowerCase() }],
    ['the accept value without its padding', { 'sec-websocket-accept': ACCEPT.slice(0, -1) }],
    ['the accept value and something behind', { 'sec-websocket-accept': `${ACCEPT}, a` }],
    ['the accept value twice', { 'sec-websocket-accept': [ACCEPT, ACCEPT] }],
    ['the key itself', { 'sec-websocket-accept': KEY }],
    ['an extension that was not offered', { 'sec-websocket-extensions': 'x-webkit-deflate-frame' }],
    [
      'an extension that was not offered, behind one that was',
      { 'sec-websocket-extensions': 'permessage-deflate, mux' },
    ],
    [
      'an extension that was not offered, on a second line',
      { 'sec-websocket-extensions': ['permessage-deflate', 'mux'] },
    ],
    ['an extension in another case', { 'sec-websocket-extensions': 'Permessage-Deflate' }],
    ['an extension with a malformed parameter', { 'sec-websocket-extensions': 'permessage-deflate; a=' }],
    ['an empty list of extensions', { 'sec-websocket-extensions': '' }],
    ['a subprotocol that was not offered', { 'sec-websocket-protocol': 'other' }],
    ['a subprotocol in another case', { 'sec-websocket-protocol': 'Chat' }],
    ['an empty subprotocol', { 'sec-websocket-protocol': '' }],
    ['two subprotocols', { 'sec-websocket-protocol': 'chat, superchat' }],
    ['two fields for the subprotocol', { 'sec-websocket-protocol': ['chat', 'superchat'] }],
    ['the same subprotocol in two fields', { 'sec-websocket-protocol': ['chat', 'chat'] }],
  ])('fails at %s (§4.1)', (_, fields) => {
    expect(failureOf(responseWith(fields))).toMatchObject({ code: 'WS_ERR_HANDSHAKE', status: 101 });
  });

  it.each(PROTOTYPE_NAMES)('fails at %s as extension or subprotocol that was not offered (§4.1)', (name) => {
    const extensions = `${name}; ${name}=1`;
    failureOf(responseWith({ 'sec-websocket-extensions': extensions }));
    failureOf(responseWith({ 'sec-websocket-protocol': name }));
    const fields = { 'sec-websocket-extensions': extensions, 'sec-websocket-protocol': name };
    const expected = { key: KEY, protocols: [name], extensionsOffered: [name] };
    expect(read(fields, expected)).toEqual({ protocol: name, extensions: parseExtensions([extensions]) });
  });

  it('fails at any extension or subprotocol where none was offered (§4.1)', () => {
    const none = { key: KEY, protocols: [], extensionsOffered: [] };
    failureOf(responseWith({ 'sec-websocket-extensions': 'permessage-deflate' }), none);
    failureOf(responseWith({ 'sec-websocket-protocol': 'chat' }), none);
  });

  it('takes extensions from several lines (erratum 3433)', () => {
    const lines = ['permessage-deflate; a="1"', 'permessage-deflate'];
    expect(read({ 'sec-websocket-extensions': lines }).extensions).toEqual(parseExtensions(lines));
  });

  it.each([100, 200, 301, 401, 403, 404, 426, 500, 0])(
    'tells a status of %d as a refusal, with what came (§4.1)',
    (status) => {
      const error = failureOf(responseWith({ 'set-cookie': ['a=1', 'b=2'], 'x-a': 'b', 'x-none': [] }, status));
      expect(error).toMatchObject({
        code: 'WS_ERR_HANDSHAKE_REFUSED',
        status,
        headers: { upgrade: 'websocket', 'set-cookie': 'a=1, b=2', 'x-a': 'b', 'x-none': '' },
      });
      expect(error.message).toContain(`status ${status}`);
    },
  );

  it('tells a field named __proto__ as one of its own', () => {
    const headers = groupFields(['__proto__', '1', 'constructor', '2']);
    const { headers: told } = failureOf({ status: 404, headers });
    expect(Object.entries(told)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ]);
    expect(failureOf({ status: 404, headers: { 'x-a': undefined } }).headers).toEqual({ 'x-a': '' });
  });
});

describe('hostile responses', () => {
  const LISTS = ['sec-websocket-protocol', 'sec-websocket-extensions'];
  const NAMES = ['upgrade', 'connection', 'sec-websocket-accept', ...LISTS];

  it.each(Object.keys(HOSTILE_TEXTS))('fail, in whichever field 64 KiB of %s stand', (text) => {
    for (const name of NAMES) {
      const error = failureOf(responseWith({ [name]: HOSTILE_TEXTS[text]!(65_536) }));
      expect(error.code).toBe('WS_ERR_HANDSHAKE');
    }
  });

  it('throw nothing but HandshakeError (§4.1)', () => {
    const lines = fc.option(fc.array(arbitraryText, { maxLength: 3 }), { nil: undefined, freq: 20 });
    const fields = fc.dictionary(fc.constantFrom(...NAMES), lines);
    fc.assert(
      fc.property(fields, (fields) => {
        try {
          read(fields);
        } catch (error) {
          expect(error).toBeInstanceOf(HandshakeError);
        }
      }),
    );
  });
});

describe('both sides together', () => {
  const parties = fc.record({
    protocols: fc.uniqueArray(arbitraryToken),
    extensions: fc.uniqueArray(arbitraryToken, { maxLength: 4 }),
    chosen: fc.nat(),
  });

  it('agree on the subprotocol and the extensions, whatever their names (§4.1, §4.2.2)', () => {
    const overTheWire = (lines: readonly FieldLine[]) => groupFields(lines.flat());
    fc.assert(
      fc.property(parties, ({ protocols, extensions, chosen }) => {
        const key = createKey();
        const offers = extensions.map((name) => ({ name, params: [{ name, value: name }] }));
        const offered = offers.length > 0 ? formatExtensions(offers) : undefined;
        const request = formatRequest({ key, protocols, extensions: offered, headers: { Host: 'a.example' } });
        const handshake = readRequest({ method: 'GET', httpVersion: '1.1', url: '/', headers: overTheWire(request) });
        expect(handshake).toMatchObject({ key, host: 'a.example', protocols, extensions: offers });
        const protocol = protocols[chosen % (protocols.length + 1)];
        const response = formatResponse({ ...handshake, protocol, extensions: offered }, sha1);
        const expected = { key, protocols, extensionsOffered: extensions };
        const agreed = readResponse({ status: 101, headers: overTheWire(response) }, expected, sha1);
        expect(agreed).toEqual({ protocol: protocol ?? '', extensions: offers });
      }),
    );
  });
});
