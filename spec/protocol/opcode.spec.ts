import { describe, expect, it } from 'vitest';
import * as opcodes from '../../lib/protocol/opcode.ts';

const { isControlOpcode, isKnownOpcode, ...constants } = opcodes;

describe('opcodes', () => {
  it('have the values of the registry (§11.8)', () => {
    expect(constants).toEqual({
      WS_OPCODE_CONTINUATION: 0,
      WS_OPCODE_TEXT: 1,
      WS_OPCODE_BINARY: 2,
      WS_OPCODE_CLOSE: 8,
      WS_OPCODE_PING: 9,
      WS_OPCODE_PONG: 10,
    });
  });

  it('are known where RFC 6455 defines them (§5.2)', () => {
    const all = Array.from({ length: 16 }, (_, opcode) => opcode);
    expect(all.filter(isKnownOpcode)).toEqual([0, 1, 2, 8, 9, 10]);
    expect([-1, 16, 1.5, Number.NaN, '1' as unknown as number].filter(isKnownOpcode)).toEqual([]);
  });

  it('control where their highest bit is set (§5.5)', () => {
    const all = Array.from({ length: 16 }, (_, opcode) => opcode);
    expect(all.filter(isControlOpcode)).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
  });
});
