import { describe, expect, it } from 'vitest';
import { Inbox } from '../../../lib/connection/reading/inbox.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';

/** What a frame is charged for itself. */
const OVERHEAD = 256;

const frameOf = (payload: Uint8Array): WsFrame => WsFrame.binary(payload);
/** So many frames that all show the same chunk. */
const framesOf = (chunk: Uint8Array, number: number, size: number): WsFrame[] =>
  Array.from({ length: number }, (_, i) => frameOf(chunk.subarray(i * size, (i + 1) * size)));

describe('the queue', () => {
  it('gives what came in its order, and undefined when it is empty', () => {
    const inbox = new Inbox();
    const frames = framesOf(new Uint8Array(30), 3, 10);
    for (const frame of frames) inbox.push(frame);
    expect(inbox.size).toBe(3);
    expect([inbox.shift(), inbox.shift(), inbox.shift()]).toEqual(frames);
    expect([inbox.shift(), inbox.size, inbox.bytes]).toEqual([undefined, 0, 0]);
  });

  it('keeps order and account over thousands that come and go', () => {
    const inbox = new Inbox();
    const expected: WsFrame[] = [];
    let [pushed, taken] = [0, 0];
    for (let round = 0; round < 3000; round++) {
      // It grows at first, then shrinks.
      for (let i = 0; i < (round < 1500 ? 3 : 1); i++) {
        const frame = frameOf(new Uint8Array(8));
        expected.push(frame);
        inbox.push(frame);
        pushed++;
      }
      for (let i = 0; i < (round < 1500 ? 1 : 2) && inbox.size > 0; i++) {
        expect(inbox.shift()).toBe(expected[taken++]);
      }
      expect(inbox.size).toBe(pushed - taken);
      expect(inbox.bytes).toBe((pushed - taken) * (OVERHEAD + 8));
    }
    while (taken < pushed) expect(inbox.shift()).toBe(expected[taken++]);
    expect([inbox.size, inbox.bytes]).toEqual([0, 0]);
  });

  it('lets go of everything at once', () => {
    const inbox = new Inbox();
    const chunk = new Uint8Array(1000);
    for (const frame of framesOf(chunk, 10, 100)) inbox.push(frame);
    inbox.clear();
    expect([inbox.size, inbox.bytes, inbox.shift()]).toEqual([0, 0, undefined]);
    inbox.push(frameOf(chunk));
    expect(inbox.bytes).toBe(OVERHEAD + 1000);
  });
});

describe('the account', () => {
  it('charges a chunk once, to the first frame that shows it', () => {
    const inbox = new Inbox();
    for (const frame of framesOf(new Uint8Array(65_536), 4, 16)) inbox.push(frame);
    expect(inbox.bytes).toBe(65_536 + 4 * OVERHEAD);
    inbox.shift();
    expect(inbox.bytes).toBe(3 * OVERHEAD);
  });

  it('charges the whole chunk for a small view of it, which holds it back whole', () => {
    const inbox = new Inbox();
    inbox.push(frameOf(new Uint8Array(65_536).subarray(0, 1)));
    inbox.push(frameOf(new Uint8Array(1000).subarray(999)));
    expect(inbox.bytes).toBe(66_536 + 2 * OVERHEAD);
  });

  it('charges empty frames for themselves, so that they cannot pile up for nothing', () => {
    const inbox = new Inbox();
    const empty = new Uint8Array(0);
    for (let i = 0; i < 1000; i++) inbox.push(frameOf(empty));
    expect(inbox.bytes).toBe(1000 * OVERHEAD);
  });

  it('charges a chunk again where all was read in between', () => {
    const inbox = new Inbox();
    const [first, second] = framesOf(new Uint8Array(100), 2, 50) as [WsFrame, WsFrame];
    inbox.push(first);
    inbox.shift();
    inbox.push(second);
    expect(inbox.bytes).toBe(100 + OVERHEAD);
  });

  it('moves each entry a few times at most, however long the queue is (§10.4)', () => {
    const moved = (length: number): number => {
      const native = Array.prototype.splice;
      let work = 0;
      Array.prototype.splice = function (this: unknown[], ...args: [number, number]) {
        work += this.length;
        return native.apply(this, args);
      } as typeof native;
      try {
        const inbox = new Inbox();
        const frame = frameOf(new Uint8Array(1));
        for (let i = 0; i < length; i++) inbox.push(frame);
        while (inbox.shift() !== undefined);
      } finally {
        Array.prototype.splice = native;
      }
      return work;
    };
    expect(moved(40_000)).toBeLessThan(3 * moved(20_000));
  });
});

describe('unshift', () => {
  it.each([0, 1, 700])('puts a frame before all others, where %i have been taken before', (taken) => {
    const inbox = new Inbox();
    for (const frame of framesOf(new Uint8Array(taken), taken, 1)) inbox.push(frame);
    const [a, b] = framesOf(new Uint8Array(20), 2, 10) as [WsFrame, WsFrame];
    inbox.push(a);
    inbox.push(b);
    for (let i = 0; i < taken; i++) inbox.shift();
    const front = frameOf(new Uint8Array(100));
    inbox.unshift(front);
    expect([inbox.size, inbox.shift(), inbox.shift(), inbox.shift()]).toEqual([3, front, a, b]);
    expect([inbox.size, inbox.bytes]).toEqual([0, 0]);
  });

  it('charges the frame for itself and its bytes', () => {
    const inbox = new Inbox();
    inbox.unshift(frameOf(new Uint8Array(100)));
    expect([inbox.size, inbox.bytes]).toEqual([1, 100 + OVERHEAD]);
    inbox.shift();
    expect(inbox.bytes).toBe(0);
  });
});
