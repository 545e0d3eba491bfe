/**
 * UTF-8, judged as it arrives: at the first byte that can no longer belong to a valid text, however the bytes are cut.
 *
 * The state is what the next byte may be: how many continuation bytes are due, and the range of the first of them.
 * The range is narrower than 80–BF behind E0 (overlong), ED (surrogates), F0 (overlong) and F4 (beyond U+10FFFF).
 *
 * @see RFC 3629 §4; RFC 6455 §8.1
 */

/** Judges a whole text at once; `isUtf8` of node:buffer is one. */
export type IsUtf8 = (bytes: Uint8Array) => boolean;

/** Below this a loop is quicker than a native call (measured on Node 20: 32 for ASCII, 16 for other texts). */
const MIN_NATIVE_RUN = 32;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Decodes UTF-8; what is not valid becomes U+FFFD. A byte order mark is kept: it is part of the message. */
export function decodeUtf8(bytes: Uint8Array): string {
  return bytes.length === 0 ? '' : decoder.decode(bytes);
}

/** Encodes as UTF-8; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Checks one text, handed over in pieces of any size. */
export class Utf8Validator {
  readonly #isUtf8: IsUtf8 | undefined;
  /** Continuation bytes that are still due. */
  #due = 0;
  /** The range of the next continuation byte. */
  #low = 0x80;
  #high = 0xbf;

  /** @param isUtf8 a faster judge of long runs, where the platform has one */
  constructor(isUtf8?: IsUtf8 | undefined) {
    this.#isUtf8 = isUtf8;
  }

  /** Whether the text may end here. */
  get isComplete(): boolean {
    return this.#due === 0;
  }

  /** Makes ready for a new text. */
  reset(): void {
    this.#due = 0;
    this.#low = 0x80;
    this.#high = 0xbf;
  }

  /**
   * Takes the next piece.
   *
   * @returns the index in `bytes` of the first byte that is wrong, `-1` when all may stand
   */
  push(bytes: Uint8Array): number {
    const { length } = bytes;
    let at = 0;
    if (this.#isUtf8 !== undefined && length >= MIN_NATIVE_RUN) {
      while (at < length && this.#due > 0) if (!this.#take(bytes[at++]!)) return at - 1;
      const whole = endOfWholeCharacters(bytes, at);
      // Where the native judge says no, the loop below finds out which byte it is.
      if (this.#isUtf8(at === 0 && whole === length ? bytes : bytes.subarray(at, whole))) at = whole;
    }
    while (at < length) {
      if (this.#due === 0 && bytes[at]! < 0x80) at = endOfAscii(bytes, at);
      else if (!this.#take(bytes[at++]!)) return at - 1;
    }
    return -1;
  }

  #take(byte: number): boolean {
    if (this.#due === 0) return this.#lead(byte);
    if (byte < this.#low || byte > this.#high) return false;
    this.#due--;
    this.#low = 0x80;
    this.#high = 0xbf;
    return true;
  }

  #lead(byte: number): boolean {
    if (byte < 0xc2 || byte > 0xf4) return false;
    if (byte < 0xe0) {
      this.#due = 1;
    } else if (byte < 0xf0) {
      this.#due = 2;
      if (byte === 0xe0) this.#low = 0xa0;
      else if (byte === 0xed) this.#high = 0x9f;
    } else {
      this.#due = 3;
      if (byte === 0xf0) this.#low = 0x90;
      else if (byte === 0xf4) this.#high = 0x8f;
    }
    return true;
  }
}

/** Where the run of ASCII ends that begins at `from`. */
function endOfAscii(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at]! < 0x80) at++;
  return at;
}

/** Where a character begins that the bytes do not finish; their length where there is none. */
function endOfWholeCharacters(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && length - back >= from; back++) {
    const byte = bytes[length - back]!;
    if (byte < 0x80) return length;
    if (byte >= 0xc0) {
      const size = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return size > back ? length - back : length;
    }
  }
  return length;
}
