import { describe, expect, it } from 'vitest';
import { type BytesLike, createFrame, toBytes, WsFrame } from '../../lib/protocol/frame.ts';
import type { WsOpcode } from '../../lib/protocol/opcode.ts';
import { pattern } from '../vectors/frames.ts';

describe('a frame', () => {
  it('has what it was given, and plain values for the rest', () => {
    const payload = pattern(3);
    const plain = new WsFrame(2, payload);
    expect(plain).toMatchObject({
      opcode: 2,
      isFinal: true,
      isMasked: false,
      rsv: 0,
      remainingLength: 0,
      compress: undefined,
      payloadLength: 3,
    });
    expect(plain.payload).toBe(payload);
    expect(new WsFrame(0, payload, { isFinal: false, isMasked: true, rsv: 7 })).toMatchObject({
      isFinal: false,
      isMasked: true,
      rsv: 7,
    });
  });

  it.each<[WsFrame, string]>([
    [new WsFrame(0, pattern(0)), 'isContinuation'],
    [WsFrame.text(''), 'isText'],
    [WsFrame.binary(pattern(0)), 'isBinary'],
    [WsFrame.close(), 'isClose'],
    [WsFrame.ping(), 'isPing'],
    [WsFrame.pong(), 'isPong'],
  ])('tells its kind (§5.2)', (frame, kind) => {
    const kinds = ['isContinuation', 'isText', 'isBinary', 'isClose', 'isPing', 'isPong'] as const;
    expect(kinds.filter((name) => frame[name]())).toEqual([kind]);
    expect(frame.isControl()).toBe(['isClose', 'isPing', 'isPong'].includes(kind));
  });

  it.each([3, 7, 11, 15, 16, -1, 1.5, Number.NaN, '1', undefined])('refuses opcode %o (§5.2)', (opcode) => {
    expect(() => new WsFrame(opcode as WsOpcode, pattern(0))).toThrow(RangeError);
  });

  it.each([5, 'text', null, undefined, [1], new ArrayBuffer(4)])('refuses the payload %o', (payload) => {
    expect(() => new WsFrame(2, payload as unknown as Uint8Array)).toThrow(TypeError);
  });

  it.each([-1, 8, 0.5, Number.NaN, '4'])('refuses the reserved bits %o (§5.2)', (rsv) => {
    expect(() => new WsFrame(2, pattern(0), { rsv: rsv as number })).toThrow(RangeError);
  });

  it.each([8, 9, 10] as const)('refuses a control frame %i of 126 bytes, or not final (§5.5)', (opcode) => {
    expect(() => new WsFrame(opcode, pattern(126))).toThrow(RangeError);
    expect(() => new WsFrame(opcode, pattern(125), { isFinal: false })).toThrow(TypeError);
    expect(new WsFrame(opcode, pattern(125)).payloadLength).toBe(125);
  });

  it('lets go of its payload', () => {
    const frame = WsFrame.text('large');
    frame.drop();
    expect([frame.payloadLength, frame.payloadText()]).toEqual([0, '']);
    const other = WsFrame.text('large');
    other[Symbol.dispose]();
    expect(other.payloadLength).toBe(0);
  });

  it.each([true, false, undefined])('says whether it is to be compressed: %o', (compress) => {
    expect(new WsFrame(2, pattern(0), { compress }).compress).toBe(compress);
    expect(createFrame(2, pattern(0), true, false, 0, 0, compress).compress).toBe(compress);
  });

  it('made by a machine has what the machine says', () => {
    expect(createFrame(1, pattern(2), false, true, 4, 99)).toMatchObject({
      isFinal: false,
      isMasked: true,
      rsv: 4,
      remainingLength: 99,
    });
  });
});

describe('text', () => {
  it('goes out as UTF-8 and comes back (§5.6)', () => {
    expect([...WsFrame.text('é').payload]).toEqual([0xc3, 0xa9]);
    expect(WsFrame.text('añ€𝄞').payloadText()).toBe('añ€𝄞');
  });

  it.each([5, null, undefined, {}, pattern(1)])('is a string and not %o', (message) => {
    expect(() => WsFrame.text(message as string)).toThrow(TypeError);
  });
});

describe('bytes', () => {
  it('are taken over the same memory, whatever shows them', () => {
    const memory = pattern(16).buffer as ArrayBuffer;
    expect(WsFrame.binary(memory).payload.buffer).toBe(memory);
    expect([...toBytes(new DataView(memory, 3, 2) as unknown as BytesLike)]).toEqual([...pattern(5).subarray(3)]);
    expect(toBytes(new Float64Array(memory, 8, 1) as unknown as BytesLike).byteOffset).toBe(8);
    const bytes = pattern(2);
    expect(WsFrame.binary(bytes).payload).toBe(bytes);
  });

  it.each([1000, '5', null, undefined, {}, [1], new SharedArrayBuffer(4)])('are not made from %o', (data) => {
    expect(() => WsFrame.binary(data as Uint8Array)).toThrow(TypeError);
    // Only a string and nothing at all mean something else to a ping.
    if (typeof data === 'string' || data === undefined) return;
    expect(() => WsFrame.ping(data as unknown as Uint8Array)).toThrow(TypeError);
    expect(() => WsFrame.pong(data as unknown as Uint8Array)).toThrow(TypeError);
  });
});

describe('ping and pong', () => {
  it('take text or bytes of up to 125 bytes, or nothing (§5.5.2, §5.5.3)', () => {
    expect(WsFrame.ping('hé').payloadText()).toBe('hé');
    expect(WsFrame.pong(pattern(125)).payloadLength).toBe(125);
    expect(WsFrame.ping(pattern(4).buffer as ArrayBuffer).payloadLength).toBe(4);
    expect(WsFrame.pong().payloadLength).toBe(0);
    expect(() => WsFrame.ping('é'.repeat(63))).toThrow(RangeError);
  });
});

describe('close', () => {
  it('carries code and reason (§5.5.1)', () => {
    const frame = WsFrame.close(4000, 'why');
    expect([frame.closeCode(), frame.closeReason()]).toEqual([4000, 'why']);
    expect([WsFrame.close().closeCode(), WsFrame.close().closeReason()]).toEqual([1005, '']);
  });

  it('refuses what may not be sent (§7.4)', () => {
    expect(() => WsFrame.close(1005)).toThrow(RangeError);
    expect(() => WsFrame.close(1000, pattern(4) as unknown as string)).toThrow(TypeError);
  });

  it('has no code and no reason in other frames', () => {
    const frame = WsFrame.binary(Uint8Array.of(3, 232, 65));
    expect([frame.closeCode(), frame.closeReason()]).toEqual([1005, '']);
  });
});

it.each<[string, () => unknown]>([
  ['Opcode 3 is not defined (RFC 6455 §5.2)', () => new WsFrame(3 as WsOpcode, new Uint8Array(0))],
  ['The payload of a frame must be a Uint8Array', () => new WsFrame(1, 'text' as never)],
  ['A text message must be a string', () => WsFrame.text(5 as never)],
  ['Binary data must be a Uint8Array or an ArrayBuffer', () => WsFrame.binary('text' as never)],
  ['A control frame holds at most 125 bytes, not 126 (RFC 6455 §5.5)', () => WsFrame.ping(new Uint8Array(126))],
  ['A control frame cannot be fragmented (RFC 6455 §5.5)', () => new WsFrame(9, new Uint8Array(0), { isFinal: false })],
  ['The reserved bits are a number from 0 to 7', () => new WsFrame(1, new Uint8Array(0), { rsv: 8 })],
])('that cannot be is refused: %s', (message, make) => {
  expect(make).toThrow(message);
});
