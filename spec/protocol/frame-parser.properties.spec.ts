import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../lib/errors.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { serializeFrame } from '../../lib/protocol/frame-serializer.ts';
import {
  anyConversation,
  anyCuts,
  cutAt,
  encodeAll,
  oneByOne,
  otherRole,
  parseAll,
  plain,
} from '../vectors/any-frame.ts';
import { bits, KEY, maskNaively, pattern, wire } from '../vectors/frames.ts';

describe('any frames, in any chunks', () => {
  it('come out as they went in, in both roles (§5.2)', () => {
    fc.assert(
      fc.property(anyConversation, anyCuts, fc.boolean(), ({ sender, frames }, cuts, ownsChunks) => {
        const chunks = cutAt(encodeAll(frames, sender), cuts);
        const { frames: out, error, parser } = parseAll(chunks, { role: otherRole(sender), ownsChunks, isUtf8 });
        expect(error).toBeUndefined();
        expect(out.map(plain)).toEqual(frames.map(plain));
        parser.end();
      }),
      { numRuns: 300 },
    );
  });

  it('come out in slices that join to the same frames (§5.4)', () => {
    fc.assert(
      fc.property(
        anyConversation,
        anyCuts,
        fc.integer({ min: 1, max: 300 }),
        ({ sender, frames }, cuts, maxSliceBytes) => {
          const chunks = cutAt(encodeAll(frames, sender), cuts);
          const { frames: slices, error } = parseAll(chunks, { role: otherRole(sender), maxSliceBytes });
          expect(error).toBeUndefined();
          expect(joinSlices(slices, maxSliceBytes).map(plain)).toEqual(frames.map(plain));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('leave the chunks as they were (§5.3)', () => {
    fc.assert(
      fc.property(anyConversation, anyCuts, ({ sender, frames }, cuts) => {
        const bytes = encodeAll(frames, sender);
        const copy = bytes.slice();
        parseAll(cutAt(bytes, cuts), { role: otherRole(sender) });
        expect(Buffer.compare(bytes, copy)).toBe(0);
      }),
    );
  });
});

/** Puts the slices of each frame together again, and checks each of them on the way. */
function joinSlices(slices: readonly WsFrame[], maxSliceBytes: number): WsFrame[] {
  const frames: WsFrame[] = [];
  let open: WsFrame[] = [];
  for (const slice of slices) {
    const previous = open.at(-1);
    if (!slice.isControl()) expect(slice.payloadLength).toBeLessThanOrEqual(maxSliceBytes);
    if (previous !== undefined) {
      expect(slice.opcode).toBe(0);
      expect(slice.rsv).toBe(0);
      expect(slice.remainingLength).toBe(previous.remainingLength - slice.payloadLength);
      expect(slice.payloadLength).toBeGreaterThan(0);
    }
    open.push(slice);
    if (slice.remainingLength > 0) {
      expect(slice.isFinal).toBe(false);
      continue;
    }
    const payload = new Uint8Array(Buffer.concat(open.map((piece) => piece.payload)));
    frames.push(new WsFrame(open[0]!.opcode, payload, { isFinal: slice.isFinal }));
    open = [];
  }
  expect(open).toEqual([]);
  return frames;
}

describe('random bytes', () => {
  const anyOptions = fc.record({
    role: fc.constantFrom<'client' | 'server'>('client', 'server'),
    maxSliceBytes: fc.constantFrom(1, 7, 65_536, Number.POSITIVE_INFINITY),
    allowNonMinimalLengths: fc.boolean(),
    allowedRsv: fc.integer({ min: 0, max: 7 }),
    ownsChunks: fc.boolean(),
  });
  /** Bytes that look like headers more often than chance would have it. */
  const anyJunk = fc.array(
    fc.oneof(fc.constantFrom(0, 1, 2, 0x80, 0x81, 0x82, 0x88, 0x89, 126, 127, 254), fc.nat(255)),
    {
      maxLength: 200,
    },
  );

  it('give frames, or a ProtocolError, and nothing else', () => {
    fc.assert(
      fc.property(anyJunk, anyCuts, anyOptions, (junk, cuts, options) => {
        const { error, frames, parser } = parseAll(cutAt(Uint8Array.from(junk), cuts), options);
        if (error !== undefined) expect(error).toBeInstanceOf(ProtocolError);
        expect(frames.reduce((sum, { payloadLength }) => sum + payloadLength, 0)).toBeLessThanOrEqual(junk.length);
        try {
          parser.end();
        } catch (truncated) {
          expect(truncated).toMatchObject({ code: 'WS_ERR_TRUNCATED' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('give the same in one chunk and byte by byte', () => {
    fc.assert(
      fc.property(anyJunk, (junk) => {
        const bytes = Uint8Array.from(junk);
        const whole = parseAll([bytes], { role: 'client' });
        const single = parseAll(oneByOne(bytes), { role: 'client' });
        expect(single.frames.map(plain)).toEqual(whole.frames.map(plain));
        expect(single.error).toEqual(whole.error);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a masked frame', () => {
  it('keeps the RSV bits on its first slice (§5.2)', () => {
    const bytes = wire('1 100 0010 1 0000100', KEY, maskNaively(pattern(4), KEY));
    const { frames } = parseAll([bytes], { role: 'server', maxSliceBytes: 3, allowedRsv: 4 });
    const told = frames.map(({ opcode, rsv, isFinal, isMasked, remainingLength }) => [
      opcode,
      rsv,
      isFinal,
      isMasked,
      remainingLength,
    ]);
    expect(told).toEqual([
      [2, 4, false, true, 1],
      [0, 0, true, true, 0],
    ]);
  });

  it('is a view of the chunk, unmasked in place, where the chunk is ours', () => {
    const bytes = Buffer.from(serializeFrame(WsFrame.binary(pattern(300)), { role: 'client' }));
    const { frames } = parseAll([bytes], { role: 'server', ownsChunks: true });
    expect(frames[0]!.payload.buffer).toBe(bytes.buffer);
    expect(Buffer.compare(bytes.subarray(-300), pattern(300))).toBe(0);
  });

  it('is a Buffer where Buffers came in', () => {
    const bytes = Buffer.from(serializeFrame(WsFrame.binary(pattern(10)), { role: 'client' }));
    const { frames } = parseAll([bytes], { role: 'server' });
    expect(Buffer.isBuffer(frames[0]!.payload)).toBe(true);
  });
});

describe('memory', () => {
  const counting = () => {
    const sizes: number[] = [];
    const allocate = (size: number): Uint8Array => {
      sizes.push(size);
      return new Uint8Array(size);
    };
    return { sizes, allocate };
  };

  it.each([
    ['2^31', '0'.repeat(32) + '1'.padEnd(32, '0')],
    ['2^53 - 1', '0'.repeat(11) + '1'.repeat(53)],
  ])('is not reserved for a declared length of %s (§10.4)', (_length, picture) => {
    const { sizes, allocate } = counting();
    const chunks = [bits(`1 000 0010 0 1111111 ${picture}`), pattern(100), pattern(1000)];
    const { error } = parseAll(chunks, { role: 'client', allocate });
    expect(error).toBeUndefined();
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(5000);
  });

  it('is not reserved for a declared length of 2^62, which is refused (§10.4)', () => {
    const { sizes, allocate } = counting();
    const { error } = parseAll([bits(`1 000 0010 0 1111111 01${'0'.repeat(62)}`)], { role: 'client', allocate });
    expect(error).toMatchObject({ code: 'WS_ERR_FRAME_TOO_LARGE' });
    expect(sizes).toEqual([]);
  });

  it('is taken once for a small payload that spans chunks', () => {
    const { sizes, allocate } = counting();
    const bytes = serializeFrame(WsFrame.binary(pattern(4096)), { role: 'server' });
    const { frames } = parseAll(oneByOne(bytes), { role: 'client', allocate });
    expect(Buffer.compare(frames[0]!.payload, pattern(4096))).toBe(0);
    expect(sizes).toEqual([4096]);
  });

  it('is not taken at all for a frame inside one chunk', () => {
    const { sizes, allocate } = counting();
    parseAll([serializeFrame(WsFrame.binary(pattern(70_000)), { role: 'server' })], { role: 'client', allocate });
    expect(sizes).toEqual([]);
  });
});

describe('bytes that come one by one', () => {
  /** Counts how often the parser looks at its chunks, for so many bytes of headers and payloads. */
  function countLooks(frames: number): number {
    const bytes = new Uint8Array(Buffer.concat(Array.from({ length: frames }, () => encodeAll([FRAME], 'server'))));
    let looks = 0;
    const watched = (chunk: Uint8Array): Uint8Array =>
      new Proxy(chunk, {
        get(target, name) {
          looks++;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    const { frames: out, error } = parseAll(oneByOne(bytes).map(watched), { role: 'client' });
    expect([out.length, error]).toEqual([frames, undefined]);
    return looks;
  }
  const FRAME = WsFrame.binary(pattern(130));

  it('cost the same each, in headers and payloads', () => {
    const few = countLooks(10);
    expect(few / 10 / 134).toBeLessThan(20);
    expect(countLooks(20)).toBe(2 * few);
  });
});
