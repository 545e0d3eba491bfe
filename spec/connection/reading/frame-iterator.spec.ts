import { describe, expect, it } from 'vitest';
import { FrameIterator, type FrameSource } from '../../../lib/connection/reading/frame-iterator.ts';
import type { Reader } from '../../../lib/connection/reading/reception.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';

/** A queue that is filled by hand. */
class Source implements FrameSource {
  readonly queue: (WsFrame | null)[] = [];
  readonly readers: Reader[] = [];
  readonly reception = { wait: (reader: Reader): unknown => this.readers.push(reader) };
  left = 0;

  take(): WsFrame | null | undefined {
    return this.queue.shift();
  }

  leaveLoop(): void {
    this.left++;
  }

  give(frame: WsFrame | null): void {
    const reader = this.readers.shift();
    if (reader === undefined) this.queue.push(frame);
    else reader(frame);
  }
}

const [A, B] = [WsFrame.text('a'), WsFrame.text('b')];
const DONE = { value: undefined, done: true };

describe('next', () => {
  it('gives what is there', async () => {
    const source = new Source();
    source.queue.push(A, B, null);
    const iterator = new FrameIterator(source);
    expect(await iterator.next()).toEqual({ value: A, done: false });
    expect(await iterator.next()).toEqual({ value: B, done: false });
    expect(await iterator.next()).toEqual(DONE);
  });

  it('waits for what is not there yet', async () => {
    const source = new Source();
    const iterator = new FrameIterator(source);
    const [first, second, third] = [iterator.next(), iterator.next(), iterator.next()];
    for (const frame of [A, B, null]) source.give(frame);
    expect(await Promise.all([first, second, third])).toEqual([
      { value: A, done: false },
      { value: B, done: false },
      DONE,
    ]);
  });
});

describe('a loop', () => {
  it('takes all there is, in order, and ends by itself', async () => {
    const source = new Source();
    source.queue.push(A, B, null);
    const seen: string[] = [];
    for await (const frame of new FrameIterator(source)) seen.push(frame.payloadText());
    expect(seen).toEqual(['a', 'b']);
  });

  it('that is left early says so once, takes nothing more, and leaves the rest to others', async () => {
    const source = new Source();
    source.queue.push(A, B);
    const iterator = new FrameIterator(source);
    for await (const _frame of iterator) break;
    expect(source.left).toBe(1);
    expect(await iterator.return()).toEqual(DONE);
    expect(await iterator.next()).toEqual(DONE);
    expect([source.left, source.queue]).toEqual([1, [B]]);
  });

  it('is left by its disposal as well', async () => {
    const source = new Source();
    const iterator = new FrameIterator(source);
    await iterator[Symbol.asyncDispose]();
    expect(source.left).toBe(1);
    expect(await iterator.next()).toEqual(DONE);
  });
});
