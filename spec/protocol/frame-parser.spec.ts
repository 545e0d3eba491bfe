import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../lib/errors.ts';
import { FrameParser } from '../../lib/protocol/frame-parser.ts';
import type { FrameParserOptions } from '../../lib/protocol/frame-parser-options.ts';
import type { WsRole } from '../../lib/protocol/header-rules.ts';
import { oneByOne, otherRole, parseAll, plain } from '../vectors/any-frame.ts';
import { bits, FRAME_VECTORS, type FrameVector, KEY, pattern, VIOLATION_VECTORS, wire } from '../vectors/frames.ts';

const expected = ({ frames, sender }: FrameVector) =>
  frames.map(({ opcode, payload, isFinal = true, rsv = 0 }) => ({
    opcode,
    isFinal,
    payload: Buffer.from(payload).toString('hex'),
    rsv,
    isMasked: sender === 'client',
    remainingLength: 0,
  }));

const seen = (frames: ReturnType<typeof parseAll>['frames']) =>
  frames.map((frame) => ({
    ...plain(frame),
    rsv: frame.rsv,
    isMasked: frame.isMasked,
    remainingLength: frame.remainingLength,
  }));

describe.each(FRAME_VECTORS)('$name from a $sender ($section)', (vector) => {
  const options = { role: otherRole(vector.sender), ...vector.options };

  it('is read whole', () => {
    const { frames, error, parser } = parseAll([vector.bytes], options);
    expect(error).toBeUndefined();
    expect(seen(frames)).toEqual(expected(vector));
    expect(() => parser.end()).not.toThrow();
  });

  it('is read byte by byte', () => {
    expect(seen(parseAll(oneByOne(vector.bytes), options).frames)).toEqual(expected(vector));
  });

  it('is read before trailing data, at an odd offset of its memory', () => {
    const isClose = vector.frames.at(-1)?.opcode === 8;
    const ping = vector.sender === 'client' ? wire('1 000 1001 1 0000000', KEY) : wire('1 000 1001 0 0000000');
    const memory = wire('"odd', vector.bytes, ping, '10000001');
    const { frames, parser } = parseAll([memory.subarray(3)], options);
    expect(seen(frames.slice(0, vector.frames.length))).toEqual(expected(vector));
    expect(frames.length).toBe(vector.frames.length + (isClose ? 0 : 1));
    if (!isClose) expect(() => parser.end()).toThrow('inside a frame');
  });
});

describe.each(VIOLATION_VECTORS)('$what', ({ section, code, closeCode, role, bytes, before = 0, options }) => {
  const settings: FrameParserOptions = { role, ...options };

  it(`is rejected with ${closeCode} (${section})`, () => {
    const { frames, error } = parseAll([bytes], settings);
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code, closeCode });
    expect((error as ProtocolError).section).toBe(`RFC 6455 ${section}`);
    expect(frames).toHaveLength(before);
  });

  it('is rejected at its last byte and not before, byte by byte', () => {
    const pieces = oneByOne(bytes);
    expect(parseAll(pieces.slice(0, -1), settings).error).toBeUndefined();
    expect(parseAll(pieces, settings).error).toMatchObject({ code });
  });

  it('ends the parsing: what follows is not looked at (§7.1.7)', () => {
    const { parser } = parseAll([wire(bytes, pattern(64))], settings);
    parser.push(pattern(64));
    expect([parser.next(), parser.next()]).toEqual([null, null]);
    expect(parser.isDrained).toBe(true);
    expect(() => parser.end()).not.toThrow();
  });
});

describe('a switch', () => {
  it('allowNonMinimalLengths takes long forms of short lengths (§5.2)', () => {
    const short = wire('1 000 0010 0 1111110 00000000 00000001', '"a');
    const long = wire(`1 000 0010 0 1111111 ${'0'.repeat(56)} 00000001`, '"b');
    const { frames } = parseAll([short, long], { role: 'client', allowNonMinimalLengths: true });
    expect(frames.map((frame) => frame.payloadText())).toEqual(['a', 'b']);
  });

  it('validateUtf8: false lets text pass unread (§8.1)', () => {
    const { error, frames } = parseAll([wire('1 000 0001 0 0000001', '11111111')], {
      role: 'client',
      validateUtf8: false,
    });
    expect([error, frames.length]).toEqual([undefined, 1]);
  });

  it('maxFrameBytes is inclusive (§10.4)', () => {
    const { error } = parseAll([wire('1 000 0010 0 0010000', pattern(16))], { role: 'client', maxFrameBytes: 16 });
    expect(error).toBeUndefined();
  });

  it('allowedRsv keeps the checks off a compressed text, fragments and all, and puts them on the next (§8.1)', () => {
    const compressed = wire('0 100 0001 0 0000001', '11111111', '1 000 0000 0 0000001', '11111110');
    const { error, frames } = parseAll([wire(compressed, '1 000 0001 0 0000001', '11111111')], {
      role: 'client',
      allowedRsv: 4,
    });
    expect(error).toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });
    expect(frames.map(({ rsv }) => rsv)).toEqual([4, 0]);
  });

  it.each([
    [{ role: 'both' as WsRole }, TypeError],
    [{ role: undefined as unknown as WsRole }, TypeError],
    [{ role: 'client', maxSliceBytes: 0 }, RangeError],
    [{ role: 'client', maxSliceBytes: 1.5 }, RangeError],
    [{ role: 'client', maxSliceBytes: Number.NaN }, RangeError],
    [{ role: 'client', maxFrameBytes: -1 }, RangeError],
    [{ role: 'client', maxFrameBytes: '5' as unknown as number }, RangeError],
  ] satisfies [FrameParserOptions, ErrorConstructor][])('refuses %o', (options, kind) => {
    expect(() => new FrameParser(options)).toThrow(kind);
  });
});

describe('a payload that spans chunks', () => {
  const reserved = (length: number, ...pieces: readonly number[]): number[] => {
    const sizes: number[] = [];
    const allocate = (size: number): Uint8Array => {
      sizes.push(size);
      return new Uint8Array(size);
    };
    const parser = new FrameParser({ role: 'client', allocate });
    const payload = pattern(length);
    parser.push(wire('1 000 0010 0 1111110', Uint8Array.of(length >> 8, length & 255)));
    let at = 0;
    let frame = parser.next();
    for (const size of pieces) {
      parser.push(payload.subarray(at, (at += size)));
      frame = parser.next();
    }
    if (at === length) expect(frame?.payload).toEqual(payload);
    return sizes;
  };

  it.each([
    [4096, [1], [4096]],
    [60_000, [0], []],
    [60_000, [100], [256]],
    [60_000, [14_999], [14_999]],
    [60_000, [15_000], [60_000]],
    [60_000, [15_000, 10, 44_990], [60_000]],
    [60_000, [14_999, 1, 45_000], [14_999, 60_000]],
    [60_000, [100, 59_900], [256, 60_000]],
  ])('of %i bytes that comes in %j reserves %j', (length, pieces, sizes) => {
    expect(reserved(length, ...pieces)).toEqual(sizes);
  });
});

describe('the order of calls', () => {
  it('refuses a chunk, and the end, while the last chunk is not used up', () => {
    const parser = new FrameParser({ role: 'client' });
    parser.push(bits('1 000 1001 0 0000000'));
    expect(parser.isDrained).toBe(false);
    expect(() => parser.push(bits('10001001'))).toThrow(TypeError);
    expect(() => parser.end()).toThrow(TypeError);
    expect(parser.next()?.isPing()).toBe(true);
    expect(parser.next()).toBeNull();
    expect(() => parser.end()).not.toThrow();
  });

  it.each([
    ['inside a header', '10000010'],
    ['between header and payload', '1 000 0010 0 0000001'],
    ['inside a payload', '1 000 0010 0 0000010 00000000'],
  ])('says at the end that it came %s (§7.1.5)', (_where, picture) => {
    const { parser } = parseAll([bits(picture)], { role: 'client' });
    expect(() => parser.end()).toThrow(expect.objectContaining({ code: 'WS_ERR_TRUNCATED', closeCode: 1006 }));
    expect(() => parser.end()).not.toThrow();
    expect(parser.next()).toBeNull();
  });

  it('says at the end that it came between fragments (§7.1.5)', () => {
    const { parser } = parseAll([bits('0 000 0010 0 0000000')], { role: 'client' });
    expect(parser.isInsideMessage).toBe(true);
    expect(() => parser.end()).toThrow('between fragments');
  });

  it('knows when a message is open', () => {
    const parser = new FrameParser({ role: 'client' });
    const states = ['0 000 0001 0 0000000', '1 000 1010 0 0000000', '1 000 0000 0 0000000'].map((picture) => {
      parser.push(bits(picture));
      parser.next();
      return parser.isInsideMessage;
    });
    expect(states).toEqual([true, true, false]);
  });
});

describe('behind a close frame', () => {
  const close = '1 000 1000 0 0000010 00000011 11101000';

  it('discards whatever follows, be it frames or not (§5.5.1)', () => {
    const { frames, error, parser } = parseAll([wire(close, '1 000 0010 0 0000000', '"junk'), pattern(99)], {
      role: 'client',
    });
    expect([frames.length, frames[0]?.closeCode(), error]).toEqual([1, 1000, undefined]);
    expect(() => parser.end()).not.toThrow();
  });

  it('takes the message as given up that the close frame has interrupted (§5.4)', () => {
    const { parser, error } = parseAll([wire('0 000 0010 0 0000000', close)], { role: 'client' });
    expect(error).toBeUndefined();
    expect(() => parser.end()).not.toThrow();
  });
});

describe('the bytes handed over', () => {
  const whole = wire(
    bits('1 000 0010 1 0000100'),
    KEY,
    pattern(4).map((byte, at) => byte ^ KEY[at]!),
  );

  it('are unmasked in place where the parser owns them, and a payload is a view of them', () => {
    const owned = whole.slice();
    const { frames } = parseAll([owned], { role: 'server', ownsChunks: true });
    expect([frames[0]!.payload.buffer === owned.buffer, owned.subarray(6)]).toEqual([true, pattern(4)]);
  });

  it('are left as they were where it does not', () => {
    for (const ownsChunks of [undefined, false]) {
      const mine = whole.slice();
      const { frames } = parseAll([mine], { role: 'server', ownsChunks });
      expect([frames[0]!.payload, mine]).toEqual([pattern(4), whole]);
    }
  });

  it('are never copied for a client, who unmasks nothing', () => {
    const chunk = wire(bits('1 000 0010 0 0000100'), pattern(4));
    expect(parseAll([chunk], { role: 'client' }).frames[0]!.payload.buffer).toBe(chunk.buffer);
  });

  it('are let go of at a violation, and not taken any more behind it or behind a close frame', () => {
    for (const [start, error] of [
      ['1 000 0011 0 0000000', expect.any(ProtocolError)],
      ['1 000 1000 0 0000000', undefined],
    ] as const) {
      const { parser, error: thrown } = parseAll([wire(bits(start), pattern(9))], { role: 'client' });
      expect([thrown, parser.isDrained]).toEqual([error, true]);
      parser.push(pattern(3));
      parser.push(pattern(3));
      expect([parser.isDrained, parser.next()]).toEqual([true, null]);
    }
  });
});

it('names the limit that makes no sense, and says what has to come first', () => {
  const make = (options: Partial<FrameParserOptions>) => () => new FrameParser({ role: 'client', ...options });
  expect(make({ maxFrameBytes: -1 })).toThrow('maxFrameBytes must');
  expect(make({ maxSliceBytes: 0 })).toThrow('maxSliceBytes must');
  const parser = make({})();
  parser.push(bits('1 000 0010 0 0000100'));
  expect(() => parser.push(pattern(1))).toThrow('call next() until it gives null');
  parser.next();
  expect(() => parser.end()).toThrow(': inside a frame (');
});

describe('a frame above maxSliceBytes', () => {
  const slices = (payload: number, maxSliceBytes: number, chunks: (bytes: Uint8Array) => Uint8Array[]): string[] => {
    const bytes = wire(bits(`1 000 0010 0 ${payload.toString(2).padStart(7, '0')}`), pattern(payload));
    const { frames, error } = parseAll(chunks(bytes), { role: 'client', maxSliceBytes });
    expect(error).toBeUndefined();
    expect(Buffer.concat(frames.map((frame) => frame.payload))).toEqual(Buffer.from(pattern(payload)));
    return frames.map(
      ({ opcode, isFinal, payload: { length }, remainingLength }) =>
        `${opcode} ${isFinal} ${length}+${remainingLength}`,
    );
  };
  const atOnce = (bytes: Uint8Array): Uint8Array[] => [bytes];

  it('passes on in slices of that size: the first with the opcode, FIN on the last (§5.4)', () => {
    expect(slices(10, 4, atOnce)).toEqual(['2 false 4+6', '0 false 4+2', '0 true 2+0']);
    expect(slices(8, 4, atOnce)).toEqual(['2 false 4+4', '0 true 4+0']);
    expect(slices(4, 4, atOnce)).toEqual(['2 true 4+0']);
  });

  it('is announced when its header is there, and passes on as it comes', () => {
    const bytewise = slices(5, 4, oneByOne);
    expect(slices(4, 4, oneByOne)).toEqual(['2 true 4+0']);
    expect(bytewise).toEqual(['2 false 0+5', '0 false 1+4', '0 false 1+3', '0 false 1+2', '0 false 1+1', '0 true 1+0']);
  });

  it('has its reserved bits on the first slice only; control frames are never sliced (§5.5)', () => {
    const marked = wire(bits('1 100 0010 0 0000011'), pattern(3));
    const { frames } = parseAll([marked], { role: 'client', maxSliceBytes: 2, allowedRsv: 4 });
    expect(frames.map(({ rsv }) => rsv)).toEqual([4, 0]);
    const ping = wire(bits('1 000 1001 0 0000011'), pattern(3));
    expect(parseAll([ping], { role: 'client', maxSliceBytes: 2 }).frames.map(({ payload }) => payload.length)).toEqual([
      3,
    ]);
  });
});
