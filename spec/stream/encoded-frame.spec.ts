import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { serializeFrame } from '../../lib/protocol/frame-serializer.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_TEXT } from '../../lib/protocol/opcode.ts';
import { WS_MAX_FRAME_SIZE } from '../../lib/protocol/sizes.ts';
import { EncodedFrame, wireOf } from '../../lib/stream/encoded-frame.ts';

const frameOf = (length: number, options = {}): EncodedFrame =>
  new EncodedFrame(WS_OPCODE_BINARY, Buffer.alloc(length, 'x'), options);

describe('EncodedFrame', () => {
  it('has the bytes that a server would make of it, for every length and every bit (§5.2)', () => {
    const lengths = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(65_535, 65_536));
    fc.assert(
      fc.property(lengths, fc.boolean(), fc.integer({ min: 0, max: 7 }), (length, isFinal, rsv) => {
        const payload = Buffer.alloc(length, 'ä');
        const frame = new EncodedFrame(WS_OPCODE_TEXT, payload, { isFinal, rsv });
        const plain = new WsFrame(WS_OPCODE_TEXT, payload, { isFinal, rsv });
        expect(frame.wire?.equals(serializeFrame(plain, { role: 'server' }))).toBe(true);
        expect(Buffer.from(frame.payload).equals(payload)).toBe(true);
      }),
    );
  });

  it('keeps what it was made of, whatever becomes of the buffer', () => {
    const payload = Buffer.from('before');
    const frame = new EncodedFrame(WS_OPCODE_TEXT, payload);
    payload.fill('x');
    frame.drop();
    expect(frame.payloadText()).toBe('before');
    expect(frame.wire?.toString('latin1', 2)).toBe('before');
  });

  it('is fragments of at most 64 KiB where it is longer, each with its bytes (§5.4)', () => {
    const frame = frameOf(2 * WS_MAX_FRAME_SIZE + 5, { rsv: 4, compress: false });
    expect(wireOf(frame)).toBeUndefined();
    const fragments = [0, 1, 2].map((index) => frame.fragmentAt(index * WS_MAX_FRAME_SIZE));
    expect(fragments.map(({ opcode, isFinal, rsv, compress }) => ({ opcode, isFinal, rsv, compress }))).toEqual([
      { opcode: 2, isFinal: false, rsv: 4, compress: false },
      { opcode: 0, isFinal: false, rsv: 0, compress: false },
      { opcode: 0, isFinal: true, rsv: 0, compress: false },
    ]);
    expect(fragments.map((fragment) => wireOf(fragment)?.length)).toEqual([65_546, 65_546, 7]);
  });

  it('makes a variant once for each key', () => {
    const frame = frameOf(3);
    let made = 0;
    const variantOf = (key: string) =>
      frame.variant(key, () => {
        made++;
        return frameOf(made);
      });
    expect(variantOf('a')).toBe(variantOf('a'));
    expect(variantOf('b')).not.toBe(variantOf('a'));
    expect(made).toBe(2);
  });

  it('is joined once to the same bytes before it, up to 8 KiB', () => {
    const [first, other] = [frameOf(3), frameOf(4)];
    const frame = frameOf(125);
    const joined = frame.wireBehind(first.wire!);
    expect(joined?.equals(Buffer.concat([first.wire!, frame.wire!]))).toBe(true);
    expect(frame.wireBehind(first.wire!)).toBe(joined);
    expect(frame.wireBehind(other.wire!)).toHaveLength(133);
    expect(frame.wireBehind(frameOf(8192).wire!)).toBeUndefined();
    expect(frameOf(WS_MAX_FRAME_SIZE + 1).wireBehind(first.wire!)).toBeUndefined();
  });

  it('is told from frames that carry nothing', () => {
    expect(wireOf(WsFrame.text('x'))).toBeUndefined();
    expect(wireOf(frameOf(1))?.toString('latin1')).toBe('\x82\x01x');
  });
});
