import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeUtf8, encodeUtf8, Utf8Validator } from '../../lib/protocol/utf8.ts';
import { anyCuts, cutAt } from '../vectors/any-frame.ts';
import { anyText } from '../vectors/any-text.ts';

/** Table 3-7 of the Unicode standard, written out: the first byte that fits none of the rows. */
const ROWS: readonly (readonly (readonly [number, number])[])[] = [
  [[0x00, 0x7f]],
  [
    [0xc2, 0xdf],
    [0x80, 0xbf],
  ],
  [
    [0xe0, 0xe0],
    [0xa0, 0xbf],
    [0x80, 0xbf],
  ],
  [
    [0xe1, 0xec],
    [0x80, 0xbf],
    [0x80, 0xbf],
  ],
  [
    [0xed, 0xed],
    [0x80, 0x9f],
    [0x80, 0xbf],
  ],
  [
    [0xee, 0xef],
    [0x80, 0xbf],
    [0x80, 0xbf],
  ],
  [
    [0xf0, 0xf0],
    [0x90, 0xbf],
    [0x80, 0xbf],
    [0x80, 0xbf],
  ],
  [
    [0xf1, 0xf3],
    [0x80, 0xbf],
    [0x80, 0xbf],
    [0x80, 0xbf],
  ],
  [
    [0xf4, 0xf4],
    [0x80, 0x8f],
    [0x80, 0xbf],
    [0x80, 0xbf],
  ],
];

function judgeNaively(bytes: readonly number[]): { wrong: number; isComplete: boolean } {
  for (let at = 0; at < bytes.length; ) {
    const row = ROWS.find(([lead]) => bytes[at]! >= lead![0] && bytes[at]! <= lead![1]);
    if (row === undefined) return { wrong: at, isComplete: false };
    for (const [low, high] of row) {
      if (at === bytes.length) return { wrong: -1, isComplete: false };
      if (bytes[at]! < low || bytes[at]! > high) return { wrong: at, isComplete: false };
      at++;
    }
  }
  return { wrong: -1, isComplete: true };
}

function judge(pieces: readonly Uint8Array[], validator: Utf8Validator): { wrong: number; isComplete: boolean } {
  let before = 0;
  for (const piece of pieces) {
    const wrong = validator.push(piece);
    if (wrong !== -1) return { wrong: before + wrong, isComplete: false };
    before += piece.length;
  }
  return { wrong: -1, isComplete: validator.isComplete };
}

function isFatal(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return false;
  } catch {
    return true;
  }
}

/** Text, most of it long enough for the native judge, with a few bytes spoilt. */
const anyNearlyText = fc
  .record({
    texts: fc.array(fc.oneof(anyText(), fc.constantFrom('ascii '.repeat(12), 'é€𝄞߿ࠀ퟿'.repeat(6))), {
      maxLength: 6,
    }),
    spoilt: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 2 }),
    end: fc.nat(5),
  })
  .map(({ texts, spoilt, end }) => {
    const whole = encodeUtf8(texts.join(''));
    const bytes = whole.slice(0, Math.max(0, whole.length - end));
    for (const [at, byte] of spoilt) if (at < bytes.length) bytes[at] = byte;
    return bytes;
  });

describe.each([
  ['with the native judge', isUtf8],
  ['without it', undefined],
])('the UTF-8 machine, %s', (_how, native) => {
  const fresh = (): Utf8Validator => new Utf8Validator(native);

  it('agrees with a fatal TextDecoder, however the bytes are cut (§8.1)', () => {
    fc.assert(
      fc.property(anyNearlyText, anyCuts, (bytes, cuts) => {
        const { wrong, isComplete } = judge(cutAt(bytes, cuts), fresh());
        expect(wrong !== -1 || !isComplete).toBe(isFatal(bytes));
      }),
      { numRuns: 1500 },
    );
  });

  it('names the byte that a naive reading of the table names, however the bytes are cut (§8.1)', () => {
    fc.assert(
      fc.property(anyNearlyText, anyCuts, (bytes, cuts) => {
        expect(judge(cutAt(bytes, cuts), fresh())).toEqual(judgeNaively([...bytes]));
      }),
      { numRuns: 1500 },
    );
  });

  it('judges each sequence of a lead and two bytes as the table does, alone and behind a long run', () => {
    const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xff];
    const run = new Array<number>(40).fill(0x61);
    for (let lead = 0; lead < 256; lead++) {
      for (const second of edges) {
        for (const third of edges) {
          const bytes = [lead, second, third];
          const naive = judgeNaively(bytes);
          const found = judge([Uint8Array.from(bytes)], fresh());
          const behind = judge([Uint8Array.from([...run, ...bytes])], fresh());
          const isSame =
            found.wrong === naive.wrong &&
            found.isComplete === naive.isComplete &&
            behind.wrong === (naive.wrong === -1 ? -1 : naive.wrong + 40) &&
            behind.isComplete === naive.isComplete;
          if (!isSame) expect({ bytes, found, behind }).toEqual({ bytes, naive });
        }
      }
    }
  });

  it('is ready for a new text after reset', () => {
    const validator = fresh();
    validator.push(Uint8Array.of(0xf0));
    expect(validator.isComplete).toBe(false);
    validator.reset();
    expect(validator.isComplete).toBe(true);
    expect(validator.push(Uint8Array.of(0xc2, 0x80))).toBe(-1);
  });
});

describe('decodeUtf8 and encodeUtf8', () => {
  it('give any well-formed text back, a byte order mark with it', () => {
    fc.assert(fc.property(anyText(), (text) => decodeUtf8(encodeUtf8(text)) === text));
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
    expect(decodeUtf8(new Uint8Array(0))).toBe('');
  });

  it('put U+FFFD where there is no character', () => {
    expect(decodeUtf8(Uint8Array.of(0x61, 0xff))).toBe('a\ufffd');
    expect(decodeUtf8(encodeUtf8('\ud800'))).toBe('\ufffd');
  });
});

describe('the native judge', () => {
  /** What it is given, and from where on bytes are judged one by one. */
  function givenOf(pieces: readonly Uint8Array[], says = isUtf8): (Uint8Array | string)[] {
    const given: (Uint8Array | string)[] = [];
    const validator = new Utf8Validator((bytes) => {
      given.push(pieces.includes(bytes) ? 'all' : bytes);
      return says(bytes);
    });
    for (const each of pieces) if (validator.push(each) !== -1) given.push('wrong');
    if (!validator.isComplete) given.push('open');
    return given;
  }
  const RUN = [...new Array<number>(40)].fill(0x61);
  const run = (...more: number[]): Uint8Array => Uint8Array.from([...RUN, ...more]);

  it('is asked once about a text that is whole, and about short ones never', () => {
    expect(givenOf([run()])).toEqual(['all']);
    expect(givenOf([Uint8Array.from(RUN.slice(0, 32))])).toEqual(['all']);
    expect(givenOf([Uint8Array.from(RUN.slice(0, 31))])).toEqual([]);
    expect(givenOf([new Uint8Array(0)])).toEqual([]);
  });

  it.each([
    ['two bytes', [0xc3, 0xbc]],
    ['three', [0xe0, 0xa4, 0x80]],
    ['three, the last lead', [0xef, 0xbb, 0xbf]],
    ['three, with the first of all continuations', [0xe1, 0x80, 0x80]],
    ['four', [0xf0, 0x9f, 0x98, 0x80]],
  ])('is given all whole characters, and none of the one that is cut: %s', (_name, character) => {
    expect(givenOf([run(...character)])).toEqual(['all']);
    for (let cut = 1; cut < character.length; cut++) {
      const start = character.slice(0, cut);
      expect(givenOf([run(...start)])).toEqual([run(), 'open']);
      // What was due is taken first, byte by byte; the judge is given what is behind it.
      const rest = Uint8Array.from([...character.slice(cut), ...RUN]);
      expect(givenOf([run(...start), rest])).toEqual([run(), run()]);
      expect(givenOf([run(...start), Uint8Array.from([...character.slice(cut), ...RUN, ...start])])).toEqual([
        run(),
        run(),
        'open',
      ]);
    }
  });

  it('is given the end of what is no character at all, and the first wrong byte is found where it says no', () => {
    expect(givenOf([run(0xe2, 0x61)])).toEqual(['all', 'wrong', 'open']);
    expect(givenOf([run(0xc0)])).toEqual([run(), 'wrong']);
    for (const tail of [[0x80], [0x80, 0x80, 0x80], [0x80, 0x80, 0x80, 0x80]]) {
      expect(givenOf([run(...tail)])).toEqual(['all', 'wrong']);
    }
    expect(new Utf8Validator(isUtf8).push(run(0xff))).toBe(40);
    expect(new Utf8Validator(isUtf8).push(Uint8Array.from([0xff, ...RUN]))).toBe(0);
  });

  it('is not trusted with bytes that are due: the first wrong one among them is named', () => {
    const validator = new Utf8Validator(isUtf8);
    expect(validator.push(Uint8Array.of(0xf0, 0x9f))).toBe(-1);
    expect(validator.push(Uint8Array.from([0x98, 0x61, ...RUN]))).toBe(1);
  });
});
