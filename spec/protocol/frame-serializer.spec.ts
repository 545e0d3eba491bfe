import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { FrameSerializer, serializeFrame } from '../../lib/protocol/frame-serializer.ts';
import type { WsRole } from '../../lib/protocol/header-rules.ts';
import type { WsOpcode } from '../../lib/protocol/opcode.ts';
import { anyConversation, encodeAll, otherRole, parseAll, plain } from '../vectors/any-frame.ts';
import { FRAME_VECTORS, KEY_WORD, pattern } from '../vectors/frames.ts';

afterEach(() => void vi.restoreAllMocks());

const createMaskingKey = (): number => KEY_WORD;

/** Writes frames through one small buffer, and checks that nothing is written around what is said to be. */
function fillAll(frames: readonly WsFrame[], role: WsRole, room: number): Uint8Array {
  const serializer = new FrameSerializer({ role, createMaskingKey });
  const out: Uint8Array[] = [];
  const target = new Uint8Array(room + 6);
  for (const frame of frames) {
    serializer.start(frame);
    while (!serializer.isDone) {
      target.fill(0xee);
      const end = serializer.fill(target, 3, 3 + room);
      expect(end).toBeGreaterThan(3);
      expect([...target.subarray(0, 3), ...target.subarray(end)].every((byte) => byte === 0xee)).toBe(true);
      out.push(target.slice(3, end));
    }
  }
  return new Uint8Array(Buffer.concat(out));
}

describe.each(FRAME_VECTORS)('$name from a $sender ($section)', ({ sender, frames, bytes }) => {
  const made = frames.map(
    ({ opcode, payload, isFinal = true, rsv = 0 }) => new WsFrame(opcode as WsOpcode, payload, { isFinal, rsv }),
  );

  it('is written whole', () => {
    const written = Buffer.concat(made.map((frame) => serializeFrame(frame, { role: sender, createMaskingKey })));
    expect(Buffer.compare(written, bytes)).toBe(0);
  });

  it.each([14, 15, 61, 70_000])('is written through %i bytes', (room) => {
    expect(Buffer.compare(fillAll(made, sender, room), bytes)).toBe(0);
  });
});

describe('a serializer', () => {
  it('writes what a parser reads, through a buffer of any size (§5.2)', () => {
    fc.assert(
      fc.property(anyConversation, fc.integer({ min: 14, max: 400 }), ({ sender, frames }, room) => {
        const { frames: out, error } = parseAll([fillAll(frames, sender, room)], { role: otherRole(sender) });
        expect(error).toBeUndefined();
        expect(out.map(plain)).toEqual(frames.map(plain));
      }),
    );
  });

  it('leaves the payload as it was, in both roles (§5.3)', () => {
    fc.assert(
      fc.property(anyConversation, ({ sender, frames }) => {
        const before = frames.map(plain);
        encodeAll(frames, sender);
        expect(frames.map(plain)).toEqual(before);
      }),
    );
  });

  it('masks each frame with a fresh key from the system generator (§5.3, §10.3)', () => {
    const drawn = new Set<number>();
    const original = crypto.getRandomValues.bind(crypto);
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      for (const word of original(array) as unknown as Int32Array) drawn.add(word);
      return array;
    });
    const keyOf = (): number => {
      const bytes = Buffer.from(serializeFrame(WsFrame.ping('same'), { role: 'client' }));
      return bytes.readInt32LE(2);
    };
    // The pool of keys that were drawn before is used up first.
    for (let i = 0; i < 2048; i++) keyOf();
    const keys = Array.from({ length: 2000 }, keyOf);
    expect(keys.every((key) => drawn.has(key))).toBe(true);
    expect(new Set(keys).size).toBeGreaterThan(1998);
  });

  it('writes no header where there is no room for the longest', () => {
    const serializer = new FrameSerializer({ role: 'server' });
    serializer.start(WsFrame.text('a'));
    expect(serializer.fill(new Uint8Array(20), 7, 20)).toBe(7);
    expect(serializer.isDone).toBe(false);
  });

  it('tells how much is still to be written, and writes nothing when all is', () => {
    const serializer = new FrameSerializer({ role: 'server' });
    const target = new Uint8Array(100);
    expect([serializer.isDone, serializer.pendingLength]).toEqual([true, 0]);
    serializer.start(WsFrame.binary(pattern(50)));
    expect([serializer.fill(target, 0, 20), serializer.pendingLength]).toEqual([20, 32]);
    expect([serializer.fill(target, 20, 100), serializer.pendingLength, serializer.isDone]).toEqual([52, 0, true]);
    expect(serializer.fill(target, 52, 100)).toBe(52);
  });

  it('takes no frame before the last one is written whole', () => {
    const serializer = new FrameSerializer({ role: 'server' });
    serializer.start(WsFrame.text('a'));
    expect(() => serializer.start(WsFrame.text('b'))).toThrow('call fill() until it is done');
  });

  it('writes the payload that it was given, though the frame has let go of it since', () => {
    const serializer = new FrameSerializer({ role: 'server' });
    const frame = WsFrame.text('abc');
    serializer.start(frame);
    frame.drop();
    const target = new Uint8Array(20);
    expect([...target.subarray(0, serializer.fill(target, 0, 20))]).toEqual([0x81, 3, 97, 98, 99]);
  });

  it('says so when the memory of a payload is taken away on its way', () => {
    const serializer = new FrameSerializer({ role: 'server' });
    const payload = new Uint8Array(new ArrayBuffer(100));
    serializer.start(WsFrame.binary(payload));
    serializer.fill(new Uint8Array(20), 0, 20);
    structuredClone(payload.buffer, { transfer: [payload.buffer] });
    expect(() => serializer.fill(new Uint8Array(20), 0, 20)).toThrow('was detached or resized while it was on its way');
  });

  it('knows two roles', () => {
    expect(() => new FrameSerializer({ role: 'peer' as WsRole })).toThrow(TypeError);
  });
});
