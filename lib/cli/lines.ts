/**
 * Bytes cut into lines while they come. A line ends at `\n` or `\r\n`, which do not belong to it, or at the end; it is
 * UTF-8, and no longer than a bound.
 */
import { isUtf8 } from 'node:buffer';

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** A line that cannot become a text message: it is too long, or no text. The message says so, for people. */
export class LineError extends Error {
  readonly isTooLong: boolean;

  constructor(message: string, isTooLong: boolean) {
    super(message);
    this.isTooLong = isTooLong;
  }
}

export class LineCutter {
  readonly #maxBytes: number;
  /** The beginning of a line of which the end has not come: `#length` bytes of it. */
  #kept: Buffer = Buffer.alloc(0);
  #length = 0;
  #count = 0;

  /** @param maxBytes the longest line, in bytes, without what ends it */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the next bytes, and gives the lines that they finish. @throws LineError */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      yield this.#finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
  }

  /** Gives what stands behind the last line feed, if anything does. @throws LineError */
  *end(): Generator<Uint8Array, void, undefined> {
    if (this.#length > 0) yield this.#finish(new Uint8Array(0));
  }

  /** Copies: a view of a few bytes would hold back the whole chunk, and bytes that come one by one an object each. */
  #keep(part: Uint8Array): void {
    const length = this.#length + part.length;
    // One more byte may be the \r of the line's end.
    if (length > this.#maxBytes + 1) this.#failTooLong();
    if (length > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#kept.length * 2, 64));
      this.#kept.copy(grown, 0, 0, this.#length);
      this.#kept = grown;
    }
    this.#kept.set(part, this.#length);
    this.#length = length;
  }

  #finish(last: Uint8Array): Uint8Array {
    let whole = last;
    if (this.#length > 0) {
      this.#keep(last);
      whole = this.#kept.subarray(0, this.#length);
      this.#kept = Buffer.alloc(0);
      this.#length = 0;
    }
    const line = whole.at(-1) === CARRIAGE_RETURN ? whole.subarray(0, -1) : whole;
    if (line.length > this.#maxBytes) this.#failTooLong();
    this.#count++;
    if (!isUtf8(line)) throw new LineError(`line ${this.#count} is not UTF-8`, false);
    return line;
  }

  #failTooLong(): never {
    throw new LineError(`line ${this.#count + 1} is longer than ${this.#maxBytes} bytes`, true);
  }
}
