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
export function textPayload(bytes, index = 0) {
  const start = String.fromCharCode(97 + (index % 26));
  let text = start;
  while (Buffer.byteLength(text) + Buffer.byteLength(SAMPLE) <= bytes) text += SAMPLE;
  return Buffer.from(text + start.repeat(bytes - Buffer.byteLength(text)));
}

/** The messages of a job. */
export function createCycle({ bytes, inFlight, isText = false }) {
  const distinct = Math.max(1, Math.min(MAX_DISTINCT, Math.floor(MAX_DISTINCT_BYTES / bytes)));
  const make = isText ? textPayload : binaryPayload;
  const payloads = Array.from({ length: distinct }, (_, index) => make(bytes, index));
  return new Cycle({ payloads, opcode: isText ? TEXT : BINARY, inFlight });
}

export class Cycle {
  payloads;
  opcode;
  #frames;
  #sent;
  /** Where each frame begins in what is sent. */
  #starts = [0];

  /** @param wirePayloads what is sent for each payload, where that is something else (compressed) */
  constructor({ payloads, opcode, inFlight, wirePayloads = payloads, isCompressed = false }) {
    this.payloads = payloads;
    this.opcode = opcode;
    this.#frames = wirePayloads.map((payload) => maskedFrame(opcode, payload, { isCompressed }));
    // So long that any run of up to `inFlight` frames can be sliced from it wherever the cycle stands.
    const run = Array.from({ length: payloads.length + inFlight - 1 }, (_, i) => this.#frames[i % payloads.length]);
    for (const frame of run) this.#starts.push(this.#starts.at(-1) + frame.length);
    this.#sent = Buffer.concat(run);
  }

  get length() {
    return this.payloads.length;
  }

  /** The bytes of `count` messages, from the one with this index on. */
  slice(index, count) {
    return this.#sent.subarray(this.#starts[index], this.#starts[index + count]);
  }

  /** The cycle once, as bytes that come back untouched. */
  maskedOnce() {
    return Buffer.concat(this.#frames);
  }

  /** The cycle once, as a server that echoes each message in one frame sends it. */
  plainOnce() {
    return Buffer.concat(this.payloads.map((payload) => plainFrame(this.opcode, payload)));
  }
}
