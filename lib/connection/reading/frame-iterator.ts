/**
 * The iterator of `for await (const frame of conn)`, written by hand over the queue: the stream's built-in one costs
 * five times as much a frame (0.4 µs against 0.08 µs). Leaving the loop early leaves the connection usable.
 */
import type { WsFrame } from '../../protocol/frame.ts';
import type { Reader } from './reception.ts';

/** What is iterated. */
export interface FrameSource {
  /** Gives what is there: `undefined` when nothing is, `null` when there will be nothing more. Throws when it is locked. */
  take(): WsFrame | null | undefined;
  readonly reception: { wait(reader: Reader): unknown };
  /** The loop is left. */
  leaveLoop(): void;
}

const DONE: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** Gives frames one at a time: what a `for await` loop over a connection, or over `fragments()`, asks. */
export class FrameIterator implements AsyncIterableIterator<WsFrame> {
  readonly #source: FrameSource;
  #isLeft = false;

  constructor(source: FrameSource) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WsFrame>> {
    if (this.#isLeft) return Promise.resolve(DONE);
    let frame: WsFrame | null | undefined;
    try {
      frame = this.#source.take();
    } catch (error) {
      return Promise.reject(error);
    }
    if (frame !== undefined) return Promise.resolve(toResult(frame));
    return new Promise((resolve) => this.#source.reception.wait((next) => resolve(toResult(next))));
  }

  return(): Promise<IteratorResult<WsFrame>> {
    if (!this.#isLeft) this.#source.leaveLoop();
    this.#isLeft = true;
    return Promise.resolve(DONE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

function toResult(frame: WsFrame | null): IteratorResult<WsFrame> {
  return frame === null ? DONE : { value: frame, done: false };
}
