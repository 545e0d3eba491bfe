/**
 * Messages compressed as no compressor of one's own would: in many blocks and styles, with and without an end, with
 * references that are allowed and some that are not, and with data that is broken (RFC 7692 §7.2, RFC 1951).
 */
import { constants, deflateRawSync, type ZlibOptions } from 'node:zlib';
import type { Random } from './random.ts';

/** What was agreed on for the compressor of one end. */
export interface Agreement {
  /** 9–15. */
  readonly windowBits: number;
  readonly contextTakeover: boolean;
}

const WORDS = ['a', 'héllo', '{"id":', '"name"', '€', '0000', 'κόσμε', '\n', 'true', 'x'.repeat(70), '😀'];

/** Text that repeats itself, and now and then one that shrinks to nothing and ends a little beyond some frames. */
export function anyText(random: Random): Buffer {
  if (random.once(25)) return Buffer.alloc(65_536 * (1 + random.below(2)) + random.below(300), 'b');
  const count = random.once(6) ? random.below(400) : random.below(12);
  return Buffer.from(Array.from({ length: count }, () => random.pick(WORDS)).join(''));
}

/** Compresses the messages of one session, one after the other. */
export class Packer {
  readonly #random: Random;
  readonly #agreement: Agreement;
  /** All text that was compressed before. */
  #known: Buffer = Buffer.alloc(0);

  constructor(random: Random, agreement: Agreement) {
    this.#random = random;
    this.#agreement = agreement;
  }

  /** @returns the payload of a message */
  pack(wanted: Buffer): Buffer {
    const random = this.#random;
    const isDishonest = random.once(12) && this.#known.length > 1 << this.#agreement.windowBits;
    const { text, payload } = isDishonest ? this.#reachBack() : { text: wanted, payload: this.#compress(wanted) };
    this.#known = Buffer.concat([this.#known, text]);
    if (!random.once(12)) return payload;
    const at = random.below(payload.length + 1);
    switch (random.below(5)) {
      case 0:
        if (at < payload.length) payload[at]! ^= 1 << random.below(8);
        return payload;
      case 1:
        return payload.subarray(0, at);
      case 2:
        return Buffer.concat([payload, random.bytes(1 + random.below(4))]);
      case 3:
        // The end that should not travel.
        return Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])]);
      default:
        return random.bytes(random.below(30));
    }
  }

  #compress(text: Buffer): Buffer {
    const random = this.#random;
    if (text.length === 0 && random.once(2)) return Buffer.from(random.once(3) ? [] : [0]);
    const cut = random.once(3) ? random.below(text.length + 1) : text.length;
    const first = text.subarray(0, cut);
    const rest = text.subarray(cut);
    if (random.once(5)) {
      // §7.2.3.4 a block with BFINAL, and behind it the byte that it needs; or another stream, which some forget to read.
      const final = this.#deflate(first, this.#before());
      if (cut === text.length) return random.once(4) ? final : Buffer.concat([final, Buffer.from([0])]);
      return Buffer.concat([final, this.#flush(rest, this.#before(first))]);
    }
    if (cut === text.length) return this.#flush(text, this.#before());
    const end = Buffer.from([0, 0, 0xff, 0xff]);
    return Buffer.concat([this.#flush(first, this.#before()), end, this.#flush(rest, this.#before(first))]);
  }

  /** Text to refer to. */
  #before(more: Buffer = Buffer.alloc(0)): Buffer {
    const { contextTakeover, windowBits } = this.#agreement;
    return (contextTakeover ? Buffer.concat([this.#known, more]) : more).subarray(-(1 << windowBits));
  }

  /** §7.2.1: flushed, and the last four bytes taken away. */
  #flush(text: Buffer, before: Buffer, options: ZlibOptions = {}): Buffer {
    return this.#deflate(text, before, { ...options, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  }

  #deflate(text: Buffer, before: Buffer, options: ZlibOptions = {}): Buffer {
    const random = this.#random;
    return deflateRawSync(text, {
      level: random.below(10),
      memLevel: 1 + random.below(9),
      strategy: random.below(5),
      windowBits: this.#agreement.windowBits,
      ...(before.length > 0 ? { dictionary: before } : {}),
      ...options,
    });
  }

  /** Says again what came first, and refers to it, whatever was agreed on. */
  #reachBack(): { text: Buffer; payload: Buffer } {
    const text = this.#known.subarray(0, 40 + this.#random.below(200));
    const before = this.#known.subarray(-32_768);
    return { text, payload: this.#flush(text, before, { level: 9, strategy: 0, windowBits: 15 }) };
  }
}
