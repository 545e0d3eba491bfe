import { describe, expect, it } from 'vitest';
import * as codes from '../../lib/protocol/close-code.ts';

const { isSendableCloseCode, ...constants } = codes;

describe('close codes', () => {
  it('have the values of the registry (§7.4.1)', () => {
    expect(constants).toEqual({
      WS_CLOSE_NORMAL: 1000,
      WS_CLOSE_GOING_AWAY: 1001,
      WS_CLOSE_PROTOCOL_ERROR: 1002,
      WS_CLOSE_UNSUPPORTED: 1003,
      WS_CLOSE_NO_STATUS: 1005,
      WS_CLOSE_ABNORMAL: 1006,
      WS_CLOSE_INVALID_DATA: 1007,
      WS_CLOSE_POLICY: 1008,
      WS_CLOSE_TOO_LARGE: 1009,
      WS_CLOSE_EXTENSION: 1010,
      WS_CLOSE_UNEXPECTED: 1011,
      WS_CLOSE_SERVICE_RESTART: 1012,
      WS_CLOSE_TRY_AGAIN_LATER: 1013,
      WS_CLOSE_BAD_GATEWAY: 1014,
      WS_CLOSE_TLS_HANDSHAKE: 1015,
    });
  });

  it('may travel from 1000 to 1014 but for 1004 to 1006, and from 3000 to 4999 (§7.4.1, §7.4.2)', () => {
    const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
    const all = range(0, 65_535).filter(isSendableCloseCode);
    expect(all).toEqual([...range(1000, 1003), ...range(1007, 1014), ...range(3000, 4999)]);
  });

  it('are whole numbers', () => {
    for (const code of [1000.5, 3000.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(isSendableCloseCode(code)).toBe(false);
  });
});
