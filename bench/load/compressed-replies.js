// Compressed replies: the first of each connection and then a sample are inflated and compared. Because the messages
// before are known, so is the window that the server's compressor may refer to: any message can be inflated by itself.
import { Buffer } from 'node:buffer';
import { constants, inflateRawSync } from 'node:zlib';
import { FrameReader } from './parsed-replies.js';

const WINDOW_BYTES = 32_768;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const RSV1 = 0x40;
const FIRST_CHECKED = 3;
const CHECKED_EVERY = 499;

export class CompressedReplies {
  #cycle;
  #reader;
  #count = 0;
  #completed = 0;
  #isCompressed = false;
  /** The pieces of the message that is checked, undefined while one is not. */
  #pieces;
  wireBytes = 0;

  constructor(cycle) {
    this.#cycle = cycle;
    this.#reader = new FrameReader({
      onStart: (firstByte) => {
        this.#isCompressed = (firstByte & RSV1) !== 0;
        if ((firstByte & 0x0f) !== cycle.opcode) throw new Error('a reply of another kind than what was sent');
        const isChecked = this.#count < FIRST_CHECKED || this.#count % CHECKED_EVERY === 0;
        this.#pieces = isChecked ? [] : undefined;
      },
      onPayload: (chunk, from, to) => this.#pieces?.push(Buffer.from(chunk.subarray(from, to))),
      onMessage: (bytes) => {
        this.wireBytes += bytes;
        if (this.#pieces !== undefined) this.#check(Buffer.concat(this.#pieces));
        this.#count++;
        this.#completed++;
      },
    });
  }

  /** Gives the number of messages that this chunk completed. */
  push(chunk) {
    this.#completed = 0;
    this.#reader.push(chunk);
    return this.#completed;
  }

  #check(payload) {
    if (!this.#isCompressed) throw new Error('a reply that is not compressed');
    const dictionary = this.#window();
    const options = { finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary.length > 0 && { dictionary }) };
    const inflated = inflateRawSync(Buffer.concat([payload, TAIL]), options);
    const { payloads, length } = this.#cycle;
    if (inflated.compare(payloads[this.#count % length]) !== 0) throw new Error('what came back is not what was sent');
  }

  /** The last 32 KiB of what came before. */
  #window() {
    const { payloads, length } = this.#cycle;
    const before = [];
    let bytes = 0;
    for (let index = this.#count - 1; index >= 0 && bytes < WINDOW_BYTES; index--) {
      before.unshift(payloads[index % length]);
      bytes += before[0].length;
    }
    return Buffer.concat(before).subarray(-WINDOW_BYTES);
  }
}
