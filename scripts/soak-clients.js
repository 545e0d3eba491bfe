// The connecting side of soak.js: each place runs session after session, and counts what it is owed.
import { connect as connectTcp } from 'node:net';
import { connect } from '../dist/index.js';

const { port, connections, seed, patient, rampMs } = JSON.parse(process.argv[2]);
const counts = { opened: 0, sessions: 0, messages: 0, lost: 0, unconnected: 0 };
const running = new Map();
const errors = [];
let isEnding = false;

let state = seed >>> 0;
function random(end) {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * end);
}

/** The more connections there are, the longer each pauses: what is tried is their number, not the machine's speed. */
const patience = Math.max(1, connections / 60);
const sleepers = new Set();
/** Pauses; the end of the run wakes all who do. */
function sleep(ms) {
  if (isEnding) return undefined;
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      sleepers.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, ms * patience);
    sleepers.add(wake);
  });
}
/** A slice of one of these is a message: what comes back is compared byte by byte. One of them can be compressed. */
const NOISE = Buffer.from(Array.from({ length: 4 * 1024 * 1024 }, () => random(256)));
const PROSE = Buffer.from(Array.from({ length: 200_000 }, () => `{"id":${random(1000)},"is":"a word"},`).join(''));
function message() {
  const size = random(10) === 0 ? random(100_000) : random(1200);
  const pattern = random(2) === 0 ? NOISE : PROSE;
  const at = random(pattern.length - size);
  return pattern.subarray(at, at + size);
}

function lose(why) {
  counts.lost++;
  if (errors.length >= 20) return;
  errors.push(`lost: ${why}`);
  // Not only in the end: it may be long until then.
  console.error(errors.at(-1));
}

/** Loopback addresses in turn: each has ports of its own. */
let next = 0;
const host = () => `127.0.0.${1 + (next++ % 100)}`;

/** What is told of a connection that has waited for too long in the system's queue: nothing of ours has seen it. */
const CROWDED = new Set(['ECONNRESET', 'ETIMEDOUT', 'WS_ERR_HANDSHAKE_TIMEOUT']);
class Unconnected extends Error {}

async function open(path, options) {
  // Half of them compress, and every fourth of those forgets each message.
  const perMessageDeflate = random(2) === 0 && { clientNoContextTakeover: random(4) === 0 };
  try {
    return await connect(`ws://${host()}:${port}${path}`, { ...patient, perMessageDeflate, ...options });
  } catch (error) {
    throw CROWDED.has(error.code) ? new Unconnected() : error;
  } finally {
    counts.opened++;
  }
}

async function closeWell(conn) {
  const info = await conn.close();
  if (!info.wasClean) lose(`a close that is not clean: ${info.error}`);
}

/** Sends a message, and waits for its echo; now and then. */
async function talk() {
  const conn = await open('/frames');
  for (let times = 1 + random(8); times > 0; times--) {
    const sent = message();
    await conn.sendBinary(sent);
    const frame = await conn.recvFrame();
    counts.messages++;
    if (frame === null || !sent.equals(frame.payload)) lose(`an echo of ${sent.length} bytes: ${frame?.payloadLength}`);
    await sleep(random(1500));
  }
  await closeWell(conn);
}

/** Sends many, reads none of them for a while, then all. */
async function stall() {
  const conn = await open('/frames', { maxBufferedBytes: 16_384 });
  const sent = Array.from({ length: 5 + random(40) }, message);
  const sending = Promise.all(sent.map((each) => conn.sendBinary(each)));
  await sleep(random(1000));
  for (const each of sent) {
    const frame = await conn.recvFrame();
    counts.messages++;
    if (frame === null || !each.equals(frame.payload)) lose(`a message that waited: ${frame?.payloadLength}`);
  }
  await sending;
  await closeWell(conn);
}

/** Streams a message there and back. */
async function stream() {
  const conn = await open('/streams');
  const size = random(600_000);
  const sent = (random(2) === 0 ? NOISE : PROSE).subarray(0, size);
  const outgoing = conn.createMessage('binary');
  for (let at = 0; at < size; at += 50_000) {
    const part = sent.subarray(at, Math.min(size, at + 50_000));
    if (!outgoing.write(part)) await new Promise((resolve) => outgoing.once('drain', resolve).once('close', resolve));
    if (random(4) === 0) await sleep(random(200));
  }
  outgoing.end();
  let isWhole = false;
  for await (const incoming of conn.messages()) {
    isWhole = sent.equals(await incoming.bytes());
    break;
  }
  counts.messages++;
  if (!isWhole) lose(`a streamed message of ${size} bytes`);
  await closeWell(conn);
}

/** Listens to what is sent to all: none may be missing. */
async function listen() {
  const conn = await open('/listen');
  let last;
  for (let times = 2 + random(4); times > 0; times--) {
    const frame = await conn.recvFrame();
    counts.messages++;
    const { number } = frame === null ? {} : JSON.parse(frame.payloadText());
    if (number === undefined || (last !== undefined && number !== last + 1))
      lose(`a broadcast: ${number} after ${last}`);
    last = number;
  }
  const closing = closeWell(conn);
  for await (const frame of conn) counts.messages += frame.isText() ? 1 : 0;
  await closing;
}

/** Dies in the middle of things. */
async function die() {
  const conn = await open(['/frames', '/streams', '/pour', '/listen'][random(4)]);
  for (let times = random(5); times > 0; times--) void conn.sendBinary(message());
  if (random(2) === 0) conn.createMessage('binary').write(message());
  await sleep(random(800));
  conn.forceClose();
  await conn.closeInfo;
}

/** Never finishes the handshake, or sends nonsense behind it. */
async function mumble() {
  counts.opened++;
  const socket = connectTcp({ port, host: host() });
  socket.on('error', () => {});
  const head =
    'GET /frames HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  if (random(2) === 0) socket.write(head.slice(0, random(head.length)));
  else socket.write(head + 'nonsense'.repeat(1 + random(9)));
  await sleep(random(1000));
  if (random(2) === 0) socket.resetAndDestroy();
  else socket.destroy();
}

const SESSIONS = [talk, talk, talk, talk, talk, talk, stall, stream, listen, die, mumble];
/** ms after the end of the run in which all sessions must have come to theirs: who has not, never will. */
const HUNG_MS = 600_000;

async function session() {
  const kind = SESSIONS[random(SESSIONS.length)];
  const ticket = {};
  running.set(ticket, kind.name);
  try {
    await kind();
    counts.sessions++;
  } catch (error) {
    if (error instanceof Unconnected) counts.unconnected++;
    else lose(`${kind.name}: ${error.stack}`);
  } finally {
    running.delete(ticket);
  }
}

const places = Array.from({ length: connections }, async () => {
  await sleep(random(rampMs) / patience);
  while (!isEnding) await session();
});

function report() {
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { ...counts, errors: errors.slice(0, 30), rss, live: heapUsed + external };
}

async function finish() {
  isEnding = true;
  for (const wake of sleepers) wake();
  const tooLong = new Promise((resolve) => setTimeout(resolve, HUNG_MS));
  await Promise.race([Promise.all(places), tooLong]);
  for (const name of running.values()) errors.push(`hung: ${name}`);
  return { ...report(), hung: running.size };
}

const answers = { opened: () => counts.opened, state: report, finish };
process.on('message', async (name) => process.send({ name, value: await answers[name]() }));
