import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptExtensions,
  assertExtensions,
  confirmExtensions,
  type NegotiableExtension,
  offerExtensions,
} from '../../lib/handshake/extension-negotiation.ts';
import { type ExtensionParam, formatExtensions } from '../../lib/handshake/field-grammar.ts';
import { PROTOTYPE_NAMES } from '../vectors/handshake.ts';

type Toy = NegotiableExtension<string>;
type Toys = readonly Toy[];

const param = (name: string, value?: string): ExtensionParam => ({ name, value });

/** Takes any offer but one with the parameter `bad`, says back what it got, and names itself as its stages. */
function toy(name: string, rsv = 0, offers: readonly (readonly ExtensionParam[])[] = [[]]): Toy {
  const isBad = (params: readonly ExtensionParam[]): boolean => params.some((each) => each.name === 'bad');
  const say = (params: readonly ExtensionParam[]): string => formatExtensions([{ name, params }]);
  return {
    name,
    rsv,
    offer: () => offers,
    accept: (params) => (isBad(params) ? undefined : { params, stages: say(params) }),
    confirm: (params) => {
      if (isBad(params)) throw new Error(`${name}: bad`);
      return say(params);
    },
  };
}

const errorOf = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

describe('offerExtensions', () => {
  it.each<[string, Toys, string]>([
    ['none', [], ''],
    ['one', [toy('a')], 'a'],
    ['several, in order', [toy('b'), toy('a', 4)], 'b, a'],
    ['alternatives, the best first', [toy('a', 0, [[param('x', '1')], [param('y')], []])], 'a; x=1, a; y, a'],
    ['none of one that offers nothing', [toy('a', 0, []), toy('b')], 'b'],
  ])('writes %s (§9.1)', (_name, extensions, header) => {
    expect(offerExtensions(extensions)).toBe(header);
  });

  it.each<[string, unknown, new (...args: never[]) => Error]>([
    ['no list', 'a', TypeError],
    ['null in it', [null], TypeError],
    ['a name that is no token', [toy('a b')], TypeError],
    ['a name that is no string', [{ ...toy('a'), name: 1 }], TypeError],
    ['a name twice', [toy('a'), toy('a')], TypeError],
    ['reserved bits beyond 7', [toy('a', 8)], RangeError],
    ['a part of a reserved bit', [toy('a', 1.5)], RangeError],
    ['reserved bits that are no number', [{ ...toy('a'), rsv: '4' }], RangeError],
    ['a missing method', [{ ...toy('a'), confirm: undefined }], TypeError],
    ['a parameter that is no token', [toy('a', 0, [[param('x', '1, b')]])], TypeError],
    ['a parameter without a name', [toy('a', 0, [[param('')]])], TypeError],
  ])('refuses %s', (_name, extensions, kind) => {
    expect(() => offerExtensions(extensions as Toys)).toThrow(kind);
  });

  it('names are told apart by case, as they are registered', () => {
    expect(() => assertExtensions([toy('a'), toy('A')])).not.toThrow();
  });
});

describe('acceptExtensions', () => {
  it.each<[string, string | undefined, Toys, string, number]>([
    ['nothing of nothing', undefined, [toy('a')], '', 0],
    ['nothing of an empty field', '', [toy('a')], '', 0],
    ['nothing that is unknown', 'b; x, c', [toy('a')], '', 0],
    ['nothing where nothing is spoken', 'a', [], '', 0],
    ['what is offered', 'a; x=1', [toy('a', 4)], 'a; x=1', 4],
    ['the first acceptable alternative', 'a; bad, a; x, a', [toy('a')], 'a; x', 0],
    ['an extension once', 'a, a', [toy('a')], 'a', 0],
    ['none without an acceptable offer', 'a; bad', [toy('a', 4)], '', 0],
    ['two with different bits', 'a, b', [toy('a', 4), toy('b', 2)], 'a, b', 6],
    ['two without bits', 'a, b', [toy('a'), toy('b')], 'a, b', 0],
    ['of two with the same bit the one offered first', 'b, a', [toy('a', 4), toy('b', 4)], 'b', 4],
    ['of two that share one of their bits the one offered first', 'a, b', [toy('a', 6), toy('b', 3)], 'a', 6],
    ['the bit of one that was declined', 'b; bad, a', [toy('a', 4), toy('b', 4)], 'a', 4],
    ['in the order of its own list', 'b, a', [toy('a', 4), toy('b', 2)], 'a, b', 6],
    ['a quoted value as a token', 'a; x="1"', [toy('a')], 'a; x=1', 0],
  ])('takes %s (§4.2.2, §9, §9.1)', (_name, offers, extensions, header, rsv) => {
    const negotiated = acceptExtensions(offers, extensions);
    const stages = header === '' ? [] : header.split(', ');
    expect(negotiated).toEqual({ header, rsv, stages });
  });

  it.each(PROTOTYPE_NAMES)(
    'passes over an extension %s that nobody speaks, and takes one of that name (§9.1)',
    (name) => {
      expect(acceptExtensions(`${name}; ${name}=1`, [toy('a')]).header).toBe('');
      expect(acceptExtensions(`${name}; ${name}=1`, [toy(name)]).header).toBe(`${name}; ${name}=1`);
      expect(confirmExtensions(`${name}; ${name}=1`, [toy(name)]).stages).toEqual([`${name}; ${name}=1`]);
      expect(() => confirmExtensions(name, [toy('a')])).toThrow('was not offered');
    },
  );

  it('takes 64 KiB of offers without trouble', () => {
    const offers = Array.from({ length: 5_000 }, (_, index) => `a; bad; p${index}`).join(', ');
    expect(acceptExtensions(`${offers}, a`, [toy('a')]).header).toBe('a');
  });

  it('answers a malformed field with 400 (§9.1)', () => {
    expect(errorOf(() => acceptExtensions('a;', []))).toMatchObject({ code: 'WS_ERR_HANDSHAKE', status: 400 });
  });

  it('does not write what is no token, whatever an extension says', () => {
    const liar: Toy = { ...toy('a'), accept: () => ({ params: [param('x', '1\r\ny: z')], stages: '' }) };
    expect(() => acceptExtensions('a', [liar])).toThrow(TypeError);
  });
});

describe('confirmExtensions', () => {
  it.each<[string, string | undefined, Toys, string[], number]>([
    ['no answer', undefined, [toy('a')], [], 0],
    ['an empty answer', '', [toy('a')], [], 0],
    ['some of what was offered', 'b', [toy('a', 4), toy('b', 4)], ['b'], 4],
    ['all of it, in the order of the server', 'b; x=1, a', [toy('a', 4), toy('b', 3)], ['b; x=1', 'a'], 7],
  ])('takes %s (§4.1, §9.1)', (_name, answer, extensions, stages, rsv) => {
    expect(confirmExtensions(answer, extensions)).toEqual({ header: answer ?? '', rsv, stages });
  });

  it.each<[string, string, Toys, RegExp]>([
    ['is malformed', 'a; b="c d"', [toy('a')], /malformed/],
    ['names what was not offered', 'b', [toy('a')], /not offered/],
    ['names what had nothing to offer', 'a', [toy('a', 0, [])], /not offered/],
    ['repeats an extension', 'a, a', [toy('a')], /twice/],
    ['gives a reserved bit to two', 'a, b', [toy('a', 4), toy('b', 4)], /reserved bit/],
    ['is not acceptable', 'a; bad', [toy('a')], /a: bad/],
  ])('fails where the answer %s (§4.1, §9.1)', (_name, answer, extensions, message) => {
    const error = errorOf(() => confirmExtensions(answer, extensions));
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'WS_ERR_HANDSHAKE', status: 101 });
    expect((error as Error).message).toMatch(message);
  });

  it('keeps what an extension threw as the cause, even where it is no Error', () => {
    const fault = new Error('no');
    for (const thrown of [fault, 'no']) {
      const extension: Toy = {
        ...toy('a'),
        confirm: () => {
          throw thrown;
        },
      };
      expect(errorOf(() => confirmExtensions('a', [extension]))).toMatchObject({ cause: thrown });
    }
  });
});

const arbitraryToys: fc.Arbitrary<Toys> = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', '__proto__'),
      rsv: fc.integer({ min: 0, max: 7 }),
      offers: fc.array(fc.constantFrom([], [param('x', '1')], [param('bad')]), { maxLength: 3 }),
    }),
    { selector: ({ name }) => name },
  )
  .map((specs) => specs.map(({ name, rsv, offers }) => toy(name, rsv, offers)));

it('what a server answers, the client that offered takes, and both have the same (§9.1)', () => {
  fc.assert(
    fc.property(arbitraryToys, arbitraryToys, (ofClient, ofServer) => {
      // The bits belong to the extension, whoever speaks it.
      const spoken = ofServer.map((own) => ({
        ...own,
        rsv: ofClient.find(({ name }) => name === own.name)?.rsv ?? own.rsv,
      }));
      const accepted = acceptExtensions(offerExtensions(ofClient), spoken);
      expect(confirmExtensions(accepted.header, ofClient)).toEqual(accepted);
    }),
  );
});
