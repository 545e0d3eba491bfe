/**
 * Attacks that are bytes on an open connection: what is sent, against which role, and with which close code it is
 * answered. Data only: the specs of this folder and the process without listeners (spec/fuzz) both run it.
 */
import { closeBody, naiveEncode, ROLES, type Role } from '../support/naive-frames.ts';

export interface WireAttack {
  /** Begins with the advisories of other products where there are any. */
  readonly name: string;
  /** Our role. */
  readonly against: readonly Role[];
  readonly closeCode: number;
  /** @param isMasked whether the attacker is a client and masks, as it should */
  readonly bytes: (isMasked: boolean) => Buffer;
}

/** The limits under which the attacks run. */
export const VICTIM_LIMITS: { maxMessageBytes: number; maxFrameBytes: number; closeTimeoutMs: number } = {
  maxMessageBytes: 4096,
  maxFrameBytes: 2048,
  closeTimeoutMs: 2000,
};

type Options = { name: string; closeCode?: number; against?: readonly Role[] };

const attack = ({ name, closeCode = 1002, against = ROLES }: Options, bytes: WireAttack['bytes']): WireAttack => ({
  name,
  closeCode,
  against,
  bytes,
});

/** A header by hand: the first byte, the length field, and a key of zeros where one is due. Nothing follows it. */
export function rawHeader(first: number, lengthField: readonly number[], isMasked: boolean): Buffer {
  const [short = 0, ...extended] = lengthField;
  return Buffer.from([first, (isMasked ? 0x80 : 0) | short, ...extended, ...(isMasked ? [0, 0, 0, 0] : [])]);
}

/** A length in its longest form. */
export function longLength(length: bigint): number[] {
  const field = Buffer.alloc(8);
  field.writeBigUInt64BE(BigInt.asUintN(64, length));
  return [127, ...field];
}

/** A frame as `naiveEncode` makes it, with another first byte. */
function framed(first: number, payload: Uint8Array | string, isMasked: boolean): Buffer {
  const bytes = naiveEncode(first & 15, payload, { isMasked });
  bytes[0] = first;
  return bytes;
}

const LENGTHS: readonly (readonly [string, bigint, number])[] = [
  ['2^31', 2n ** 31n, 1009],
  ['2^32', 2n ** 32n, 1009],
  ['2^32 + 5, which wraps to 5', 2n ** 32n + 5n, 1009],
  ['2^53', 2n ** 53n, 1009],
  ['2^63 - 1', 2n ** 63n - 1n, 1009],
  ['2^63, the most significant bit', 2n ** 63n, 1002],
  ['2^64 - 1, all bits', 2n ** 64n - 1n, 1002],
];

const lengths = LENGTHS.flatMap(([what, length, closeCode]) =>
  [0x81, 0x82, 0x02].map((first) => {
    const name = `CVE-2026-1528, CVE-2020-13935, CVE-2020-27813, CVE-2016-10542: a length of ${what} (0x${first.toString(16)})`;
    return attack({ name, closeCode }, (isMasked) => rawHeader(first, longLength(length), isMasked));
  }),
);

const reserved = [
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) =>
    attack({ name: `the reserved opcode ${opcode}` }, (isMasked) => framed(0x80 | opcode, 'x', isMasked)),
  ),
  ...[0xc1, 0xc2, 0xc9, 0xa1, 0x91, 0xf1].map((first) =>
    attack(
      { name: `GHSA-mq44-7p77-q5h7: reserved bits that nobody negotiated (0x${first.toString(16)})` },
      (isMasked) => framed(first, 'x', isMasked),
    ),
  ),
];

const lengthForms = [
  attack({ name: 'CVE-2026-83599, CVE-2026-50161: 5 bytes announced in 16 bits' }, (isMasked) =>
    rawHeader(0x82, [126, 0, 5], isMasked),
  ),
  attack({ name: 'CVE-2026-83599, CVE-2026-50161: 5 bytes announced in 64 bits' }, (isMasked) =>
    rawHeader(0x82, longLength(5n), isMasked),
  ),
  attack({ name: 'CVE-2026-83599, CVE-2026-50161: 65,535 bytes announced in 64 bits' }, (isMasked) =>
    rawHeader(0x82, longLength(65_535n), isMasked),
  ),
  attack(
    { name: 'CVE-2026-54274: a frame beyond the limit of which only the header comes', closeCode: 1009 },
    (isMasked) => rawHeader(0x82, [126, 0x08, 0x01], isMasked),
  ),
  attack({ name: 'CVE-2026-9675: frames below the limit each, and above it together', closeCode: 1009 }, (isMasked) => {
    const part = (opcode: number): Buffer => naiveEncode(opcode, Buffer.alloc(1500), { isFinal: false, isMasked });
    return Buffer.concat([part(2), part(0), part(0), part(0)]);
  }),
  attack(
    { name: 'CVE-2014-0193: a message that is aggregated beyond its limit and never ends', closeCode: 1009 },
    (isMasked) => {
      const begin = naiveEncode(1, 'x', { isFinal: false, isMasked });
      const more = naiveEncode(0, 'xxxxxxxx', { isFinal: false, isMasked });
      return Buffer.concat([begin, ...Array.from({ length: 600 }, () => more)]);
    },
  ),
];

const masking = [
  attack({ name: 'a frame of a client that is not masked', against: ['server'] }, () => naiveEncode(1, 'plain')),
  attack({ name: 'a frame of a server that is masked', against: ['client'] }, () =>
    naiveEncode(1, 'masked', { isMasked: true }),
  ),
];

const control = [
  ...[8, 9, 10].flatMap((opcode) => [
    attack({ name: `a control frame ${opcode} of 126 bytes` }, (isMasked) =>
      naiveEncode(opcode, Buffer.alloc(126), { isMasked }),
    ),
    attack({ name: `a control frame ${opcode} in fragments` }, (isMasked) =>
      naiveEncode(opcode, closeBody(1000), { isFinal: false, isMasked }),
    ),
  ]),
  attack({ name: 'a close body of one byte' }, (isMasked) => naiveEncode(8, 'x', { isMasked })),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code) =>
    attack({ name: `the close code ${code}` }, (isMasked) => naiveEncode(8, closeBody(code), { isMasked })),
  ),
  attack({ name: 'a close reason that is not UTF-8', closeCode: 1007 }, (isMasked) =>
    naiveEncode(8, Buffer.from([0x03, 0xe8, 0xff, 0xfe]), { isMasked }),
  ),
];

const sequences = [
  attack({ name: 'a continuation of nothing' }, (isMasked) => naiveEncode(0, 'x', { isMasked })),
  attack({ name: 'a message inside a message' }, (isMasked) =>
    Buffer.concat([naiveEncode(1, 'a', { isFinal: false, isMasked }), naiveEncode(2, 'b', { isMasked })]),
  ),
  attack({ name: 'a continuation behind a message that has ended' }, (isMasked) =>
    Buffer.concat([naiveEncode(1, 'a', { isMasked }), naiveEncode(0, 'b', { isMasked })]),
  ),
];

const text = [
  ['a byte that UTF-8 does not have', [0x61, 0xff]],
  ['an overlong slash', [0xc0, 0xaf]],
  ['half of a surrogate pair', [0xed, 0xa0, 0x80]],
  ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ['a character that is cut', [0xf0, 0x9f, 0x98]],
].map(([what, bytes]) =>
  attack({ name: `text with ${what as string}`, closeCode: 1007 }, (isMasked) =>
    naiveEncode(1, Buffer.from(bytes as number[]), { isMasked }),
  ),
);

const otherProtocols = [
  attack({ name: 'CVE-2026-54466: a text frame of draft-75, 0x00 … 0xff' }, () =>
    Buffer.from('\u0000hello\u00ff', 'latin1'),
  ),
  attack({ name: 'CVE-2026-54466: a length of draft-75 that grows for ever' }, () => Buffer.alloc(4096, 0x80)),
  attack({ name: 'CVE-2026-130647, CVE-2026-100658: an HTTP request behind the handshake', against: ['server'] }, () =>
    Buffer.from('GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  ),
  attack({ name: 'CVE-2026-130647: an HTTP response behind the handshake', against: ['client'] }, () =>
    Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  ),
];

export const WIRE_ATTACKS: readonly WireAttack[] = [
  ...lengths,
  ...reserved,
  ...lengthForms,
  ...masking,
  ...control,
  ...sequences,
  ...text,
  ...otherProtocols,
];
