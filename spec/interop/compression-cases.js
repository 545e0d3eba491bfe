/**
 * What every client is asked to do with every server that speaks permessage-deflate, whoever wrote either of them.
 *
 * A server of this game takes `&demand=` in the query: the four parameters as JSON, which it sets by itself; what the
 * client offers counts as well. It knows `/agreed`, which tells its answer to the offer in a first message ({@link UNKNOWN}
 * where it cannot see it) and then echoes, `/closed?id=n` as in cases.js, `/counted`, which answers each message with the number
 * of bytes that have come over the wire, `/mixed`, which sends {@link MIXED}, every second one plain, and `/fragments`,
 * which sends {@link FRAGMENTS} as one text and one binary message, with a ping in between.
 */
import { FRAGMENTS, playEach, same } from './cases.js';

/** What a server says that does not know what it agreed to. */
export const UNKNOWN = 'unknown';
const CASE_LIMIT_MS = 25_000;
const TAKEOVERS = [
  {},
  { serverNoContextTakeover: true },
  { clientNoContextTakeover: true },
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
];
/** Each side has each window, beside all sizes of the other. */
const WINDOWS = [
  ...[8, 9, 10, 11, 12, 13, 14, 15].map((bits) => [bits, 23 - bits]),
  ...[8, 9, 10, 11, 12, 13, 14, 15].map((bits) => [bits, bits]),
];

export const MIXED = Array.from({ length: 20 }, (_, index) => `${index}: ${'grün und gelb, '.repeat(index * 10)}`);

const parametersOf = (server, client) => ({ serverMaxWindowBits: server, clientMaxWindowBits: client });
const forWindows = (verb, run) =>
  WINDOWS.map(([server, client]) => [`${verb} ${server}/${client}`, (open) => run(open, parametersOf(server, client))]);

/** @type {Record<string, (open: Function, id: string) => Promise<void>>} */
const CASES = {
  'agreed by default': (open) => talksWith(open, {}, {}),
  ...Object.fromEntries(forWindows('client asks', (open, bits) => eachTakeover(bits, (p) => talksWith(open, p, {})))),
  ...Object.fromEntries(forWindows('server asks', (open, bits) => eachTakeover(bits, (p) => talksWith(open, {}, p)))),
  'what is sent is smaller': sentSmaller,
  'mixture sent': mixtureSent,
  'mixture received': mixtureReceived,
  'fragments received': fragmentsReceived,
  'fragments sent, ping between': fragmentsSent,
  'closed between fragments': closedBetweenFragments,
  'closed with a reason': closedWithReason,
  '16 MB of text': (open) => echoes(open, `${'größe und '.repeat(1_398_100)}äöü`),
  '16 MB of noise': (open) => echoes(open, noise(16_777_216, 3)),
};

export const COMPRESSION_CASE_NAMES = Object.keys(CASES);

/**
 * Runs the cases with one kind of client.
 *
 * @param names which cases
 * @param open opens a client: `(url, protocols, offer?) => Promise<client>` as in cases.js, and a client may have
 *   `sendPlain`; `offer` has the four parameters, absent for what the client offers by itself
 * @param base the server: `ws://host:port`
 * @param report takes `{ case, ok, detail }` for each
 */
export function runCompressionCases(names, open, base, report) {
  const openOne = (path, { demand = {}, offer } = {}) => {
    const query = `${path.includes('?') ? '&' : '?'}demand=${encodeURIComponent(JSON.stringify(demand))}`;
    return open(base + path + query, undefined, offer);
  };
  return playEach(CASES, names, CASE_LIMIT_MS, openOne, report);
}

async function eachTakeover(bits, run) {
  for (const takeover of TAKEOVERS) {
    const parameters = { ...bits, ...takeover };
    try {
      await run(parameters);
    } catch (error) {
      throw new Error(`${JSON.stringify(parameters)}: ${error?.message ?? error}`, { cause: error });
    }
  }
}

/** A conversation in which each message has much in common with one before, near and far. */
async function talksWith(open, offer, demand) {
  const client = await open('/agreed', { demand, offer: Object.keys(offer).length > 0 ? offer : undefined });
  const answer = await client.receive();
  if (answer !== UNKNOWN) assertAgreed(answer, { ...offer, ...demand });
  for (const message of conversation()) {
    const [echo] = await Promise.all([client.receive(), client.send(message)]);
    same(echo, message);
  }
  await client.ping?.('between');
  await client.send('after the ping');
  same(await client.receive(), 'after the ping');
  await client.close(1000, '');
}

/** 15 bits may be said or not, and what nobody asked for may be there. */
function assertAgreed(answer, wanted) {
  const [name, ...params] = answer.split(';').map((part) => part.trim());
  same(name, 'permessage-deflate');
  const agreed = new Map(params.map((param) => param.split('=')));
  for (const side of ['server', 'client']) {
    if (wanted[`${side}NoContextTakeover`]) same(agreed.has(`${side}_no_context_takeover`), true);
    const bits = wanted[`${side}MaxWindowBits`];
    if (bits !== undefined) same(Number(agreed.get(`${side}_max_window_bits`) ?? 15), bits);
  }
}

let messages;

function conversation() {
  if (messages !== undefined) return messages;
  const json = JSON.stringify(
    Array.from({ length: 40 }, (_, id) => ({ id, name: `jemand ${id % 7}`, ok: id % 3 === 0 })),
  );
  messages = [
    '',
    'hello',
    json,
    json,
    new Uint8Array(0),
    `${'世界, مرحبا, 🌍 '.repeat(300)}${json}`,
    noise(700, 1),
    noise(40_000, 2),
    noise(40_000, 2),
    noise(700, 1),
    '',
    json,
    new Uint8Array(70_000),
    'hello',
  ];
  return messages;
}

async function echoes(open, message) {
  const client = await open('/agreed');
  await client.receive();
  const [echo] = await Promise.all([client.receive(), client.send(message)]);
  same(echo, message);
  await client.close(1000, '');
}

async function sentSmaller(open) {
  const client = await open('/counted');
  const before = Number(await replyTo(client, 'x'));
  const after = Number(await replyTo(client, 'again and '.repeat(10_000)));
  if (!(after - before < 5_000)) throw new Error(`100,000 bytes took ${after - before}`);
}

async function replyTo(client, message) {
  const [reply] = await Promise.all([client.receive(), client.send(message)]);
  return reply;
}

async function mixtureSent(open) {
  const client = await open('/agreed');
  await client.receive();
  for (const [index, message] of MIXED.entries()) {
    const send = index % 2 === 0 ? client.send : client.sendPlain;
    const [echo] = await Promise.all([client.receive(), send(message)]);
    same(echo, message);
  }
}

async function mixtureReceived(open) {
  const client = await open('/mixed');
  for (const message of MIXED) same(await client.receive(), message);
}

async function fragmentsReceived(open) {
  const client = await open('/fragments');
  same(await client.receive(), FRAGMENTS.join(''));
  same(await client.receive(), new TextEncoder().encode(FRAGMENTS.join('')));
}

async function fragmentsSent(open) {
  const client = await open('/agreed');
  await client.receive();
  for (let turn = 0; turn < 2; turn++) {
    await client.sendFragments(FRAGMENTS);
    same(await client.receive(), FRAGMENTS.join(''));
    const parts = [noise(5_000, 4), new Uint8Array(0), noise(5_000, 4), new Uint8Array(70_000)];
    await client.sendFragments(parts);
    same(await client.receive(), new Uint8Array(parts.flatMap((part) => [...part])));
  }
}

async function closedBetweenFragments(open, id) {
  const client = await open(`/agreed?id=${id}`);
  await client.receive();
  await client.sendUnfinished('the end is miss');
  await client.close(4001, 'enough');
  const observer = await open(`/closed?id=${id}`);
  same(JSON.parse(await observer.receive()), { code: 4001, reason: 'enough' });
}

async function closedWithReason(open, id) {
  const client = await open(`/agreed?id=${id}`);
  await client.receive();
  for (let n = 0; n < 100; n++) await client.send(`${n} and ${'again '.repeat(n)}`);
  for (let n = 0; n < 100; n++) same(await client.receive(), `${n} and ${'again '.repeat(n)}`);
  await client.close(4000, 'tschüß');
  const observer = await open(`/closed?id=${id}`);
  same(JSON.parse(await observer.receive()), { code: 4000, reason: 'tschüß' });
}

/** Bytes that cannot be compressed: the same for the same seed. */
function noise(length, seed) {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
