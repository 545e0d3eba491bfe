/**
 * DEFLATE as RFC 1951 draws it, bit by bit, with neither zlib nor a line of `lib/`: what compressed bytes mean as far as
 * they go, and where they stop.
 */

export interface Inflated {
  readonly text: Buffer;
  /**
   * Where the bytes stop: `start`, nothing has come behind the end of a stream; `between` two blocks; `inside` one, or
   * its header; `frayed`, with a bit or two of another; `corrupt` where they are no DEFLATE.
   */
  readonly state: 'start' | 'between' | 'inside' | 'frayed' | 'corrupt';
  /** Whether a stream has ended in them. */
  readonly hasFinalBlock: boolean;
}

class OutOfBits extends Error {}
class Corrupt extends Error {}

class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** @returns a number of so many bits, the first one lowest (§3.1.1) */
  take(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit++) {
      const byte = this.#bytes[this.#at >> 3];
      if (byte === undefined) throw new OutOfBits();
      value |= ((byte >> (this.#at++ & 7)) & 1) << bit;
    }
    return value;
  }

  align(): void {
    this.#at = (this.#at + 7) & ~7;
  }

  /** How many are left. */
  get left(): number {
    return this.#bytes.length * 8 - this.#at;
  }
}

interface Huffman {
  readonly counts: number[];
  /** Whether there is one code of one bit, or none: then the other bit is none. */
  readonly isIncomplete: boolean;
  readonly symbols: number[];
}

/** §3.2.2. @throws Corrupt for lengths that are no code: too many, or (but for one code alone) too few */
function huffman(lengths: readonly number[], mayBeIncomplete: boolean): Huffman {
  const counts = Array.from({ length: 16 }, (_, bits) =>
    bits === 0 ? 0 : lengths.filter((each) => each === bits).length,
  );
  let left = 1;
  for (let bits = 1; bits < 16; bits++) {
    left = left * 2 - counts[bits]!;
    if (left < 0) throw new Corrupt('over-subscribed');
  }
  const used = lengths.filter((each) => each > 0);
  if (left > 0 && !(mayBeIncomplete && used.every((each) => each === 1))) throw new Corrupt('incomplete');
  const symbols = lengths.map((length, symbol) => ({ length, symbol })).filter(({ length }) => length > 0);
  // A stable sort: symbols of one length stay in their order.
  return {
    counts,
    isIncomplete: left > 0,
    symbols: symbols.sort((a, b) => a.length - b.length).map(({ symbol }) => symbol),
  };
}

function decode(bits: BitReader, { counts, symbols, isIncomplete }: Huffman): number {
  let [code, first, index] = [0, 0, 0];
  for (let length = 1; length < 16; length++) {
    code |= bits.take(1);
    const count = counts[length]!;
    if (code - first < count) return symbols[index + code - first]!;
    if (isIncomplete) break;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw new Corrupt('no such code');
}

// §3.2.5
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5];
const LENGTHS = [
  ...LENGTH_BITS.map((_, at) => 3 + LENGTH_BITS.slice(0, at).reduce((sum, bits) => sum + 2 ** bits, 0)),
  258,
];
const DISTANCE_BITS = Array.from({ length: 30 }, (_, at) => Math.max(0, (at >> 1) - 1));
const DISTANCES = DISTANCE_BITS.map(
  (_, at) => 1 + DISTANCE_BITS.slice(0, at).reduce((sum, bits) => sum + 2 ** bits, 0),
);
// §3.2.6
const FIXED_LITERALS = huffman(
  Array.from({ length: 288 }, (_, at) => (at < 144 ? 8 : at < 256 ? 9 : at < 280 ? 7 : 8)),
  false,
);
const FIXED_DISTANCES = huffman(
  Array.from({ length: 32 }, () => 5),
  false,
);
// §3.2.7
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

function takeCodes(bits: BitReader): [literals: Huffman, distances: Huffman] {
  const [literalCount, distanceCount, count] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  if (literalCount > 286 || distanceCount > 30) throw new Corrupt('too many codes');
  const ofLengths = Array.from({ length: 19 }, () => 0);
  for (const symbol of ORDER.slice(0, count)) ofLengths[symbol] = bits.take(3);
  // Where there is no code at all, zlib takes each bit for a length of 0, and then misses the end of the block.
  if (ofLengths.every((length) => length === 0)) {
    bits.take(literalCount);
    bits.take(distanceCount);
    throw new Corrupt('a block without an end');
  }
  const code = huffman(ofLengths, false);
  const lengths: number[] = [];
  while (lengths.length < literalCount + distanceCount) {
    const symbol = decode(bits, code);
    if (symbol < 16) lengths.push(symbol);
    else {
      if (symbol === 16 && lengths.length === 0) throw new Corrupt('nothing to repeat');
      const repeated = symbol === 16 ? lengths.at(-1)! : 0;
      const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
      for (let time = 0; time < times; time++) lengths.push(repeated);
    }
  }
  if (lengths.length > literalCount + distanceCount) throw new Corrupt('too many lengths');
  if (lengths[256] === 0) throw new Corrupt('a block without an end');
  return [huffman(lengths.slice(0, literalCount), true), huffman(lengths.slice(literalCount), true)];
}

/**
 * Inflates what has come of a message.
 *
 * @param known the text before it, to which it may refer
 * @param windowBytes how far it may refer
 */
export function inflateNaively(bytes: Uint8Array, known: Uint8Array, windowBytes: number): Inflated {
  const bits = new BitReader(bytes);
  const text: number[] = [...known];
  let hasFinalBlock = false;
  const end = (state: Inflated['state']): Inflated => ({
    text: Buffer.from(text.slice(known.length)),
    state,
    hasFinalBlock,
  });

  const copy = (length: number, distance: number): void => {
    if (distance > Math.min(text.length, windowBytes)) throw new Corrupt('too far back');
    for (let time = 0; time < length; time++) text.push(text[text.length - distance]!);
  };
  const takeStored = (): void => {
    bits.align();
    const length = bits.take(16);
    if ((bits.take(16) ^ length) !== 0xffff) throw new Corrupt('a length that is none');
    for (let at = 0; at < length; at++) text.push(bits.take(8));
  };
  const takeCoded = (literals: Huffman, distances: Huffman): void => {
    for (;;) {
      const symbol = decode(bits, literals);
      if (symbol === 256) return;
      if (symbol < 256) text.push(symbol);
      else {
        if (symbol > 285) throw new Corrupt('no such length');
        const length = LENGTHS[symbol - 257]! + bits.take(LENGTH_BITS[symbol - 257] ?? 0);
        const distance = decode(bits, distances);
        if (distance > 29) throw new Corrupt('no such distance');
        copy(length, DISTANCES[distance]! + bits.take(DISTANCE_BITS[distance]!));
      }
    }
  };

  let state: Inflated['state'] = 'start';
  try {
    while (bits.left > 0) {
      if (state === 'between' && bits.left < 3) return end('frayed');
      state = 'inside';
      const isFinal = bits.take(1) === 1;
      const type = bits.take(2);
      if (type === 3) throw new Corrupt('no such block');
      if (type === 0) takeStored();
      else if (type === 1) takeCoded(FIXED_LITERALS, FIXED_DISTANCES);
      else takeCoded(...takeCodes(bits));
      // A final block ends a stream, and the bits of its last byte are no more than that.
      if (isFinal) bits.align();
      hasFinalBlock ||= isFinal;
      state = isFinal ? 'start' : 'between';
    }
    return end(state);
  } catch (error) {
    if (error instanceof OutOfBits) return end('inside');
    if (error instanceof Corrupt) return end('corrupt');
    throw error;
  }
}
