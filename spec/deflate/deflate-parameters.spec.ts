import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptDeflate,
  confirmDeflate,
  type DeflateParameters,
  offerDeflate,
} from '../../lib/deflate/deflate-parameters.ts';
import { type ExtensionParam, formatExtensions, parseExtensions } from '../../lib/handshake/field-grammar.ts';
import { PROTOTYPE_NAMES } from '../vectors/handshake.ts';

const PLAIN: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};

/** Reads parameters as they stand behind the name. */
function params(text: string): readonly ExtensionParam[] {
  const [extension] = parseExtensions([text === '' ? 'x' : `x; ${text}`]) ?? [];
  if (extension === undefined) throw new Error(`malformed: ${text}`);
  return extension.params;
}

const format = (list: readonly ExtensionParam[]): string =>
  formatExtensions([{ name: 'x', params: list }]).replace(/^x(; )?/, '');

const accept = (offer: string, wanted: Partial<DeflateParameters> = {}): ReturnType<typeof acceptDeflate> =>
  acceptDeflate(params(offer), { ...PLAIN, ...wanted });

/** What neither an offer nor a response may hold. */
const INVALID = [
  'unknown',
  'unknown=1',
  'unknown=10',
  'SERVER_NO_CONTEXT_TAKEOVER',
  ...PROTOTYPE_NAMES,
  'server_no_context_takeover=1',
  'server_no_context_takeover=true',
  'client_no_context_takeover=0',
  'server_max_window_bits',
  ...['server_max_window_bits', 'client_max_window_bits'].flatMap((name) =>
    ['0', '1', '7', '16', '99', '08', '010', '+9', '-9', '9.0', '1e1', '0xf', '15a', 'abc', '9'.repeat(400)].map(
      (value) => `${name}=${value}`,
    ),
  ),
  'server_no_context_takeover; server_no_context_takeover',
  'client_no_context_takeover; client_no_context_takeover',
  'server_max_window_bits=10; server_max_window_bits=10',
  'client_max_window_bits; client_max_window_bits=10',
];

describe('offerDeflate', () => {
  it.each<[Partial<DeflateParameters>, string]>([
    [{}, 'client_max_window_bits'],
    [{ serverNoContextTakeover: true }, 'server_no_context_takeover; client_max_window_bits'],
    [{ clientNoContextTakeover: true }, 'client_no_context_takeover; client_max_window_bits'],
    [{ serverMaxWindowBits: 8 }, 'server_max_window_bits=8; client_max_window_bits'],
    [{ clientMaxWindowBits: 9 }, 'client_max_window_bits=9'],
    [
      {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        serverMaxWindowBits: 10,
        clientMaxWindowBits: 11,
      },
      'server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
    ],
  ])('asks for %o with %j (§7.1)', (wanted, offer) => {
    expect(format(offerDeflate({ ...PLAIN, ...wanted }))).toBe(offer);
  });
});

describe('acceptDeflate', () => {
  it.each<[string, Partial<DeflateParameters>, string, Partial<DeflateParameters>]>([
    ['', {}, '', {}],
    ['client_max_window_bits', {}, '', {}],
    ['client_max_window_bits=15', {}, '', {}],
    ['client_max_window_bits=9', {}, 'client_max_window_bits=9', { clientMaxWindowBits: 9 }],
    ['client_max_window_bits="9"', {}, 'client_max_window_bits=9', { clientMaxWindowBits: 9 }],
    ['client_max_window_bits', { clientMaxWindowBits: 12 }, 'client_max_window_bits=12', { clientMaxWindowBits: 12 }],
    [
      'client_max_window_bits=14',
      { clientMaxWindowBits: 12 },
      'client_max_window_bits=12',
      { clientMaxWindowBits: 12 },
    ],
    ['client_max_window_bits=8', { clientMaxWindowBits: 12 }, 'client_max_window_bits=8', { clientMaxWindowBits: 8 }],
    ['server_max_window_bits=15', {}, 'server_max_window_bits=15', {}],
    ['server_max_window_bits=10', {}, 'server_max_window_bits=10', { serverMaxWindowBits: 10 }],
    ['server_max_window_bits=10', { serverMaxWindowBits: 9 }, 'server_max_window_bits=9', { serverMaxWindowBits: 9 }],
    ['', { serverMaxWindowBits: 9 }, 'server_max_window_bits=9', { serverMaxWindowBits: 9 }],
    ['server_no_context_takeover', {}, 'server_no_context_takeover', { serverNoContextTakeover: true }],
    ['', { serverNoContextTakeover: true }, 'server_no_context_takeover', { serverNoContextTakeover: true }],
    ['client_no_context_takeover', {}, 'client_no_context_takeover', { clientNoContextTakeover: true }],
    ['', { clientNoContextTakeover: true }, 'client_no_context_takeover', { clientNoContextTakeover: true }],
  ])('answers %j, wanting %o, with %j (§7.1.1, §7.1.2)', (offer, wanted, answer, agreed) => {
    const agreement = accept(offer, wanted);
    expect(format(agreement!.params)).toBe(answer);
    expect(agreement!.agreed).toEqual({ ...PLAIN, ...agreed });
  });

  it.each(INVALID)('declines %j (§7)', (offer) => {
    expect(accept(offer)).toBeUndefined();
    expect(accept(`${offer}; client_max_window_bits=10`)).toBeUndefined();
  });

  it('declines a client that cannot be held to a smaller window (§7.1.2.2)', () => {
    expect(accept('', { clientMaxWindowBits: 14 })).toBeUndefined();
    expect(accept('server_no_context_takeover', { clientMaxWindowBits: 8 })).toBeUndefined();
  });

  it('reads 64 KiB of odd parameters once', () => {
    const offer = Array.from({ length: 6_000 }, (_, index) => `p${index}=1`).join('; ');
    expect(accept(offer)).toBeUndefined();
    expect(accept(`client_max_window_bits; ${offer}`)).toBeUndefined();
  });
});

describe('confirmDeflate', () => {
  const confirm = (answer: string, wanted: Partial<DeflateParameters> = {}): DeflateParameters =>
    confirmDeflate(params(answer), { ...PLAIN, ...wanted });

  it.each<[string, Partial<DeflateParameters>, Partial<DeflateParameters>]>([
    ['', {}, {}],
    ['server_no_context_takeover', {}, { serverNoContextTakeover: true }],
    ['client_no_context_takeover', {}, { clientNoContextTakeover: true }],
    ['', { clientNoContextTakeover: true }, { clientNoContextTakeover: true }],
    ['server_max_window_bits=15', {}, {}],
    ['server_max_window_bits=8', {}, { serverMaxWindowBits: 8 }],
    ['server_max_window_bits="12"', {}, { serverMaxWindowBits: 12 }],
    ['server_max_window_bits=9', { serverMaxWindowBits: 10 }, { serverMaxWindowBits: 9 }],
    ['client_max_window_bits=9', {}, { clientMaxWindowBits: 9 }],
    ['client_max_window_bits=9', { clientMaxWindowBits: 10 }, { clientMaxWindowBits: 9 }],
    ['', { clientMaxWindowBits: 10 }, { clientMaxWindowBits: 10 }],
  ])('takes %j for an offer of %o (§7.1.1, §7.1.2)', (answer, wanted, agreed) => {
    expect(confirm(answer, wanted)).toEqual({ ...PLAIN, ...agreed });
  });

  it.each(INVALID)('fails at %j (§7)', (answer) => {
    expect(() => confirm(answer)).toThrow(/^permessage-deflate: /);
  });

  it.each<[string, Partial<DeflateParameters>]>([
    ['client_max_window_bits', {}],
    ['client_max_window_bits=11', { clientMaxWindowBits: 10 }],
    ['server_max_window_bits=11', { serverMaxWindowBits: 10 }],
    ['', { serverMaxWindowBits: 10 }],
    ['', { serverNoContextTakeover: true }],
  ])('fails at %j for an offer of %o (§7.1.1.1, §7.1.1.2, §7.1.2.1, §7.1.2.2)', (answer, wanted) => {
    expect(() => confirm(answer, wanted)).toThrow(/^permessage-deflate: /);
  });
});

const windowBits = fc.integer({ min: 8, max: 15 });
const parameters: fc.Arbitrary<DeflateParameters> = fc.record({
  serverNoContextTakeover: fc.boolean(),
  clientNoContextTakeover: fc.boolean(),
  serverMaxWindowBits: windowBits,
  clientMaxWindowBits: windowBits,
});

/** Every way in which the four can be there, with the edges of the window. */
const COMBINATIONS = [false, true].flatMap((serverNoContextTakeover) =>
  [false, true].flatMap((clientNoContextTakeover) =>
    [8, 9, 14, 15].flatMap((serverMaxWindowBits) =>
      [8, 9, 14, 15].map((clientMaxWindowBits) => ({
        ...{ serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits },
      })),
    ),
  ),
);

function expectAgreement(ofClient: DeflateParameters, ofServer: DeflateParameters): void {
  // Through the grammar, as it travels.
  const offer = params(format(offerDeflate(ofClient)));
  const agreement = acceptDeflate(offer, ofServer)!;
  const confirmed = confirmDeflate(params(format(agreement.params)), ofClient);
  expect(confirmed).toEqual(agreement.agreed);
  expect(confirmed).toEqual({
    serverNoContextTakeover: ofClient.serverNoContextTakeover || ofServer.serverNoContextTakeover,
    clientNoContextTakeover: ofClient.clientNoContextTakeover || ofServer.clientNoContextTakeover,
    serverMaxWindowBits: Math.min(ofClient.serverMaxWindowBits, ofServer.serverMaxWindowBits),
    clientMaxWindowBits: Math.min(ofClient.clientMaxWindowBits, ofServer.clientMaxWindowBits),
  });
}

describe('a client and a server of ours (§7.1)', () => {
  it(`agree on the four values, in all ${COMBINATIONS.length ** 2} combinations of the edges`, () => {
    for (const ofClient of COMBINATIONS) for (const ofServer of COMBINATIONS) expectAgreement(ofClient, ofServer);
  });

  it('agree on the four values, whatever each of them wants', () => {
    fc.assert(fc.property(parameters, parameters, expectAgreement));
  });

  it('take nothing that is not of the four, from whatever comes', () => {
    const name = fc.constantFrom(
      'server_no_context_takeover',
      'client_no_context_takeover',
      'server_max_window_bits',
      'client_max_window_bits',
    );
    const value = fc.option(fc.oneof(windowBits.map(String), fc.constantFrom('7', '16', '08', 'x')), {
      nil: undefined,
    });
    const list = fc.array(fc.record({ name, value }), { maxLength: 5 });
    fc.assert(
      fc.property(list, parameters, (offer, wanted) => {
        const agreement = acceptDeflate(offer, wanted);
        if (agreement === undefined) return;
        expect(new Set(offer.map((param) => param.name)).size).toBe(offer.length);
        // What a peer might have meant by its offer, it can hold the answer against.
        const offers = (wish: string): boolean => offer.some((param) => param.name === wish);
        const answered = agreement.params.map((param) => param.name);
        expect(answered.includes('client_max_window_bits') && !offers('client_max_window_bits')).toBe(false);
        for (const wish of ['server_no_context_takeover', 'server_max_window_bits']) {
          if (offers(wish)) expect(answered).toContain(wish);
        }
      }),
    );
  });
});

it.each([
  ['a=10', 'it has an unknown parameter a'],
  ['server_no_context_takeover; server_no_context_takeover', 'server_no_context_takeover is there twice'],
  ['server_max_window_bits=7', 'the value of server_max_window_bits cannot be'],
  ['client_max_window_bits', 'client_max_window_bits has no value'],
  ['client_max_window_bits=12', 'client_max_window_bits is larger than offered'],
  ['server_max_window_bits=12', 'server_max_window_bits is larger than offered'],
  ['server_max_window_bits=10', 'server_no_context_takeover is missing'],
])('says why an answer of %j cannot be taken', (answer, reason) => {
  const wanted = { ...PLAIN, serverNoContextTakeover: true, serverMaxWindowBits: 11, clientMaxWindowBits: 11 };
  expect(() => confirmDeflate(params(answer), wanted)).toThrow(`permessage-deflate: ${reason}`);
});
