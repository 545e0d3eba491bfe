/**
 * What came and was not read: a queue of frames with an account in bytes.
 *
 * The account is what the queue really holds back from the collector: a payload is a view, and a view of a chunk keeps
 * the whole chunk. So each chunk is charged once, to the first frame that shows it, and each frame is charged for
 * itself; tiny frames cannot make the queue larger than its bound.
 */
import type { WsFrame } from '../../protocol/frame.ts';

/** About what a frame, its view and its place in the queue take (measured on Node 20: 200 to 250 bytes). */
const FRAME_OVERHEAD = 256;
/** Spent entries are cut off the front of the array when there are so many, and half of it is spent. */
const COMPACT_AT = 512;

/** An inbox in which nothing waits, as in most of them, has no lists of its own. */
const NO_FRAMES: (WsFrame | undefined)[] = [];
const NO_CHARGES: number[] = [];

export class Inbox {
  #frames: (WsFrame | undefined)[] = NO_FRAMES;
  #charges: number[] = NO_CHARGES;
  #head = 0;
  #bytes = 0;
  #lastBuffer: ArrayBufferLike | undefined;

  /** Bytes held, overhead counted. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames held. */
  get size(): number {
    return this.#frames.length - this.#head;
  }

  push(frame: WsFrame): void {
    const { buffer } = frame.payload;
    const charge = FRAME_OVERHEAD + (buffer === this.#lastBuffer ? 0 : buffer.byteLength);
    this.#lastBuffer = buffer;
    this.#open();
    this.#frames.push(frame);
    this.#charges.push(charge);
    this.#bytes += charge;
  }

  /** Puts a frame before all others. */
  unshift(frame: WsFrame): void {
    const charge = FRAME_OVERHEAD + frame.payload.length;
    this.#open();
    this.#frames.splice(this.#head, 0, frame);
    this.#charges.splice(this.#head, 0, charge);
    this.#bytes += charge;
  }

  /** Gives the oldest frame, `undefined` when there is none. */
  shift(): WsFrame | undefined {
    const head = this.#head;
    const frame = this.#frames[head];
    if (frame === undefined) return undefined;
    this.#frames[head] = undefined;
    this.#bytes -= this.#charges[head]!;
    this.#head = head + 1;
    if (this.#head === this.#frames.length) this.clear();
    else if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#frames.length) this.#compact();
    return frame;
  }

  /** Lets go of everything. */
  clear(): void {
    this.#frames = NO_FRAMES;
    this.#charges = NO_CHARGES;
    this.#head = 0;
    this.#bytes = 0;
    this.#lastBuffer = undefined;
  }

  #open(): void {
    if (this.#frames !== NO_FRAMES) return;
    this.#frames = [];
    this.#charges = [];
  }

  #compact(): void {
    this.#frames.splice(0, this.#head);
    this.#charges.splice(0, this.#head);
    this.#head = 0;
  }
}
