/**
 * What every client is asked to do with every server, whoever wrote either of them.
 *
 * A server of the game knows these paths: `/echo?id=n` echoes, `/closed?id=n` tells as JSON how connection n ended,
 * `/close?code=&reason=` closes at once, `/pinged` pings and says "pong came" when it did, `/fragments` sends
 * {@link FRAGMENTS} as one text and one binary message, `/refused` answers 403 and `/nowhere` 404. It prefers
 * `chat.v2` to `chat.v1`.
 *
 * This file runs on Node, Bun and Deno, so it uses the language and nothing else.
 */

export const FRAGMENTS = ['frag', 'mènt', '', 'ed 🌍'];
const CASE_LIMIT_MS = 15_000;

/** @type {Record<string, (open: Function, id: string) => Promise<void>>} */
const CASES = {
  text: (open) => echoes(open, ['hello', 'Grüße, 世界, مرحبا, 🌍']),
  binary: (open) => echoes(open, [bytes(256), bytes(1)]),
  empty: (open) => echoes(open, ['', bytes(0), '']),
  '125 B': (open) => echoes(open, [bytes(125), 'x'.repeat(125)]),
  '126 B': (open) => echoes(open, [bytes(126), 'x'.repeat(126)]),
  '65,535 B': (open) => echoes(open, [bytes(65_535), 'x'.repeat(65_535)]),
  '65,536 B': (open) => echoes(open, [bytes(65_536), 'x'.repeat(65_536)]),
  '5 MB': (open) => echoes(open, [bytes(5_000_000), 'größe'.repeat(700_000)]),
  'burst of 1,000': burst,
  'fragments sent': fragmentsSent,
  'fragments received': fragmentsReceived,
  'ping sent': pingSent,
  'ping received': pingReceived,
  'close 1000 sent': (open, id) => closeSent(open, id, 1000, ''),
  'close 4000 sent': (open, id) => closeSent(open, id, 4000, 'tschüß'),
  'close without code sent': (open, id) => closeSent(open, id, undefined, ''),
  'close 1001 received': (open) => closeReceived(open, 1001, 'going'),
  'close 4321 received': (open) => closeReceived(open, 4321, 'schöner Grund'),
  subprotocol: (open) => negotiates(open, ['x', 'chat.v2'], 'chat.v2'),
  'no subprotocol': (open) => negotiates(open, undefined, ''),
  'refused 403': (open) => refuses(open, '/refused', 403),
  'refused 404': (open) => refuses(open, '/nowhere', 404),
};

/** The names of all cases, in order. */
export const CASE_NAMES = Object.keys(CASES);

/**
 * Runs the cases with one kind of client.
 *
 * @param names which cases; a client that cannot ping is not asked to
 * @param open opens a client: `(url, protocols?) => Promise<{ protocol, send, receive, close, closed, drop,
 *   sendFragments?, ping? }>`; a refusal rejects, with `status` where the client can see it
 * @param base the server: `ws://host:port`
 * @param report takes `{ case, ok, detail }` for each
 */
export function runCases(names, open, base, report) {
  return playEach(CASES, names, CASE_LIMIT_MS, (path, protocols) => open(base + path, protocols), report);
}

/** Plays cases one after another, with what `open` gives; `report` takes `{ case, ok, detail }` for each. */
export async function playEach(cases, names, limitMs, open, report) {
  for (const [index, name] of names.entries()) {
    const opened = [];
    const openOne = async (...args) => {
      const client = await open(...args);
      opened.push(client);
      return client;
    };
    let detail = '';
    try {
      await within(limitMs, cases[name](openOne, `${Date.now()}-${index}`));
    } catch (error) {
      detail = String(error?.stack ?? error);
    }
    for (const client of opened) client.drop();
    report({ case: name, ok: detail === '', detail });
  }
}

async function echoes(open, messages) {
  const client = await open('/echo');
  for (const message of messages) {
    const [answer] = await Promise.all([client.receive(), client.send(message)]);
    same(answer, message);
  }
  await client.close(1000, '');
}

async function burst(open) {
  const client = await open('/echo');
  const send = async () => {
    for (let n = 0; n < 1000; n++) await client.send(`message ${n}`);
  };
  const receive = async () => {
    for (let n = 0; n < 1000; n++) same(await client.receive(), `message ${n}`);
  };
  await Promise.all([send(), receive()]);
}

async function fragmentsSent(open) {
  const client = await open('/echo');
  await client.sendFragments(FRAGMENTS);
  same(await client.receive(), FRAGMENTS.join(''));
  await client.sendFragments([bytes(1), bytes(70_000), bytes(0)]);
  same(await client.receive(), new Uint8Array([...bytes(1), ...bytes(70_000)]));
}

async function fragmentsReceived(open) {
  const client = await open('/fragments');
  same(await client.receive(), FRAGMENTS.join(''));
  same(await client.receive(), new TextEncoder().encode(FRAGMENTS.join('')));
}

async function pingSent(open) {
  const client = await open('/echo');
  await client.ping('are you there?');
  await client.ping('x'.repeat(125));
}

async function pingReceived(open) {
  const client = await open('/pinged');
  same(await client.receive(), 'pong came');
}

async function closeSent(open, id, code, reason) {
  const client = await open(`/echo?id=${id}`);
  await client.close(code, reason);
  const observer = await open(`/closed?id=${id}`);
  same(JSON.parse(await observer.receive()), { code: code ?? 1005, reason });
}

async function closeReceived(open, code, reason) {
  const client = await open(`/close?code=${code}&reason=${encodeURIComponent(reason)}`);
  same(await client.receive(), null);
  const closed = await client.closed;
  same({ code: closed.code, reason: closed.reason }, { code, reason });
}

async function negotiates(open, offered, expected) {
  const client = await open('/echo', offered);
  same(client.protocol, expected);
  const [answer] = await Promise.all([client.receive(), client.send('hello')]);
  same(answer, 'hello');
}

async function refuses(open, path, status) {
  try {
    await open(path);
  } catch (error) {
    if (error?.status !== undefined) same(error.status, status);
    return;
  }
  throw new Error(`${path} was not refused`);
}

/** Bytes with a pattern whose period is no power of two, so that a shifted copy differs. */
function bytes(length) {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + 7) % 251);
}

/** @throws Error where two messages differ, whole */
export function same(actual, expected) {
  if (actual instanceof Uint8Array && expected instanceof Uint8Array && areEqual(actual, expected)) return;
  if (actual === expected) return;
  const [a, b] = [plain(actual), plain(expected)];
  if (a !== b) throw new Error(`expected ${shown(b)}, got ${shown(a)}`);
}

function areEqual(a, b) {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function plain(value) {
  return value instanceof Uint8Array ? `bytes ${Array.from(value).join()}` : JSON.stringify(value);
}

const shown = (text) => (text.length <= 120 ? text : `${text.slice(0, 120)}… (${text.length})`);

async function within(ms, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
