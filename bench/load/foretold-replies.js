// Replies whose every byte is known before: counting them is a division, and checking them a comparison of memory.
import { Buffer } from 'node:buffer';

const MIN_EXPECTED_BYTES = 65_536;
/** Of a chunk at most so much is compared, so that large messages do not make the load generator the bottleneck. */
const MAX_COMPARED_BYTES = 16_384;

export class ForetoldReplies {
  #expected;
  #frameBytes;
  #at = 0;
  #bytesOfFrame = 0;

  /** @param once all frames of the cycle, back to back; the same object serves one connection. */
  constructor(once, frames) {
    this.#expected = repeat(once);
    this.#frameBytes = once.length / frames;
  }

  /** Gives the number of messages that this chunk completed. */
  push(chunk) {
    for (let from = 0; from < chunk.length; ) {
      const length = Math.min(chunk.length - from, this.#expected.length - this.#at);
      const compared = Math.min(length, MAX_COMPARED_BYTES);
      if (this.#expected.compare(chunk, from, from + compared, this.#at, this.#at + compared) !== 0) {
        throw new Error('what came back is not what was sent');
      }
      from += length;
      this.#at = (this.#at + length) % this.#expected.length;
    }
    this.#bytesOfFrame += chunk.length;
    const messages = Math.floor(this.#bytesOfFrame / this.#frameBytes);
    this.#bytesOfFrame -= messages * this.#frameBytes;
    return messages;
  }
}

const repeated = new WeakMap();

/** Small cycles are repeated, once for all connections, so that a chunk needs one comparison and not hundreds. */
function repeat(once) {
  let expected = repeated.get(once);
  if (expected === undefined) {
    expected = Buffer.concat(Array(Math.ceil(MIN_EXPECTED_BYTES / once.length)).fill(once));
    repeated.set(once, expected);
  }
  return expected;
}
