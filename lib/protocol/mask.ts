/**
 * Masking: the payload XORed with a key of four bytes, over and over, in place, or on its way to another place. Masking
 * twice gives the payload back.
 *
 * The key is a 32-bit word whose lowest byte masks the first byte. Long runs go by words, eight a turn, which is ten
 * times faster than by bytes; but making the view of words costs more than masking a hundred bytes, so the view of the
 * last buffer is kept, and short runs go by bytes. Longer ones go by sixteen bytes at a step, where the platform can.
 *
 * @see RFC 6455 §5.3
 */
import { hasSimdMask, simdMaskInto } from './simd-mask.ts';

/** Below this the words do not pay for themselves (measured on Node 20: 32 bytes). */
const MIN_WORD_RUN = 32;
/** From here on the copies into and out of WebAssembly pay for themselves. */
const MIN_SIMD_RUN = 2048;
/** Where the index of a byte no longer fits the 31 bits with which words are counted. */
const MAX_WORD_END = 0x7fff_ffff;
/** A view of a larger buffer is not kept, so that no large buffer is held back from the collector. */
const MAX_CACHED_BUFFER = 131_072;

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

let cachedBytes: Uint8Array | undefined;
let cachedLength = 0;
let cachedWords: Int32Array = new Int32Array(0);

/** Turns the key so that it begins with the byte that masks the payload's byte at `offset`. */
export function rotateMaskingKey(key: number, offset: number): number {
  const bits = (offset & 3) << 3;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}

/**
 * XORs `bytes[start, end)` with the key, in place.
 *
 * @param key the word that masks the four bytes from `start` on (see {@link rotateMaskingKey} inside a payload); 0 for none
 */
export function mask(bytes: Uint8Array, start: number, end: number, key: number): void {
  if (key === 0) return;
  if (end - start >= MIN_SIMD_RUN && hasSimdMask()) {
    simdMaskInto(bytes, start, bytes, start, end, key);
    return;
  }
  const isWordRun = end - start >= MIN_WORD_RUN && bytes.byteOffset + end <= MAX_WORD_END && isLittleEndian;
  if (isWordRun) maskRun(bytes, start, end, key);
  else maskBytes(bytes, start, end, key);
}

/**
 * Copies `source[start, end)` to `target` from `at` on, XORed with the key. The target must not begin inside of the source.
 *
 * @param key as for {@link mask}: with 0 it only copies
 */
export function maskInto(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
  key: number,
): void {
  if (key !== 0 && end - start >= MIN_SIMD_RUN && hasSimdMask()) {
    simdMaskInto(target, at, source, start, end, key);
    return;
  }
  // A view costs as much as the masking of a small frame.
  target.set(start === 0 && end === source.length ? source : source.subarray(start, end), at);
  mask(target, at, at + end - start, key);
}

/** Masks by words from the first whole word to the last. One loop in one function: 27 ns for 125 bytes, in parts 39. */
function maskRun(bytes: Uint8Array, start: number, end: number, key: number): void {
  const { byteOffset } = bytes;
  let turning = key;
  let at = start;
  for (; ((byteOffset + at) & 3) !== 0; at++) {
    bytes[at]! ^= turning;
    turning = (turning >>> 8) | (turning << 24);
  }
  const words = wordsOf(bytes);
  const wordEnd = (byteOffset + end) >> 2;
  let i = (byteOffset + at) >> 2;
  for (const stop = wordEnd - 7; i < stop; i += 8) {
    words[i]! ^= turning;
    words[i + 1]! ^= turning;
    words[i + 2]! ^= turning;
    words[i + 3]! ^= turning;
    words[i + 4]! ^= turning;
    words[i + 5]! ^= turning;
    words[i + 6]! ^= turning;
    words[i + 7]! ^= turning;
  }
  for (; i < wordEnd; i++) words[i]! ^= turning;
  for (at = (wordEnd << 2) - byteOffset; at < end; at++) {
    bytes[at]! ^= turning;
    turning >>>= 8;
  }
}

function maskBytes(bytes: Uint8Array, start: number, end: number, key: number): void {
  let turning = key;
  for (let i = start; i < end; i++) {
    bytes[i] = bytes[i]! ^ (turning & 0xff);
    turning = (turning >>> 8) | (turning << 24);
  }
}

/** Gives words over the same memory as `bytes`, up to the end of `bytes` and no further: it may be resized behind it. */
function wordsOf(bytes: Uint8Array): Int32Array {
  if (bytes === cachedBytes && bytes.length === cachedLength) return cachedWords;
  const { buffer, byteOffset, length } = bytes;
  const words = new Int32Array(buffer, 0, (byteOffset + length) >>> 2);
  if (buffer.byteLength <= MAX_CACHED_BUFFER) {
    cachedBytes = bytes;
    cachedLength = length;
    cachedWords = words;
  }
  return words;
}
