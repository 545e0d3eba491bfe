import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_CONTINUATION, WS_OPCODE_TEXT, type WsOpcode } from '../../lib/protocol/opcode.ts';
import { TextJudge } from '../../lib/protocol/text-judge.ts';
import { anyText } from '../vectors/any-text.ts';

const piece = (opcode: WsOpcode, bytes: Uint8Array, isFinal: boolean): WsFrame =>
  new WsFrame(opcode, bytes, { isFinal });
const UMLAUT = Buffer.from('ü');

describe('TextJudge', () => {
  it.each<[string, WsFrame[]]>([
    ['a wrong byte', [piece(WS_OPCODE_TEXT, Buffer.of(0xff), true)]],
    [
      'a wrong byte in a later fragment',
      [piece(WS_OPCODE_TEXT, UMLAUT.subarray(0, 1), false), piece(WS_OPCODE_CONTINUATION, Buffer.from('a'), false)],
    ],
    ['an end inside a character', [piece(WS_OPCODE_TEXT, UMLAUT.subarray(0, 1), true)]],
    [
      'an end inside a character, in an empty last fragment',
      [piece(WS_OPCODE_TEXT, UMLAUT.subarray(0, 1), false), piece(WS_OPCODE_CONTINUATION, new Uint8Array(0), true)],
    ],
  ])('refuses %s with 1007 (§8.1)', (_name, frames) => {
    const judge = new TextJudge();
    for (const frame of frames.slice(0, -1)) judge.add(frame);
    expect(() => judge.add(frames.at(-1)!)).toThrow(expect.objectContaining({ code: 'WS_ERR_INVALID_UTF8' }));
  });

  it('takes text in any pieces, with anything between, and does not look at bytes (§5.4, §8.1)', () => {
    const judge = new TextJudge();
    judge.add(piece(WS_OPCODE_BINARY, Buffer.of(0xff), false));
    judge.add(WsFrame.ping(Buffer.of(0xff)));
    judge.add(piece(WS_OPCODE_CONTINUATION, Buffer.of(0xff), true));
    judge.add(piece(WS_OPCODE_TEXT, UMLAUT.subarray(0, 1), false));
    judge.add(WsFrame.ping(Buffer.of(0xff)));
    judge.add(piece(WS_OPCODE_CONTINUATION, UMLAUT.subarray(1), true));
    judge.add(WsFrame.text('a'));
    expect(() => judge.add(WsFrame.binary(Buffer.of(0xff)))).not.toThrow();
  });

  it('says of any pieces what it says of the whole (§8.1)', () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      anyText().map((each) => Buffer.from(each)),
    );
    fc.assert(
      fc.property(text, fc.nat(20), (bytes, cut) => {
        const judges = (frames: WsFrame[]): boolean => {
          const judge = new TextJudge();
          try {
            for (const frame of frames) judge.add(frame);
            return true;
          } catch {
            return false;
          }
        };
        const at = Math.min(cut, bytes.length);
        const pieces = [
          piece(WS_OPCODE_TEXT, bytes.subarray(0, at), false),
          piece(WS_OPCODE_CONTINUATION, bytes.subarray(at), true),
        ];
        expect(judges(pieces)).toBe(judges([piece(WS_OPCODE_TEXT, bytes, true)]));
      }),
    );
  });
});

describe('what is between', () => {
  it('does not make a text forgotten: a ping inside a character', () => {
    const judge = new TextJudge();
    judge.add(piece(WS_OPCODE_TEXT, UMLAUT.subarray(0, 1), false));
    judge.add(WsFrame.ping('a'));
    expect(() => judge.add(piece(WS_OPCODE_CONTINUATION, Buffer.from('a'), true))).toThrow('byte 0x61');
  });

  it('is no text before one has begun, and no rest of one that was given up', () => {
    const judge = new TextJudge();
    judge.add(piece(WS_OPCODE_CONTINUATION, Buffer.of(0xff), false));
    judge.add(piece(WS_OPCODE_TEXT, UMLAUT.subarray(0, 1), false));
    expect(() => judge.add(WsFrame.text('a'))).not.toThrow();
  });

  it('is named where it is wrong', () => {
    const judge = (bytes: Uint8Array) => () => new TextJudge().add(piece(WS_OPCODE_TEXT, bytes, true));
    expect(judge(Buffer.from([0x61, 0xfe]))).toThrow('byte 0xfe');
    expect(judge(UMLAUT.subarray(0, 1))).toThrow('it ends inside a character');
  });
});
