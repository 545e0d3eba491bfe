/**
 * The inputs of the fuzzer: legal sessions of frames, compressed or not, mutated as frames and as bytes, and cut into
 * chunks at random; and heads of HTTP, mutated as text. An input is plain data, so that it can be kept in spec/corpus
 * and tried again.
 */

import { REQUEST_ATTACKS, RESPONSE_ATTACKS } from '../attacks/handshake-attacks.ts';
import { WIRE_ATTACKS } from '../attacks/wire-attacks.ts';
import { closeBody, naiveEncode, type Role } from '../support/naive-frames.ts';
import { type Agreement, anyText, Packer } from './compressed-messages.ts';
import type { Random } from './random.ts';

/** Which of our parts is tried: see targets.ts. */
export const TARGETS = ['parser', 'decoder', 'connection', 'inflater', 'compressed', 'request', 'response'] as const;
export type Target = (typeof TARGETS)[number];

export interface FuzzCase {
  readonly target: Target;
  /** Our role. */
  readonly role: Role;
  /** The bytes that we are given, in hexadecimal. */
  readonly bytes: string;
  /** Where they are cut into chunks: offsets, ascending. */
  readonly cuts: readonly number[];
  readonly maxMessageBytes: number;
  /** What the peer's compressor should hold to, where permessage-deflate was agreed on. */
  readonly deflate?: Agreement;
  /** Why it is kept, where it is. */
  readonly note?: string;
}

const SIZES = [
  0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33, 100, 124, 125, 126, 127, 128, 200, 1000, 4095, 4096, 4097, 65_535, 65_536,
  65_540,
];
const TEXTS = ['', 'a', 'héllo', '€', '😀', 'κόσμε', '\u{10ffff}', '\ufffd', 'x'.repeat(130), '日本語'.repeat(50)];

interface Draft {
  opcode: number;
  isFinal: boolean;
  isMasked: boolean;
  /** The reserved bits: 4 is RSV1. */
  rsv: number;
  payload: Buffer;
}

/**
 * A session that breaks no rule: messages, whole or in fragments, control frames anywhere, a close at the end or not.
 *
 * @param packer compresses some of the messages, or none where there is none
 */
function legalSession(random: Random, isMasked: boolean, packer?: Packer): Draft[] {
  const frames: Draft[] = [];
  const add = (opcode: number, payload: Buffer, isFinal = true, rsv = 0): void =>
    void frames.push({ opcode, isFinal, isMasked, rsv, payload });
  const control = (): void => {
    if (random.once(3)) add(random.pick([9, 10]), random.bytes(random.below(20)));
  };
  for (let messages = random.below(6); messages > 0; messages--) {
    control();
    const isText = random.once(2);
    const size = random.once(8) ? random.pick(SIZES) : random.below(40);
    const isPacked = packer !== undefined && !random.once(4);
    let rest = isText ? Buffer.from(random.pick(TEXTS) + random.pick(TEXTS)) : random.bytes(size);
    // Noise takes the room of the window, so that what was said before is soon out of it.
    if (isPacked) rest = packer.pack(!isText && random.once(2) ? random.bytes(random.below(900)) : anyText(random));
    let opcode = isText ? 1 : 2;
    let rsv = isPacked ? 4 : 0;
    while (random.once(2)) {
      const at = random.below(rest.length + 1);
      add(opcode, rest.subarray(0, at), false, rsv);
      rest = rest.subarray(at);
      opcode = 0;
      rsv = 0;
      control();
    }
    add(opcode, rest, true, rsv);
  }
  control();
  if (random.once(3))
    add(
      8,
      random.once(3)
        ? Buffer.alloc(0)
        : closeBody(random.pick([1000, 1001, 1011, 3000, 4999]), random.pick(TEXTS).slice(0, 20)),
    );
  return frames;
}

/** Breaks a rule, or none: one frame is changed, doubled, moved or left out. */
function mutateFrames(random: Random, frames: Draft[]): void {
  if (frames.length === 0) return;
  const at = random.below(frames.length);
  const frame = frames[at]!;
  switch (random.below(10)) {
    case 8:
      frame.rsv ^= random.pick([1, 2, 4, 4, 4, 4]);
      break;
    case 0:
      frame.opcode = random.below(16);
      break;
    case 1:
      frame.isFinal = !frame.isFinal;
      break;
    case 2:
      frame.isMasked = !frame.isMasked;
      break;
    case 3:
      frames.splice(at, 1);
      break;
    case 4:
      frames.splice(at, 0, { ...frame });
      break;
    case 5:
      frames.splice(random.below(frames.length), 0, ...frames.splice(at, 1));
      break;
    case 6:
      frame.payload = Buffer.concat([frame.payload, random.bytes(random.below(5))]);
      break;
    case 7:
      frame.payload = Buffer.from(frame.payload);
      if (frame.payload.length > 0) frame.payload[random.below(frame.payload.length)] = random.below(256);
      break;
    default:
      frame.payload = closeBody(random.below(6000), random.pick(TEXTS).slice(0, 10));
  }
}

/** A length in more bytes than it needs, which is what a naive encoder would not write. */
function stretchLength(bytes: Buffer, isMasked: boolean): Buffer {
  const length = bytes[1]! & 0x7f;
  if (length > 125) return bytes;
  const extended = Buffer.alloc(8);
  extended[7] = length;
  return Buffer.concat([Buffer.from([bytes[0]!, (isMasked ? 0x80 : 0) | 127]), extended, bytes.subarray(2)]);
}

/** Changes bytes, whatever they mean. */
function mutateBytes(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  switch (random.below(6)) {
    case 0:
      if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(6)), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random.below(6)))]);
    case 4:
      return Buffer.concat([bytes, bytes.subarray(at)]);
    default:
      if (at < bytes.length) bytes[at] = random.pick([0, 0x7e, 0x7f, 0x80, 0xfe, 0xff, 0x0a, 0x0d]);
      return bytes;
  }
}

function makeSession(random: Random, isMasked: boolean, packer?: Packer): Buffer {
  if (random.once(12)) return random.pick(WIRE_ATTACKS).bytes(isMasked);
  const frames = legalSession(random, isMasked, packer);
  for (let times = random.below(3); times > 0; times--) mutateFrames(random, frames);
  const parts = frames.map((frame) => {
    const bytes = naiveEncode(frame.opcode, frame.payload, frame);
    bytes[0]! |= frame.rsv << 4;
    if (random.once(60)) bytes[0]! |= 1 << (4 + random.below(3));
    return random.once(60) ? stretchLength(bytes, frame.isMasked) : bytes;
  });
  let bytes: Buffer = Buffer.concat(parts);
  if (random.once(2)) for (let times = 1 + random.below(3); times > 0; times--) bytes = mutateBytes(random, bytes);
  return bytes;
}

const WORDS = [
  '\r\n',
  '\n',
  '\r',
  ':',
  ' ',
  '\t',
  ',',
  ';',
  '"',
  '\\',
  '\0',
  '\u00ff',
  'Upgrade',
  'websocket',
  'Sec-WebSocket-',
  'chunked',
  '%',
  '#',
  '/',
];

/** Changes a head of HTTP: words put in, pieces cut out or doubled, characters changed. */
function mutateHead(random: Random, text: string): string {
  let head = text;
  for (let times = random.below(4); times > 0; times--) {
    const at = random.below(head.length + 1);
    const end = Math.min(head.length, at + random.below(30));
    const kind = random.below(4);
    if (kind === 0) head = head.slice(0, at) + random.pick(WORDS) + head.slice(at);
    else if (kind === 1) head = head.slice(0, at) + head.slice(end);
    else if (kind === 2) head = head.slice(0, end) + head.slice(at);
    else head = head.slice(0, at) + String.fromCharCode(random.below(256)) + head.slice(at + 1);
  }
  return head;
}

const GOOD_ANSWER =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n';

function makeHead(random: Random, target: Target): Buffer {
  const base =
    target === 'request'
      ? random.pick(REQUEST_ATTACKS.filter(({ request }) => request.length < 4000)).request.toString('latin1')
      : random.pick([
          GOOD_ANSWER,
          ...RESPONSE_ATTACKS.map(({ response }) => response).filter((text) => text.length < 4000),
        ]);
  const head = Buffer.from(mutateHead(random, base), 'latin1');
  return random.once(3) ? Buffer.concat([head, makeSession(random, target === 'request')]) : head;
}

const roleFor = (random: Random, target: Target): Role =>
  target === 'request' ? 'server' : target === 'response' ? 'client' : random.pick(['client', 'server'] as const);

/** Makes an input for a target. @param role ours, where it is given */
export function makeCase(random: Random, target: Target, role: Role = roleFor(random, target)): FuzzCase {
  const isHead = target === 'request' || target === 'response';
  const isCompressed = target === 'inflater' || target === 'compressed';
  const deflate = isCompressed
    ? { windowBits: random.pick([9, 9, 10, 12, 15, 15]), contextTakeover: !random.once(3) }
    : undefined;
  const packer = deflate && new Packer(random, deflate);
  const bytes = isHead ? makeHead(random, target) : makeSession(random, role === 'server', packer);
  const cuts = Array.from({ length: random.below(6) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  // Byte by byte now and then.
  const all = random.once(15) && bytes.length < 2000 ? Array.from(bytes, (_, at) => at) : cuts;
  const limits = isCompressed ? [20, 1000, 70_000, 1_000_000, 1_000_000] : [0, 20, 125, 126, 1000, 70_000, 1_000_000];
  const maxMessageBytes = random.pick(limits);
  return { target, role, bytes: bytes.toString('hex'), cuts: all, maxMessageBytes, ...(deflate && { deflate }) };
}

/** The chunks of an input. */
export function* chunksOf({ bytes, cuts }: FuzzCase): Generator<Buffer> {
  const all = Buffer.from(bytes, 'hex');
  let at = 0;
  for (const cut of [...cuts, all.length]) {
    yield Buffer.from(all.subarray(at, cut));
    at = cut;
  }
}
