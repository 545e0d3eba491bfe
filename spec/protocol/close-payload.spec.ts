import { describe, expect, it } from 'vitest';
import {
  assertClosePayload,
  decodeCloseCode,
  decodeCloseReason,
  encodeClosePayload,
} from '../../lib/protocol/close-payload.ts';
import { bits, wire } from '../vectors/frames.ts';

describe('encodeClosePayload', () => {
  it.each<[string, number | undefined, string | undefined, Uint8Array]>([
    ['nothing', undefined, undefined, new Uint8Array(0)],
    ['a code', 1000, undefined, bits('00000011 11101000')],
    ['a code and a reason', 4999, 'añ', wire('00010011 10000111', '"añ')],
  ])('writes %s (§5.5.1)', (_what, code, reason, bytes) => {
    expect(encodeClosePayload(code, reason)).toEqual(bytes);
  });

  it('takes a reason of 123 bytes and not of 124, counted in UTF-8 (§5.5)', () => {
    expect(encodeClosePayload(1000, `${'é'.repeat(61)}a`)).toHaveLength(125);
    expect(() => encodeClosePayload(1000, 'é'.repeat(62))).toThrow(RangeError);
  });

  it.each([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_536 + 1000, -1000, 1000.5, Number.NaN])(
    'refuses the code %d (§7.4)',
    (code) => {
      expect(() => encodeClosePayload(code)).toThrow(RangeError);
    },
  );

  it.each(['1000', null, {}, true, 1000n])('refuses a code that is no number: %o', (code) => {
    expect(() => encodeClosePayload(code as number)).toThrow(TypeError);
  });

  it.each([new Uint8Array(4), 5, null, {}, ['a']])('refuses a reason that is no string: %o', (reason) => {
    expect(() => encodeClosePayload(1000, reason as string)).toThrow(TypeError);
  });

  it('refuses a reason without a code (§5.5.1)', () => {
    expect(() => encodeClosePayload(undefined, 'why')).toThrow(TypeError);
  });
});

describe('a close payload', () => {
  it('is read as code and reason (§7.1.5, §7.1.6)', () => {
    const payload = encodeClosePayload(1001, 'añ€');
    expect([decodeCloseCode(payload), decodeCloseReason(payload)]).toEqual([1001, 'añ€']);
  });

  it('without a code is read as 1005 and no reason (§7.1.5)', () => {
    expect([decodeCloseCode(new Uint8Array(0)), decodeCloseReason(new Uint8Array(0))]).toEqual([1005, '']);
    expect([decodeCloseCode(Uint8Array.of(3)), decodeCloseReason(Uint8Array.of(3, 232))]).toEqual([1005, '']);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a code', bits('00001011 10111000')],
    ['a reason with three scripts', encodeClosePayload(1011, 'aд語')],
  ])('passes with %s (§5.5.1)', (_what, payload) => {
    expect(() => assertClosePayload(payload)).not.toThrow();
  });

  it.each([
    ['one byte (§5.5.1)', bits('00000011'), 'WS_ERR_CLOSE_BODY', 1002],
    ['a code that may not travel (§7.4)', bits('00000011 11101101'), 'WS_ERR_CLOSE_CODE', 1002],
    ['a reason that is not UTF-8 (§5.5.1)', bits('00000011 11101000 10000000'), 'WS_ERR_CLOSE_REASON', 1007],
    ['a reason that breaks off (§5.5.1)', bits('00000011 11101000 11100010'), 'WS_ERR_CLOSE_REASON', 1007],
  ])('is rejected with %s', (_what, payload, code, closeCode) => {
    expect(() => assertClosePayload(payload)).toThrow(expect.objectContaining({ code, closeCode }));
  });
});

it.each<[unknown, unknown, string]>([
  [1000, 5, 'The reason of a close must be a string'],
  [undefined, 'why', 'The reason of a close needs a code'],
  ['1000', '', 'The code of a close must be a number'],
  [1005, '', 'The close code 1005 may not be sent (RFC 6455 §7.4)'],
  [1000, 'x'.repeat(124), 'The reason of a close has 124 bytes, more than 123 (RFC 6455 §5.5)'],
])('says what is wrong with %s and %s', (code, reason, message) => {
  expect(() => encodeClosePayload(code as number, reason as string)).toThrow(message);
});

it('says which code may not have come (§7.4)', () => {
  expect(() => assertClosePayload(Uint8Array.of(3, 237))).toThrow('1005');
});
