/**
 * The four parameters of permessage-deflate: what a client offers, what a server answers, and what both then hold to.
 *
 * Law: a server declines what it cannot hold to, and a client fails where the answer is not one to its offer. The quoted
 * values of the grammar are unquoted already. Everything is pure.
 *
 * @see RFC 7692 §7.1
 */
import type { ExtensionParam } from '../handshake/field-grammar.ts';

/** What both sides hold to. */
export interface DeflateParameters {
  /** Whether the server begins each message with an empty window. */
  readonly serverNoContextTakeover: boolean;
  /** Whether the client begins each message with an empty window. */
  readonly clientNoContextTakeover: boolean;
  /** The server's window when it compresses: 2 to this power bytes, 8 to 15. */
  readonly serverMaxWindowBits: number;
  /** The client's window when it compresses: 2 to this power bytes, 8 to 15. */
  readonly clientMaxWindowBits: number;
}

/** The smallest and the largest window that may be asked for, as powers of 2. */
export const MIN_WINDOW_BITS = 8;
/** See {@link MIN_WINDOW_BITS}. */
export const MAX_WINDOW_BITS = 15;

const SERVER_NO_CONTEXT_TAKEOVER = 'server_no_context_takeover';
const CLIENT_NO_CONTEXT_TAKEOVER = 'client_no_context_takeover';
const SERVER_MAX_WINDOW_BITS = 'server_max_window_bits';
const CLIENT_MAX_WINDOW_BITS = 'client_max_window_bits';
const NAMES: readonly string[] = [
  SERVER_NO_CONTEXT_TAKEOVER,
  CLIENT_NO_CONTEXT_TAKEOVER,
  SERVER_MAX_WINDOW_BITS,
  CLIENT_MAX_WINDOW_BITS,
];

/** The parameters as they were read, each of them there or not. `'any'` is `client_max_window_bits` without a value. */
interface ReadParams {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number | undefined;
  readonly clientMaxWindowBits: number | 'any' | undefined;
}

/**
 * Writes a client's offer.
 *
 * `client_max_window_bits` is always in it: "By including this parameter in an extension negotiation offer, a client
 * informs the peer server that the client supports the 'client_max_window_bits' extension parameter in an extension
 * negotiation response" (§7.1.2.2), which leaves the server free to save memory.
 *
 * @param wanted 15 bits say the same as no limit
 * @see RFC 7692 §7.1
 */
export function offerDeflate(wanted: DeflateParameters): ExtensionParam[] {
  const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } = wanted;
  const params: ExtensionParam[] = [];
  if (serverNoContextTakeover) params.push({ name: SERVER_NO_CONTEXT_TAKEOVER, value: undefined });
  if (clientNoContextTakeover) params.push({ name: CLIENT_NO_CONTEXT_TAKEOVER, value: undefined });
  if (serverMaxWindowBits < MAX_WINDOW_BITS) params.push(bits(SERVER_MAX_WINDOW_BITS, serverMaxWindowBits));
  const value = clientMaxWindowBits < MAX_WINDOW_BITS ? String(clientMaxWindowBits) : undefined;
  return [...params, { name: CLIENT_MAX_WINDOW_BITS, value }];
}

/** An answer and what it means. */
export interface DeflateAgreement {
  readonly params: readonly ExtensionParam[];
  readonly agreed: DeflateParameters;
}

/**
 * Answers one offer, as a server.
 *
 * @param wanted the server's own limits: what it demands of itself and of the client
 * @returns undefined to decline
 * @see RFC 7692 §7, §7.1
 */
export function acceptDeflate(
  offer: readonly ExtensionParam[],
  wanted: DeflateParameters,
): DeflateAgreement | undefined {
  // §7 "A server MUST decline an extension negotiation offer for this extension if any of the following conditions are
  // met: […] contains an extension parameter not defined for use in an offer […] with an invalid value […] multiple
  // extension parameters with the same name […] The server doesn't support the offered configuration."
  const offered = readParams(offer);
  if (typeof offered === 'string') return undefined;
  // §7.1.2.2 "If a received extension negotiation offer doesn't have the 'client_max_window_bits' extension parameter,
  // the corresponding extension negotiation response to the offer MUST NOT include the 'client_max_window_bits'
  // extension parameter." So a client that is silent cannot be held to a smaller window: that is no configuration of ours.
  const isDeaf = offered.clientMaxWindowBits === undefined;
  if (isDeaf && wanted.clientMaxWindowBits < MAX_WINDOW_BITS) return undefined;
  const agreed = meet(offered, wanted);
  return { agreed, params: answerParams(agreed, offered) };
}

/** Takes the stricter of what both want. */
function meet(offered: ReadParams, wanted: DeflateParameters): DeflateParameters {
  const clientBits = typeof offered.clientMaxWindowBits === 'number' ? offered.clientMaxWindowBits : MAX_WINDOW_BITS;
  return {
    // §7.1.1.1 "A server accepts an extension negotiation offer that includes the 'server_no_context_takeover' extension
    // parameter by including the 'server_no_context_takeover' extension parameter in the corresponding extension
    // negotiation response"; and it may include it without being asked.
    serverNoContextTakeover: wanted.serverNoContextTakeover || offered.serverNoContextTakeover,
    // §7.1.1.2: in an offer it is a hint that the client will not use takeover. To say it back costs nothing, and then
    // both sides know it.
    clientNoContextTakeover: wanted.clientNoContextTakeover || offered.clientNoContextTakeover,
    // §7.1.2.1 "… with the same or smaller value as the offer."
    serverMaxWindowBits: Math.min(wanted.serverMaxWindowBits, offered.serverMaxWindowBits ?? MAX_WINDOW_BITS),
    // §7.1.2.2 "… with a value equal to or smaller than the received value."
    clientMaxWindowBits: Math.min(wanted.clientMaxWindowBits, clientBits),
  };
}

function answerParams(agreed: DeflateParameters, offered: ReadParams): ExtensionParam[] {
  const params: ExtensionParam[] = [];
  if (agreed.serverNoContextTakeover) params.push({ name: SERVER_NO_CONTEXT_TAKEOVER, value: undefined });
  if (agreed.clientNoContextTakeover) params.push({ name: CLIENT_NO_CONTEXT_TAKEOVER, value: undefined });
  const { serverMaxWindowBits, clientMaxWindowBits } = agreed;
  const mustAnswer = offered.serverMaxWindowBits !== undefined || serverMaxWindowBits < MAX_WINDOW_BITS;
  if (mustAnswer) params.push(bits(SERVER_MAX_WINDOW_BITS, serverMaxWindowBits));
  if (clientMaxWindowBits < MAX_WINDOW_BITS) params.push(bits(CLIENT_MAX_WINDOW_BITS, clientMaxWindowBits));
  return params;
}

/**
 * Checks a server's answer, as the client that made the offer.
 *
 * @param wanted what {@link offerDeflate} was given
 * @throws TypeError that says why the answer cannot be taken
 * @see RFC 7692 §7, §7.1
 */
export function confirmDeflate(answer: readonly ExtensionParam[], wanted: DeflateParameters): DeflateParameters {
  // §7 "A client MUST _Fail the WebSocket Connection_ if the peer server accepted an extension negotiation offer for this
  // extension with an extension negotiation response meeting any of the following conditions: […] an extension parameter
  // not defined for use in a response […] an invalid value […] the same name […] The client does not support the
  // configuration that the response represents."
  const read = readParams(answer);
  if (typeof read === 'string') return refuse(read);
  const { serverMaxWindowBits = MAX_WINDOW_BITS, clientMaxWindowBits = wanted.clientMaxWindowBits } = read;
  // §7.1.2.2: the value is optional in an offer and mandatory in a response.
  if (clientMaxWindowBits === 'any') return refuse(`${CLIENT_MAX_WINDOW_BITS} has no value`);
  if (clientMaxWindowBits > wanted.clientMaxWindowBits) refuse(`${CLIENT_MAX_WINDOW_BITS} is larger than offered`);
  // §7.1.2.1: an offer with the parameter is accepted "by including" it, "with the same or smaller value as the offer".
  if (serverMaxWindowBits > wanted.serverMaxWindowBits) refuse(`${SERVER_MAX_WINDOW_BITS} is larger than offered`);
  // §7.1.1.1: an offer with the parameter is accepted "by including" it.
  if (wanted.serverNoContextTakeover && !read.serverNoContextTakeover)
    refuse(`${SERVER_NO_CONTEXT_TAKEOVER} is missing`);
  return {
    serverNoContextTakeover: read.serverNoContextTakeover,
    // §7.1.1.2: what was offered as a hint is kept, whether the server says it back or not.
    clientNoContextTakeover: read.clientNoContextTakeover || wanted.clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits,
  };
}

/** Reads the parameters of an offer or of an answer. @returns why they cannot be, where they cannot */
function readParams(params: readonly ExtensionParam[]): ReadParams | string {
  const values = new Map<string, string | undefined>();
  for (const { name, value } of params) {
    if (!NAMES.includes(name)) return `it has an unknown parameter ${name}`;
    if (values.has(name)) return `${name} is there twice`;
    if (!isValidValue(name, value)) return `the value of ${name} cannot be`;
    values.set(name, value);
  }
  const serverBits = values.get(SERVER_MAX_WINDOW_BITS);
  const clientBits = values.get(CLIENT_MAX_WINDOW_BITS);
  return {
    serverNoContextTakeover: values.has(SERVER_NO_CONTEXT_TAKEOVER),
    clientNoContextTakeover: values.has(CLIENT_NO_CONTEXT_TAKEOVER),
    serverMaxWindowBits: serverBits === undefined ? undefined : Number(serverBits),
    clientMaxWindowBits:
      clientBits === undefined ? (values.has(CLIENT_MAX_WINDOW_BITS) ? 'any' : undefined) : Number(clientBits),
  };
}

function isValidValue(name: string, value: string | undefined): boolean {
  // §7.1.1.1, §7.1.1.2: these have "no value".
  if (name === SERVER_NO_CONTEXT_TAKEOVER || name === CLIENT_NO_CONTEXT_TAKEOVER) return value === undefined;
  if (value === undefined) return name === CLIENT_MAX_WINDOW_BITS;
  // §7.1.2.1, §7.1.2.2: "a decimal integer value without leading zeroes between 8 to 15, inclusive"
  return /^(?:[89]|1[0-5])$/.test(value);
}

function bits(name: string, value: number): ExtensionParam {
  return { name, value: String(value) };
}

function refuse(reason: string): never {
  throw new TypeError(`permessage-deflate: ${reason}`);
}
