// Replies that a peer may cut into frames as it likes: unframed, and compared with what was sent, one in sixteen whole and
// the others at the start of each piece that comes.
import { Buffer } from 'node:buffer';

const CONTINUATION = 0;
const MAX_COMPARED_BYTES = 512;
const WHOLE_EVERY = 16;

/** Takes the frames of a stream apart. `onPayload(chunk, from, to, offset)` sees pieces, `onMessage(bytes)` the end of each. */
export class FrameReader {
  #left = 0;
  #messageBytes = 0;
  #isFinal = true;
  #header = Buffer.alloc(0);
  #onStart;
  #onPayload;
  #onMessage;

  constructor({ onStart, onPayload, onMessage }) {
    this.#onStart = onStart;
    this.#onPayload = onPayload;
    this.#onMessage = onMessage;
  }

  push(chunk) {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        const next = this.#readHeader(chunk, at);
        if (next < 0) return;
        at = next;
      }
      const taken = Math.min(this.#left, chunk.length - at);
      if (taken > 0) this.#onPayload(chunk, at, at + taken, this.#messageBytes);
      this.#messageBytes += taken;
      this.#left -= taken;
      at += taken;
      if (this.#left === 0 && this.#isFinal) {
        this.#onMessage(this.#messageBytes);
        this.#messageBytes = 0;
      }
    }
  }

  /** Gives where the payload begins, or -1 while the header is not complete. */
  #readHeader(chunk, at) {
    const kept = this.#header.length;
    const bytes = kept > 0 ? Buffer.concat([this.#header, chunk.subarray(at, at + 10)]) : chunk.subarray(at, at + 10);
    const code = bytes.length < 2 ? 127 : bytes[1];
    if (code > 127) throw new Error('a server masked a frame');
    const size = code < 126 ? 2 : code === 126 ? 4 : 10;
    if (bytes.length < size) {
      this.#header = Buffer.from(bytes);
      return -1;
    }
    this.#header = Buffer.alloc(0);
    this.#left = size === 2 ? code : size === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if ((bytes[0] & 0x0f) !== CONTINUATION) this.#onStart(bytes[0]);
    else if (this.#isFinal) throw new Error('a continuation of nothing');
    this.#isFinal = (bytes[0] & 0x80) !== 0;
    return at + size - kept;
  }
}

export class ParsedReplies {
  #reader;
  #completed = 0;

  constructor({ payloads, opcode }) {
    let index = 0;
    let count = 0;
    this.#reader = new FrameReader({
      onStart(firstByte) {
        if ((firstByte & 0x7f) !== opcode) throw new Error('a reply of another kind than what was sent');
      },
      onPayload(chunk, from, to, offset) {
        const isWhole = count % WHOLE_EVERY === 0;
        const compared = isWhole ? to - from : Math.min(to - from, MAX_COMPARED_BYTES);
        const expected = payloads[index];
        if (
          offset + compared > expected.length ||
          expected.compare(chunk, from, from + compared, offset, offset + compared) !== 0
        ) {
          throw new Error('what came back is not what was sent');
        }
      },
      onMessage: (bytes) => {
        if (bytes !== payloads[index].length) throw new Error(`a reply of ${bytes} bytes`);
        index = (index + 1) % payloads.length;
        count++;
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
}
