import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrame, WsFrame } from '../../lib/protocol/frame.ts';
import { isFragment, MessageAssembler } from '../../lib/protocol/message-assembler.ts';
import { anyCuts, cutAt } from '../vectors/any-frame.ts';
import { pattern } from '../vectors/frames.ts';

const fragments = (pieces: readonly Uint8Array[]): WsFrame[] =>
  pieces.map((piece, i) => createFrame(i === 0 ? 2 : 0, piece, i === pieces.length - 1, true, i === 0 ? 4 : 0, 0));

describe('a message', () => {
  it('is put together from its fragments, as the first one has named it (§5.4)', () => {
    fc.assert(
      fc.property(fc.nat(20_000), anyCuts, (length, cuts) => {
        const assembler = new MessageAssembler({ maxMessageBytes: length });
        const frames = fragments(cutAt(pattern(length), cuts));
        const given = frames.map((frame) => assembler.push(frame));
        expect(given.slice(0, -1).every((message) => message === null)).toBe(true);
        const message = given.at(-1)!;
        expect(message).toMatchObject({ opcode: 2, isFinal: true, isMasked: true, rsv: 4, remainingLength: 0 });
        expect(Buffer.compare(message.payload, pattern(length))).toBe(0);
        expect(assembler.isInsideMessage).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('of one frame is that frame (§5.4)', () => {
    const frame = WsFrame.text('whole');
    expect(new MessageAssembler({ maxMessageBytes: 5 }).push(frame)).toBe(frame);
  });

  it('follows a message', () => {
    const assembler = new MessageAssembler({ maxMessageBytes: 100 });
    const read = (text: string) => {
      const [first, second] = fragments([Buffer.from(text), Buffer.from('!')]);
      expect([assembler.push(first!), assembler.isInsideMessage]).toEqual([null, true]);
      return assembler.push(second!)?.payloadText();
    };
    expect([read('one'), read('two')]).toEqual(['one!', 'two!']);
  });

  it('is forgotten by drop', () => {
    const assembler = new MessageAssembler({ maxMessageBytes: 4 });
    assembler.drop();
    assembler.push(fragments([pattern(4), pattern(0)])[0]!);
    assembler.drop();
    expect(assembler.isInsideMessage).toBe(false);
    expect(assembler.push(fragments([pattern(4), pattern(0)])[0]!)).toBeNull();
  });
});

describe('a fragment', () => {
  const whole = pattern(40_000);
  /** @returns what is left of each fragment when the message is whole */
  const left = (sizes: readonly number[], emptiesFragments: boolean | undefined): number[] => {
    const assembler = new MessageAssembler({ maxMessageBytes: 40_000, emptiesFragments });
    let at = 0;
    // Each in memory of its own: large ones are kept as they are.
    const frames = fragments(sizes.map((size) => whole.slice(at, (at += size))));
    const message = frames.map((frame) => assembler.push(frame)).at(-1);
    expect(Buffer.compare(message!.payload, whole)).toBe(0);
    return frames.map(({ payload }) => payload.length);
  };

  it.each([undefined, false])('is left as it is (emptiesFragments: %s)', (emptiesFragments) => {
    expect(left([100, 30_000, 9_900], emptiesFragments)).toEqual([100, 30_000, 9_900]);
  });

  it('is emptied when it has been copied, where that is wanted', () => {
    expect(left([100, 30_000, 9_900], true)).toEqual([0, 30_000, 0]);
    expect(left([30_000, 100, 9_900], true)).toEqual([30_000, 0, 0]);
  });
});

describe('takePartial', () => {
  it('gives nothing outside a message', () => {
    const assembler = new MessageAssembler({ maxMessageBytes: 100 });
    expect(assembler.takePartial()).toBeUndefined();
    assembler.push(WsFrame.text('whole'));
    expect(assembler.takePartial()).toBeUndefined();
  });

  it('gives what has come as the first fragment of its message, and forgets it (§5.4)', () => {
    const assembler = new MessageAssembler({ maxMessageBytes: 100 });
    const [one, two, three] = fragments([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
    assembler.push(one!);
    assembler.push(two!);
    const partial = assembler.takePartial()!;
    expect(partial).toMatchObject({ opcode: 2, isFinal: false, isMasked: true, rsv: 4, remainingLength: 0 });
    expect(partial.payloadText()).toBe('ab');
    expect([assembler.isInsideMessage, assembler.takePartial()]).toEqual([false, undefined]);
    // Whoever gets it back goes on where it was.
    expect(assembler.push(partial)).toBeNull();
    expect(assembler.push(three!)?.payloadText()).toBe('abc');
  });

  it('gives a fragment of nothing where nothing but the header has come', () => {
    const assembler = new MessageAssembler({ maxMessageBytes: 100 });
    assembler.push(fragments([pattern(0), pattern(1)])[0]!);
    expect(assembler.takePartial()).toMatchObject({ opcode: 2, isFinal: false, payloadLength: 0 });
  });
});

describe('maxMessageBytes', () => {
  const tooLarge = expect.objectContaining({ code: 'WS_ERR_MESSAGE_TOO_LARGE', closeCode: 1009 });

  it('rejects a whole frame above it with 1009, and takes one at it (§10.4)', () => {
    const assembler = new MessageAssembler({ maxMessageBytes: 10 });
    expect(assembler.push(WsFrame.binary(pattern(10)))).not.toBeNull();
    expect(() => assembler.push(WsFrame.binary(pattern(11)))).toThrow(tooLarge);
  });

  it('rejects the fragment that goes beyond it, however small (§10.4)', () => {
    const assembler = new MessageAssembler({ maxMessageBytes: 10 });
    const [first, second, third] = fragments([pattern(6), pattern(4), pattern(1)]);
    assembler.push(first!);
    assembler.push(second!);
    expect(() => assembler.push(third!)).toThrow(tooLarge);
  });

  it('rejects a slice by what its frame has announced (§10.4)', () => {
    const assembler = new MessageAssembler({ maxMessageBytes: 10 });
    expect(() => assembler.push(createFrame(2, pattern(1), false, true, 0, 10))).toThrow(tooLarge);
    expect(assembler.push(createFrame(2, pattern(1), false, true, 0, 9))).toBeNull();
  });
});

describe('memory', () => {
  it('stays at the size of the message for a fragment of each byte (§5.4)', () => {
    let allocated = 0;
    const allocate = (size: number): Uint8Array => {
      allocated += size;
      return new Uint8Array(size);
    };
    const assembler = new MessageAssembler({ maxMessageBytes: 200_000, allocate });
    const [first, next] = fragments([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
    assembler.push(first!);
    for (let i = 1; i < 100_000; i++) assembler.push(next!);
    expect(allocated).toBeLessThan(200_000);
  });

  it('is made for what a frame has announced when a quarter of the message is there, and not before (§10.4)', () => {
    const sizes: number[] = [];
    const allocate = (size: number): Uint8Array => {
      sizes.push(size);
      return new Uint8Array(size);
    };
    const assembler = new MessageAssembler({ maxMessageBytes: 400_000, allocate });
    const payload = pattern(400_000);
    const slice = (from: number, to: number): WsFrame =>
      createFrame(from === 0 ? 2 : 0, payload.slice(from, to), to === 400_000, true, 0, 400_000 - to);
    assembler.push(slice(0, 65_536));
    assembler.push(slice(65_536, 99_999));
    expect(sizes).toEqual([]);
    assembler.push(slice(99_999, 100_000));
    expect(sizes).toEqual([400_000]);
    assembler.push(slice(100_000, 399_000));
    expect(Buffer.compare(assembler.push(slice(399_000, 400_000))!.payload, payload)).toBe(0);
    expect(sizes).toEqual([400_000]);
  });

  it.each([
    ['for what is announced', createFrame(0, pattern(5000), false, true, 0, 10_000)],
    ['for the whole', createFrame(0, pattern(10), true, true, 0, 0)],
  ])('that cannot be had %s is a message that is too large, whatever the limit says (§10.4)', (_, frame) => {
    const cause = new RangeError('Array buffer allocation failed');
    const allocate = (): Uint8Array => {
      throw cause;
    };
    const assembler = new MessageAssembler({ maxMessageBytes: Number.POSITIVE_INFINITY, allocate });
    assembler.push(createFrame(2, pattern(5000), false, true, 0, 0));
    const message = expect.stringContaining('the limit is more than there is memory for');
    const error = { code: 'WS_ERR_MESSAGE_TOO_LARGE', closeCode: 1009, message, cause };
    expect(() => assembler.push(frame)).toThrow(expect.objectContaining(error));
  });
});

describe('isFragment', () => {
  it.each([
    [WsFrame.text('whole'), false],
    [WsFrame.ping(), false],
    [new WsFrame(1, pattern(1), { isFinal: false }), true],
    [new WsFrame(0, pattern(1), { isFinal: false }), true],
    [new WsFrame(0, pattern(1)), true],
  ])('tells a piece from a whole message: %#', (frame, is) => {
    expect(isFragment(frame)).toBe(is);
  });
});

it('begins to count anew behind what was handed out in part (§10.4)', () => {
  const assembler = new MessageAssembler({ maxMessageBytes: 4 });
  assembler.push(fragments([pattern(4), pattern(0)])[0]!);
  assembler.takePartial();
  expect(assembler.push(WsFrame.binary(pattern(4)))).not.toBeNull();
  expect(() => assembler.push(WsFrame.binary(pattern(5)))).toThrow('at least 5 bytes');
});
