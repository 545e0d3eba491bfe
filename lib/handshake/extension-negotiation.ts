/**
 * Which extensions a connection has, in which order: the client offers, the server chooses, the client checks the answer.
 *
 * Law: what a set of parameters means, only its extension knows. Here stands what no extension can know alone: the order,
 * the reserved bits, and that nothing is used that was not asked for. Names are compared, never looked up as keys of an
 * object, so `__proto__` is a name like any other.
 *
 * @see RFC 6455 §9
 */
import { HandshakeError } from '../errors.ts';
import {
  type ExtensionOffer,
  type ExtensionParam,
  formatExtensions,
  isToken,
  parseExtensions,
} from './field-grammar.ts';

/** What a server answers to an offer that it takes. */
export interface ExtensionAcceptance<Stages> {
  /** The parameters of the answer. */
  readonly params: readonly ExtensionParam[];
  /** What the extension does to this one connection. */
  readonly stages: Stages;
}

/** An extension as far as a handshake is concerned. It is used for many connections, so it keeps nothing of any of them. */
export interface NegotiableExtension<Stages> {
  /** Its name in the header field: a token. */
  readonly name: string;
  /** The reserved bits that it gives a meaning: 4 is RSV1, 2 is RSV2, 1 is RSV3, 0 is none. */
  readonly rsv: number;
  /** The parameters that a client offers: one list for each alternative, the best one first. None at all: no offer. */
  offer(): readonly (readonly ExtensionParam[])[];
  /**
   * Judges one offer, as a server.
   *
   * @returns undefined to decline it: the client's next alternative is asked about then
   */
  accept(params: readonly ExtensionParam[]): ExtensionAcceptance<Stages> | undefined;
  /**
   * Judges the server's answer to what {@link offer} gave, as a client.
   *
   * @throws any Error where the answer cannot be taken: it fails the handshake
   */
  confirm(params: readonly ExtensionParam[]): Stages;
}

/** What was agreed on for one connection. */
export interface NegotiatedExtensions<Stages> {
  /** As the value of `Sec-WebSocket-Extensions`; `''` for none. */
  readonly header: string;
  /** The reserved bits that are in use. */
  readonly rsv: number;
  /** In the order of the header: what is sent goes through the first one first, what comes through it last. */
  readonly stages: readonly Stages[];
}

/**
 * Checks a list of extensions.
 *
 * @throws TypeError for what is no extension, for a name that is no token or is there twice; RangeError for reserved bits
 * beyond 0–7
 */
export function assertExtensions(extensions: readonly NegotiableExtension<unknown>[]): void {
  if (!Array.isArray(extensions)) throw new TypeError('extensions must be a list');
  for (const extension of extensions) assertExtension(extension);
  const names = new Set(extensions.map(({ name }) => name));
  if (names.size < extensions.length) throw new TypeError('an extension is given twice');
}

function assertExtension(extension: NegotiableExtension<unknown> | null | undefined): void {
  const { name, rsv, offer, accept, confirm } = extension ?? ({} as Partial<NegotiableExtension<unknown>>);
  if (typeof name !== 'string' || !isToken(name)) throw new TypeError('the name of an extension must be a token');
  if (typeof rsv !== 'number' || !Number.isInteger(rsv) || rsv < 0 || rsv > 7) {
    throw new RangeError(`the reserved bits of ${name} must be a number from 0 to 7`);
  }
  if ([offer, accept, confirm].some((method) => typeof method !== 'function')) {
    throw new TypeError(`the extension ${name} must have the methods offer, accept and confirm`);
  }
}

/**
 * Lists what a client offers, in the order of its preference.
 *
 * @returns the value of `Sec-WebSocket-Extensions`; `''` for none, and then there is no such field
 * @throws TypeError, RangeError as {@link assertExtensions}, and for parameters that are no tokens
 * @see RFC 6455 §9.1
 */
export function offerExtensions(extensions: readonly NegotiableExtension<unknown>[]): string {
  assertExtensions(extensions);
  const offers = extensions.flatMap(({ name, offer }, index) =>
    offer.call(extensions[index]).map((params) => ({ name, params: checkedParams(name, params) })),
  );
  return formatExtensions(offers);
}

/**
 * Chooses among a client's offers, as a server.
 *
 * The client's order is its preference: of two that want the same reserved bit, the one that was offered first has it,
 * and of several offers of one extension the first that is acceptable. The server's own list is the order in which they
 * apply, and so the order of the answer.
 *
 * @param offers the value of the request's field, undefined where there is none, or what was read from it
 * @throws HandshakeError (400) for a malformed value; TypeError where an extension answers with what is no token; and
 * whatever an extension throws
 * @see RFC 6455 §9.1
 */
export function acceptExtensions<Stages>(
  offers: string | readonly ExtensionOffer[] | undefined,
  extensions: readonly NegotiableExtension<Stages>[],
): NegotiatedExtensions<Stages> {
  assertExtensions(extensions);
  const accepted = new Map<NegotiableExtension<Stages>, ExtensionAcceptance<Stages>>();
  let rsv = 0;
  for (const { name, params } of readOffers(offers)) {
    const extension = extensions.find((candidate) => candidate.name === name);
    // §4.2.2, §9: a server lists no extension that was not offered, and may pass over any: so this goes by the offers.
    if (extension === undefined || accepted.has(extension) || (extension.rsv & rsv) !== 0) continue;
    const acceptance = extension.accept(params);
    if (acceptance === undefined) continue;
    accepted.set(extension, acceptance);
    rsv |= extension.rsv;
  }
  const chosen = extensions.filter((extension) => accepted.has(extension));
  return {
    header: formatExtensions(
      chosen.map((extension) => {
        const { params } = accepted.get(extension)!;
        return { name: extension.name, params: checkedParams(extension.name, params) };
      }),
    ),
    rsv,
    stages: chosen.map((extension) => accepted.get(extension)!.stages),
  };
}

/**
 * Checks a server's answer, as the client that made the offers.
 *
 * @param answer the value of the response's field, undefined where there is none, or what was read from it
 * @param extensions those that were offered
 * @throws HandshakeError (`WS_ERR_HANDSHAKE`) where the answer is malformed or cannot be taken
 * @see RFC 6455 §9.1
 */
export function confirmExtensions<Stages>(
  answer: string | readonly ExtensionOffer[] | undefined,
  extensions: readonly NegotiableExtension<Stages>[],
): NegotiatedExtensions<Stages> {
  assertExtensions(extensions);
  const agreed = readAnswer(answer);
  const fail = (reason: string, cause?: unknown): never => {
    throw answerError(reason, agreed, cause);
  };
  const seen = new Set<string>();
  let rsv = 0;
  const stages = agreed.map(({ name, params }): Stages => {
    const extension = extensions.find((candidate) => candidate.name === name && candidate.offer().length > 0);
    // §4.1 "If […] this header field indicates the use of an extension that was not present in the client's handshake
    // (the server has indicated an extension not requested by the client), the client MUST _Fail the WebSocket
    // Connection_."
    if (extension === undefined) return fail('it names an extension that was not offered');
    // An extension once is what was asked for, however many alternatives there were.
    if (seen.has(name)) fail(`it names ${name} twice`);
    // §5.2: a reserved bit means what the extension says that was negotiated; it cannot mean two things.
    if ((extension.rsv & rsv) !== 0) fail(`it gives ${name} a reserved bit that another extension has`);
    seen.add(name);
    rsv |= extension.rsv;
    try {
      return extension.confirm(params);
    } catch (error) {
      return fail(error instanceof Error ? error.message : `${name} refused it`, error);
    }
  });
  return { header: formatExtensions(agreed), rsv, stages };
}

function readOffers(offers: string | readonly ExtensionOffer[] | undefined): readonly ExtensionOffer[] {
  if (offers === undefined) return [];
  const read = typeof offers === 'string' ? parseExtensions([offers]) : offers;
  // §9.1 "the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_."
  if (read === null)
    throw new HandshakeError('WS_ERR_HANDSHAKE', 400, 'the Sec-WebSocket-Extensions field is malformed');
  return read;
}

function readAnswer(answer: string | readonly ExtensionOffer[] | undefined): readonly ExtensionOffer[] {
  if (answer === undefined) return [];
  const read = typeof answer === 'string' ? parseExtensions([answer]) : answer;
  if (read === null) throw answerError('its Sec-WebSocket-Extensions is malformed', []);
  return read;
}

function answerError(reason: string, agreed: readonly ExtensionOffer[], cause?: unknown): HandshakeError {
  const headers = { 'sec-websocket-extensions': formatExtensions(agreed) };
  return new HandshakeError('WS_ERR_HANDSHAKE', 101, `the handshake failed: ${reason}`, { headers, cause });
}

function checkedParams(name: string, params: readonly ExtensionParam[]): readonly ExtensionParam[] {
  for (const param of params) {
    const isWritable = isToken(param.name) && (param.value === undefined || isToken(param.value));
    if (!isWritable) throw new TypeError(`the parameters of ${name} must be tokens: ${JSON.stringify(param)}`);
  }
  return params;
}
