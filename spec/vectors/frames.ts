/** Frames as they stand on the wire, written as bits under a ruler; read by the specs of both directions. */
import type { ViolationCode } from '../../lib/errors.ts';
import type { FrameParser } from '../../lib/protocol/frame-parser.ts';
import type { WsRole } from '../../lib/protocol/header-rules.ts';

/** Reads a picture of bits: `bits('1 000 0001 0 0000101')` is FIN, no RSV, text, unmasked, five bytes. */
export function bits(picture: string): Uint8Array {
  const digits = picture.replaceAll(' ', '');
  if (!/^[01]+$/.test(digits) || digits.length % 8 !== 0) throw new Error(`not a picture of whole bytes: ${picture}`);
  return Uint8Array.from(digits.match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2));
}

/** Puts pictures, text and bytes behind each other. Text begins with a quotation mark: `"Hello`. */
export function wire(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  const text = (part: string): Uint8Array => (part.startsWith('"') ? Buffer.from(part.slice(1)) : bits(part));
  return new Uint8Array(Buffer.concat(parts.map((part) => (typeof part === 'string' ? text(part) : part))));
}

/** Masks as §5.3 says it: "octet i of the transformed data is the XOR of octet i of the original data with octet at index i modulo 4 of the masking key". */
export function maskNaively(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => byte ^ key[i % 4]!);
}

/** Bytes in which every place can be told from its neighbours. */
export const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

/** The masking key of the RFC's examples: 37 fa 21 3d, and the word that it makes. */
export const KEY: Uint8Array = bits('00110111 11111010 00100001 00111101');
export const KEY_WORD = 0x3d21fa37;

export interface VectorFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly isFinal?: boolean;
  readonly rsv?: number;
}

export interface FrameVector {
  readonly name: string;
  readonly section: string;
  readonly sender: WsRole;
  readonly bytes: Uint8Array;
  readonly frames: readonly VectorFrame[];
  /** What the receiver must have been told. */
  readonly options?: { readonly allowedRsv: number };
}

const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

const RFC_EXAMPLES: readonly FrameVector[] = [
  {
    name: 'a single-frame unmasked text message',
    section: '§5.7',
    sender: 'server',
    bytes: wire('1 000 0001 0 0000101', '"Hello'),
    frames: [{ opcode: 1, payload: utf8('Hello') }],
  },
  {
    name: 'a single-frame masked text message',
    section: '§5.7',
    sender: 'client',
    bytes: wire('1 000 0001 1 0000101', KEY, '01111111 10011111 01001101 01010001 01011000'),
    frames: [{ opcode: 1, payload: utf8('Hello') }],
  },
  {
    name: 'a fragmented unmasked text message',
    section: '§5.7',
    sender: 'server',
    bytes: wire('0 000 0001 0 0000011', '"Hel', '1 000 0000 0 0000010', '"lo'),
    frames: [
      { opcode: 1, payload: utf8('Hel'), isFinal: false },
      { opcode: 0, payload: utf8('lo') },
    ],
  },
  {
    name: 'an unmasked ping',
    section: '§5.7',
    sender: 'server',
    bytes: wire('1 000 1001 0 0000101', '"Hello'),
    frames: [{ opcode: 9, payload: utf8('Hello') }],
  },
  {
    name: 'a masked pong with the body of the ping',
    section: '§5.7',
    sender: 'client',
    bytes: wire('1 000 1010 1 0000101', KEY, '01111111 10011111 01001101 01010001 01011000'),
    frames: [{ opcode: 10, payload: utf8('Hello') }],
  },
  {
    name: '256 bytes of binary in one unmasked frame',
    section: '§5.7',
    sender: 'server',
    bytes: wire('1 000 0010 0 1111110', '00000001 00000000', pattern(256)),
    frames: [{ opcode: 2, payload: pattern(256) }],
  },
  {
    name: '64 KiB of binary in one unmasked frame',
    section: '§5.7',
    sender: 'server',
    bytes: wire('1 000 0010 0 1111111', `${'0'.repeat(40)} 00000001 00000000 00000000`, pattern(65_536)),
    frames: [{ opcode: 2, payload: pattern(65_536) }],
  },
];

const LENGTHS: readonly (readonly [number, string])[] = [
  [0, '0000000'],
  [125, '1111101'],
  [126, '1111110 00000000 01111110'],
  [127, '1111110 00000000 01111111'],
  [65_535, '1111110 11111111 11111111'],
  [65_536, `1111111 ${'0'.repeat(40)} 00000001 00000000 00000000`],
];

const BOUNDARIES: readonly FrameVector[] = LENGTHS.flatMap(([length, picture]): FrameVector[] => {
  const frames = [{ opcode: 2, payload: pattern(length) }];
  const masked = wire(`1 000 0010 1 ${picture}`, KEY, maskNaively(pattern(length), KEY));
  const unmasked = wire(`1 000 0010 0 ${picture}`, pattern(length));
  return [
    { name: `${length} bytes, masked`, section: '§5.2', sender: 'client', bytes: masked, frames },
    { name: `${length} bytes, unmasked`, section: '§5.2', sender: 'server', bytes: unmasked, frames },
  ];
});

const SEQUENCES: readonly FrameVector[] = [
  {
    name: 'a ping between two fragments',
    section: '§5.4',
    sender: 'server',
    bytes: wire('0 000 0001 0 0000010', '"ab', '1 000 1001 0 0000000', '1 000 0000 0 0000001', '"c'),
    frames: [
      { opcode: 1, payload: utf8('ab'), isFinal: false },
      { opcode: 9, payload: utf8('') },
      { opcode: 0, payload: utf8('c') },
    ],
  },
  {
    name: 'a character that is cut by a frame boundary',
    section: '§5.6',
    sender: 'server',
    bytes: wire('0 000 0001 0 0000010', '11100010 10000010', '1 000 0000 0 0000001', '10101100'),
    frames: [
      { opcode: 1, payload: Uint8Array.of(0xe2, 0x82), isFinal: false },
      { opcode: 0, payload: Uint8Array.of(0xac) },
    ],
  },
  {
    name: 'a message of empty fragments',
    section: '§5.4',
    sender: 'server',
    bytes: wire('0 000 0010 0 0000000', '0 000 0000 0 0000000', '1 000 0000 0 0000000'),
    frames: [
      { opcode: 2, payload: utf8(''), isFinal: false },
      { opcode: 0, payload: utf8(''), isFinal: false },
      { opcode: 0, payload: utf8('') },
    ],
  },
  {
    name: 'a frame with RSV1, which an extension has claimed',
    section: '§5.2',
    sender: 'server',
    bytes: wire('1 100 0001 0 0000001', '11111111'),
    frames: [{ opcode: 1, payload: Uint8Array.of(0xff), rsv: 4 }],
    options: { allowedRsv: 4 },
  },
  {
    name: 'a close frame without a body',
    section: '§5.5.1',
    sender: 'server',
    bytes: wire('1 000 1000 0 0000000'),
    frames: [{ opcode: 8, payload: utf8('') }],
  },
  {
    name: 'a close frame with 1000 and a reason',
    section: '§5.5.1',
    sender: 'client',
    bytes: wire('1 000 1000 1 0000101', KEY, maskNaively(wire('00000011 11101000', '"bye'), KEY)),
    frames: [{ opcode: 8, payload: wire('00000011 11101000', '"bye') }],
  },
];

/** Frames that are as they should be. */
export const FRAME_VECTORS: readonly FrameVector[] = [...RFC_EXAMPLES, ...BOUNDARIES, ...SEQUENCES];

export interface ViolationVector {
  /** Completes "rejects …". */
  readonly what: string;
  readonly section: string;
  readonly code: ViolationCode;
  readonly closeCode: number;
  /** Our role. */
  readonly role: WsRole;
  /** Up to the byte at which it must be seen, and no further. */
  readonly bytes: Uint8Array;
  /** Frames that come before it. */
  readonly before?: number;
  readonly options?: Partial<ConstructorParameters<typeof FrameParser>[0]>;
}

type Row = readonly [what: string, section: string, code: ViolationCode, closeCode: number, ...bytes: string[]];

const AT_CLIENT: readonly Row[] = [
  ['a frame with RSV1', '§5.2', 'WS_ERR_RESERVED_BITS', 1002, '1 100 0001 0 0000000'],
  ['a frame with RSV2', '§5.2', 'WS_ERR_RESERVED_BITS', 1002, '1 010 0001 0 0000000'],
  ['a frame with RSV3', '§5.2', 'WS_ERR_RESERVED_BITS', 1002, '1 001 0001 0 0000000'],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): Row => {
    const nibble = opcode.toString(2).padStart(4, '0');
    return [`opcode ${opcode}`, '§5.2', 'WS_ERR_RESERVED_OPCODE', 1002, `1 000 ${nibble} 0 0000000`];
  }),
  ['5 bytes in 16 bits', '§5.2', 'WS_ERR_NON_MINIMAL_LENGTH', 1002, '1 000 0010 0 1111110 00000000 00000101'],
  ['125 bytes in 16 bits', '§5.2', 'WS_ERR_NON_MINIMAL_LENGTH', 1002, '1 000 0010 0 1111110 00000000 01111101'],
  [
    '65535 bytes in 64 bits',
    '§5.2',
    'WS_ERR_NON_MINIMAL_LENGTH',
    1002,
    `1 000 0010 0 1111111 ${'0'.repeat(48)} 11111111 11111111`,
  ],
  ['a length of 2^63', '§5.2', 'WS_ERR_LENGTH_MSB', 1002, `1 000 0010 0 1111111 1${'0'.repeat(63)}`],
  ['a length of 2^64 - 1', '§5.2', 'WS_ERR_LENGTH_MSB', 1002, `1 000 0010 0 1111111 ${'1'.repeat(64)}`],
  ['a length of 2^63 - 1', '§10.4', 'WS_ERR_FRAME_TOO_LARGE', 1009, `1 000 0010 0 1111111 0${'1'.repeat(63)}`],
  [
    'a length of 2^53',
    '§10.4',
    'WS_ERR_FRAME_TOO_LARGE',
    1009,
    `1 000 0010 0 1111111 ${'0'.repeat(10)}1${'0'.repeat(53)}`,
  ],
  ['a masked frame from a server', '§5.1', 'WS_ERR_MASKED', 1002, '1 000 0001 1 0000000'],
  ['a fragmented ping', '§5.5', 'WS_ERR_FRAGMENTED_CONTROL', 1002, '0 000 1001 0 0000000'],
  ['a fragmented pong', '§5.5', 'WS_ERR_FRAGMENTED_CONTROL', 1002, '0 000 1010 0 0000000'],
  ['a fragmented close', '§5.5', 'WS_ERR_FRAGMENTED_CONTROL', 1002, '0 000 1000 0 0000000'],
  ['a ping with a 16-bit length', '§5.5', 'WS_ERR_LONG_CONTROL', 1002, '1 000 1001 0 1111110'],
  ['a close with a 64-bit length', '§5.5', 'WS_ERR_LONG_CONTROL', 1002, '1 000 1000 0 1111111'],
  ['a continuation of nothing', '§5.4', 'WS_ERR_STRAY_CONTINUATION', 1002, '1 000 0000 0 0000000'],
  ['a close body of one byte', '§5.5.1', 'WS_ERR_CLOSE_BODY', 1002, '1 000 1000 0 0000001', '00000011'],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code): Row => {
    const word = code.toString(2).padStart(16, '0');
    return [`close code ${code}`, '§7.4', 'WS_ERR_CLOSE_CODE', 1002, '1 000 1000 0 0000010', word];
  }),
  [
    'a close reason that is not UTF-8',
    '§5.5.1',
    'WS_ERR_CLOSE_REASON',
    1007,
    '1 000 1000 0 0000011 00000011 11101000 11111111',
  ],
  [
    'a close reason that ends inside a character',
    '§5.5.1',
    'WS_ERR_CLOSE_REASON',
    1007,
    '1 000 1000 0 0000011 00000011 11101000 11000011',
  ],
  ['a byte that UTF-8 has not', '§8.1', 'WS_ERR_INVALID_UTF8', 1007, '1 000 0001 0 0000101', '"He', '11111111'],
  ['a surrogate', '§8.1', 'WS_ERR_INVALID_UTF8', 1007, '1 000 0001 0 0000011', '11101101 10100000'],
  ['text beyond U+10FFFF', '§8.1', 'WS_ERR_INVALID_UTF8', 1007, '1 000 0001 0 0000100', '11110100 10010000'],
  ['an overlong slash', '§8.1', 'WS_ERR_INVALID_UTF8', 1007, '1 000 0001 0 0000010', '11000000'],
  ['a text that ends inside a character', '§8.1', 'WS_ERR_INVALID_UTF8', 1007, '1 000 0001 0 0000001', '11100010'],
];

const BEHIND_A_FRAGMENT: readonly Row[] = [
  ['a text inside a message', '§5.4', 'WS_ERR_INTERLEAVED_MESSAGE', 1002, '1 000 0001 0 0000000'],
  ['a binary inside a message', '§5.4', 'WS_ERR_INTERLEAVED_MESSAGE', 1002, '0 000 0010 0 0000000'],
  ['bad text in a later fragment', '§8.1', 'WS_ERR_INVALID_UTF8', 1007, '0 000 0000 0 0000010', '"a', '10000000'],
];

const fromRow = ([what, section, code, closeCode, ...bytes]: Row): ViolationVector => ({
  what,
  section,
  code,
  closeCode,
  role: 'client',
  bytes: wire(...bytes),
});

/** Frames that break a rule, each up to the byte at which the rule is broken. */
export const VIOLATION_VECTORS: readonly ViolationVector[] = [
  ...AT_CLIENT.map(fromRow),
  ...BEHIND_A_FRAGMENT.map(fromRow).map((vector) => ({
    ...vector,
    bytes: wire('0 000 0001 0 0000001', '"a', vector.bytes),
    before: 1,
  })),
  {
    what: 'a text whose empty last fragment leaves a character unfinished',
    section: '§8.1',
    code: 'WS_ERR_INVALID_UTF8',
    closeCode: 1007,
    role: 'client',
    bytes: wire('0 000 0001 0 0000001', '11100010', '1 000 0000 0 0000000'),
    before: 1,
  },
  {
    what: 'an unmasked frame from a client',
    section: '§5.1',
    code: 'WS_ERR_UNMASKED',
    closeCode: 1002,
    role: 'server',
    bytes: bits('1 000 0001 0 0000000'),
  },
  {
    what: 'a frame above maxFrameBytes',
    section: '§10.4',
    code: 'WS_ERR_FRAME_TOO_LARGE',
    closeCode: 1009,
    role: 'server',
    bytes: wire('1 000 0010 1 0010001', KEY),
    options: { maxFrameBytes: 16 },
  },
  {
    what: 'RSV1 on a control frame, whatever was claimed',
    section: '§5.2',
    code: 'WS_ERR_RESERVED_BITS',
    closeCode: 1002,
    role: 'client',
    bytes: bits('1 100 1001 0 0000000'),
    options: { allowedRsv: 7 },
  },
  {
    what: 'RSV2 where RSV1 was claimed',
    section: '§5.2',
    code: 'WS_ERR_RESERVED_BITS',
    closeCode: 1002,
    role: 'client',
    bytes: bits('1 010 0010 0 0000000'),
    options: { allowedRsv: 4 },
  },
];
