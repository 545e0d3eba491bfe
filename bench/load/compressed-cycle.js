// Compressed messages, made before. Each is compressed by itself, which may be sent whatever was negotiated; what differs
// is what the server does.
import { Buffer } from 'node:buffer';
import { constants, deflateRawSync } from 'node:zlib';
import { DEFLATE_LEVEL } from '../servers/contract.js';
import { Cycle } from './cycle.js';

const TEXT = 1;
/** More than a window holds, so that no message refers to itself of the last turn. */
const CYCLE_BYTES = 3 * 32_768;
const MIN_DISTINCT = 4;
/** What RFC 7692 §7.2.1 takes off the end of a message. */
const TAIL_BYTES = 4;

export const OFFERS = {
  takeover: 'permessage-deflate',
  'no-takeover': 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
};

const WORDS = 'alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november'.split(' ');

/** A linear congruential generator: every run compresses the same messages. */
function createRandom(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state % limit;
  };
}

function entry(random) {
  const word = () => WORDS[random(WORDS.length)];
  return {
    id: random(1_000_000),
    user: `${word()}.${word()}`,
    at: 1_700_000_000 + random(9_999_999),
    tags: [word(), word()],
  };
}

/** JSON as applications send it, of exactly so many bytes. */
export function jsonPayload(bytes, seed) {
  const random = createRandom(seed + 1);
  const items = [];
  const build = (padding) => JSON.stringify({ type: 'update', items, padding: 'x'.repeat(padding) });
  while (build(0).length + 120 < bytes) items.push(entry(random));
  return Buffer.from(build(bytes - build(0).length));
}

function compress(payload) {
  const whole = deflateRawSync(payload, { level: DEFLATE_LEVEL, finishFlush: constants.Z_SYNC_FLUSH });
  return whole.subarray(0, whole.length - TAIL_BYTES);
}

export function createCompressedCycle({ bytes, inFlight }) {
  const length = Math.max(MIN_DISTINCT, Math.ceil(CYCLE_BYTES / bytes));
  const payloads = Array.from({ length }, (_, index) => jsonPayload(bytes, index));
  return new Cycle({ payloads, opcode: TEXT, inFlight, wirePayloads: payloads.map(compress), isCompressed: true });
}
