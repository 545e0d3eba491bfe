// What one connection sends, over and over: a few different messages in a fixed order, so that what comes back can be
// foretold byte by byte, and a missing, doubled or swapped message shows.
import { Buffer } from 'node:buffer';
import { maskedFrame, plainFrame } from './frames.js';

const TEXT = 1;
const BINARY = 2;
const MAX_DISTINCT = 16;
const MAX_DISTINCT_BYTES = 2 ** 21;
/** Two, three and four byte characters beside ASCII, as text of the world has them. */
const SAMPLE = 'Grüße, wörld! Καλημέρα, こんにちは, 🌍 and plain words of English in between. ';

function binaryPayload(bytes, index) {
  const payload = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) payload[at] = at * 7 + (at >> 8) + index;
  return payload;
}

/** Text of exactly so many bytes of UTF-8, different for each index. */
function textPayload(bytes, index) {
  const start = String.fromCharCode(97 + (index % 26));
  let text = start;
  while (Buffer.byteLength(text) + Buffer.byteLength(SAMPLE) <= bytes) text += SAMPLE;
  return Buffer.from(text + start.repeat(bytes - Buffer.byteLength(text)));
}

/**
 * `sent` holds the masked frames back to back, long enough that any run of up to `inFlight` frames can be sliced from it
 * wherever the cycle stands.
 */
export function createCycle({ bytes, inFlight, isText = false }) {
  const distinct = Math.max(1, Math.min(MAX_DISTINCT, Math.floor(MAX_DISTINCT_BYTES / bytes)));
  const opcode = isText ? TEXT : BINARY;
  const make = isText ? textPayload : binaryPayload;
  const payloads = Array.from({ length: distinct }, (_, index) => make(bytes, index));
  return createCycleOf(payloads, opcode, inFlight);
}

/** The same from payloads that are given, all of one length. */
export function createCycleOf(payloads, opcode, inFlight) {
  const masked = payloads.map((payload) => maskedFrame(opcode, payload));
  const length = payloads.length + inFlight - 1;
  return {
    opcode,
    payloads,
    frameBytes: masked[0].length,
    sent: Buffer.concat(Array.from({ length }, (_, index) => masked[index % masked.length])),
    /** The cycle once, as bytes that come back untouched. */
    maskedOnce: () => Buffer.concat(masked),
    /** The cycle once, as a server that echoes each message in one frame sends it. */
    plainOnce: () => Buffer.concat(payloads.map((payload) => plainFrame(opcode, payload))),
  };
}
