import { describe, expect, it } from 'vitest';
import type { ViolationCode } from '../../lib/errors.ts';
import {
  assertHeaderStart,
  assertPayloadLength,
  assertRole,
  byteLimit,
  type HeaderContext,
  type WsRole,
} from '../../lib/protocol/header-rules.ts';
import { bits } from '../vectors/frames.ts';

const CONTEXT: HeaderContext = { role: 'client', allowedRsv: 0, isInsideMessage: false };

const judge = (picture: string, context: Partial<HeaderContext> = {}) => {
  const [first, second] = bits(picture);
  assertHeaderStart(first!, second!, { ...CONTEXT, ...context });
};

describe('the start of a header', () => {
  it.each<[string, string, Partial<HeaderContext>, ViolationCode]>([
    ['RSV that nobody claimed (§5.2)', '1 100 0001 0 0000000', {}, 'WS_ERR_RESERVED_BITS'],
    ['RSV beyond what was claimed (§5.2)', '1 110 0001 0 0000000', { allowedRsv: 4 }, 'WS_ERR_RESERVED_BITS'],
    ['claimed RSV on a control frame (§5.2)', '1 100 1001 0 0000000', { allowedRsv: 4 }, 'WS_ERR_RESERVED_BITS'],
    ['a reserved opcode (§5.2)', '1 000 0011 0 0000000', {}, 'WS_ERR_RESERVED_OPCODE'],
    ['a reserved control opcode, fragmented or not (§5.2)', '0 000 1011 0 0000000', {}, 'WS_ERR_RESERVED_OPCODE'],
    ['a fragmented ping (§5.5)', '0 000 1001 0 0000000', {}, 'WS_ERR_FRAGMENTED_CONTROL'],
    ['a long ping (§5.5)', '1 000 1001 0 1111110', {}, 'WS_ERR_LONG_CONTROL'],
    ['a stray continuation (§5.4)', '1 000 0000 0 0000000', {}, 'WS_ERR_STRAY_CONTINUATION'],
    ['a message in a message (§5.4)', '1 000 0010 0 0000000', { isInsideMessage: true }, 'WS_ERR_INTERLEAVED_MESSAGE'],
    ['a masked frame at a client (§5.1)', '1 000 0010 1 0000000', {}, 'WS_ERR_MASKED'],
    ['an unmasked frame at a server (§5.1)', '1 000 0010 0 0000000', { role: 'server' }, 'WS_ERR_UNMASKED'],
    ['an unmasked ping at a server (§5.1)', '1 000 1001 0 0000000', { role: 'server' }, 'WS_ERR_UNMASKED'],
  ])('rejects %s', (_what, picture, context, code) => {
    expect(() => judge(picture, context)).toThrow(expect.objectContaining({ code }));
  });

  it.each<[string, string, Partial<HeaderContext>]>([
    ['a text (§5.6)', '1 000 0001 0 1111111', {}],
    ['claimed RSV (§5.2)', '0 100 0010 0 0000000', { allowedRsv: 6 }],
    ['a continuation inside a message (§5.4)', '0 000 0000 0 0000000', { isInsideMessage: true }],
    ['a ping inside a message (§5.4)', '1 000 1001 0 1111101', { isInsideMessage: true }],
    ['a masked close at a server (§5.1)', '1 000 1000 1 0000010', { role: 'server' }],
  ])('lets %s pass', (_what, picture, context) => {
    expect(() => judge(picture, context)).not.toThrow();
  });
});

describe('a payload length', () => {
  const limits = { maxFrameBytes: 100_000, allowNonMinimalLengths: false };

  it.each<[string, number, number, ViolationCode]>([
    ['with its most significant bit set (§5.2)', 127, -1, 'WS_ERR_LENGTH_MSB'],
    ['in more bytes than needed (§5.2)', 126, 125, 'WS_ERR_NON_MINIMAL_LENGTH'],
    ['above maxFrameBytes (§10.4)', 127, 100_001, 'WS_ERR_FRAME_TOO_LARGE'],
  ])('is rejected %s', (_what, second, length, code) => {
    expect(() => assertPayloadLength(second, length, limits)).toThrow(expect.objectContaining({ code }));
  });

  it('is limited to what a number counts exactly, even without a limit (§10.4)', () => {
    const open = { maxFrameBytes: Number.POSITIVE_INFINITY, allowNonMinimalLengths: false };
    expect(() => assertPayloadLength(127, 2 ** 53, open)).toThrow(expect.objectContaining({ closeCode: 1009 }));
    expect(() => assertPayloadLength(127, 2 ** 53 - 1, open)).not.toThrow();
  });

  it('passes at the limit, and in a long form where that is allowed', () => {
    expect(() => assertPayloadLength(127, 100_000, limits)).not.toThrow();
    expect(() => assertPayloadLength(127, 0, { ...limits, allowNonMinimalLengths: true })).not.toThrow();
  });
});

describe('what the caller says', () => {
  it('names one of two roles', () => {
    for (const role of ['client', 'server'] as const) expect(() => assertRole(role)).not.toThrow();
    for (const role of ['Server', '', null, 1]) expect(() => assertRole(role as WsRole)).toThrow(TypeError);
  });

  it('limits by whole numbers from the smallest on, or by Infinity', () => {
    expect([byteLimit('n', 1, 1), byteLimit('n', Number.POSITIVE_INFINITY, 1)]).toEqual([1, Number.POSITIVE_INFINITY]);
    for (const value of [0, -1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(() => byteLimit('n', value, 1)).toThrow(RangeError);
    }
  });
});

describe('an error says what there was', () => {
  it.each<[string, () => void]>([
    ['RSV 010', () => judge('1 010 0001 0 0000000')],
    ['RSV 001', () => judge('1 001 0001 0 0000000')],
    ['opcode 3', () => judge('1 000 0011 0 0000000')],
    ['5 bytes', () => assertPayloadLength(126, 5, { maxFrameBytes: 10, allowNonMinimalLengths: false })],
    ['11 bytes', () => assertPayloadLength(11, 11, { maxFrameBytes: 10, allowNonMinimalLengths: false })],
    ["The role must be 'client' or 'server'", () => assertRole('peer' as WsRole)],
    ['n must be a whole number from 1 on, or Infinity, not 0.5', () => void byteLimit('n', 0.5, 1)],
  ])('%s', (message, run) => {
    expect(run).toThrow(message);
  });
});
