/**
 * What RFC 6455 makes of bytes, and RFC 7692 where that was agreed on, judged the slow way: rule by rule over the whole
 * input, with no line of `lib/`. It tells the messages that are whole, and how it ends.
 */
import type { Role } from '../support/naive-frames.ts';
import { inflateNaively } from './naive-inflate.ts';

export interface Verdict {
  /** `1:text`, `2:bytes`, `9:ping`, `10:pong`, payloads in Latin-1. */
  readonly events: string[];
  /** 0 where the bytes are in order as far as they go, the close code of the violation, or `closed` behind a close frame. */
  readonly end: number | 'closed';
  /** Which rule was broken, where other receivers may see it otherwise. */
  readonly why?: 'utf-8' | 'length form' | 'length bit' | 'not whole' | 'close body' | 'deflate' | 'frayed' | undefined;
  /** How many events come before a compressed message of which other receivers make something else, where there is one. */
  readonly settled?: number | undefined;
}

/** What was agreed on for the compressor of the peer. */
export interface NaiveDeflate {
  readonly windowBytes: number;
  readonly contextTakeover: boolean;
}

/** Whether bytes are, or can still become, UTF-8 (RFC 3629 §4, as a table). */
export function isUtf8Prefix(bytes: Uint8Array, isWhole: boolean): boolean {
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at]!;
    const size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size === 0) return false;
    for (let next = 1; next < size; next++) {
      if (at + next >= bytes.length) return !isWhole;
      const low = next > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
      const high = next > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
      if (bytes[at + next]! < low || bytes[at + next]! > high) return false;
    }
    at += size;
  }
  return true;
}

const mayBeSent = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);

const FLUSH_END = Buffer.from([0, 0, 0xff, 0xff]);

/** A message, as far as it has come. */
class Message {
  readonly opcode: number;
  readonly isCompressed: boolean;
  readonly #known: Buffer;
  readonly #windowBytes: number;
  /** As they came. */
  #bytes: Buffer = Buffer.alloc(0);
  text: Buffer = Buffer.alloc(0);
  isCorrupt = false;
  /** A bit or two of another block stand behind it. zlib sees them when the next message has come. */
  isFrayed = false;
  /** It has a final block, or not a single byte: see isExplained. */
  isOdd = false;

  constructor(opcode: number, isCompressed: boolean, known: Buffer, windowBytes: number) {
    this.opcode = opcode;
    this.isCompressed = isCompressed;
    this.#known = known;
    this.#windowBytes = windowBytes;
  }

  add(payload: Buffer, isLast: boolean): void {
    this.#bytes = Buffer.concat([this.#bytes, payload]);
    if (!this.isCompressed) this.text = this.#bytes;
    else this.#inflate(isLast);
  }

  /** How long it becomes at least, once a frame of so many bytes is whole. */
  foretell(length: bigint): bigint {
    return this.isCompressed ? 0n : BigInt(this.#bytes.length) + length;
  }

  #inflate(isLast: boolean): void {
    const soFar = inflateNaively(this.#bytes, this.#known, this.#windowBytes);
    // RFC 7692 §7.2.2. A message of no byte at all, and one that ends with a final block, have no block to be ended.
    const isEnded = this.#bytes.length === 0 || soFar.state === 'start';
    const whole = Buffer.concat([this.#bytes, isLast && !isEnded ? FLUSH_END : Buffer.alloc(0)]);
    const { text, state, hasFinalBlock } = inflateNaively(whole, this.#known, this.#windowBytes);
    this.text = text;
    this.isFrayed = isLast && state === 'frayed';
    this.isCorrupt = state === 'corrupt' || this.isFrayed || (isLast && state === 'inside');
    this.isOdd ||= hasFinalBlock || (isLast && this.#bytes.length === 0);
  }
}

/**
 * Judges what an endpoint in the role has received.
 *
 * @param deflate what the peer's compressor holds to, where permessage-deflate was agreed on
 */
export function receiveNaively(bytes: Buffer, role: Role, maxMessageBytes: number, deflate?: NaiveDeflate): Verdict {
  const events: string[] = [];
  let message: Message | undefined;
  let known: Buffer = Buffer.alloc(0);
  let settled: number | undefined;
  for (let at = 0; ; ) {
    const rest = bytes.subarray(at);
    const end = (code: number | 'closed', why?: Verdict['why']): Verdict => ({
      events,
      end: code,
      why,
      settled,
    });
    if (rest.length < 2) return end(0);
    const opcode = rest[0]! & 15;
    const isFinal = rest[0]! >= 0x80;
    const isMasked = rest[1]! >= 0x80;
    const isCompressed = (rest[0]! & 0x40) !== 0;
    const short = rest[1]! & 0x7f;
    if ((rest[0]! & 0x70) !== 0 && !(deflate !== undefined && (rest[0]! & 0x30) === 0 && opcode < 8)) return end(1002);
    if (![0, 1, 2, 8, 9, 10].includes(opcode)) return end(1002);
    if (isMasked !== (role === 'server')) return end(1002);
    if (opcode >= 8 && (!isFinal || short > 125)) return end(1002);
    if (opcode < 8 && (opcode === 0) !== (message !== undefined)) return end(1002);
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const start = 2 + extended + (isMasked ? 4 : 0);
    if (rest.length < start) return end(0, opcode === 8 && short === 1 ? 'close body' : undefined);
    const length =
      extended === 0 ? BigInt(short) : extended === 2 ? BigInt(rest.readUInt16BE(2)) : rest.readBigUInt64BE(2);
    if (length >= 2n ** 63n) return end(1002, 'length bit');
    if ((extended === 2 && length < 126n) || (extended === 8 && length < 65_536n)) return end(1002, 'length form');
    const isWhole = BigInt(rest.length - start) >= length;
    const payload = Buffer.from(isWhole ? rest.subarray(start, start + Number(length)) : rest.subarray(start));
    if (isMasked) for (const [index, byte] of payload.entries()) payload[index] = byte ^ rest[start - 4 + (index % 4)]!;
    if (opcode < 8) {
      const unseen = isWhole ? undefined : 'not whole';
      // RFC 7692 §6.1: the bit stands on the first fragment, or nowhere.
      if (opcode === 0 && isCompressed) return end(1002, unseen);
      message ??= new Message(opcode, isCompressed, known, deflate?.windowBytes ?? 0);
      if (message.foretell(length) > maxMessageBytes || length >= 2n ** 53n) return end(1009, unseen);
      message.add(payload, isFinal && isWhole);
      if (message.isOdd) settled ??= events.length;
      if (message.text.length > maxMessageBytes) return end(1009, unseen);
      if (message.isCorrupt) return end(1007, unseen ?? (message.isFrayed ? 'frayed' : 'deflate'));
      if (message.opcode === 1 && !isUtf8Prefix(message.text, isFinal && isWhole)) {
        return end(1007, (deflate && unseen) ?? 'utf-8');
      }
    }
    if (!isWhole) return end(0, opcode === 8 && length === 1n ? 'close body' : undefined);
    if (opcode === 8) {
      if (payload.length === 1) return end(1002);
      if (payload.length > 1 && !mayBeSent(payload.readUInt16BE(0))) return end(1002);
      return end(isUtf8Prefix(payload.subarray(2), true) ? 'closed' : 1007);
    }
    if (opcode > 8) events.push(`${opcode}:${payload.toString('latin1')}`);
    else if (isFinal) {
      events.push(`${message!.opcode}:${message!.text.toString('latin1')}`);
      if (deflate?.contextTakeover && message!.isCompressed) known = Buffer.concat([known, message!.text]);
      message = undefined;
    }
    at += start + Number(length);
  }
}
