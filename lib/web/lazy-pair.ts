/**
 * A pair of WHATWG streams over a machine that works only as it is read: what is written waits in the machine, and what
 * comes out of it is made piece by piece, when the reading side asks. A write resolves when the machine has used it up.
 * So backpressure passes through unchanged, and nothing is held but one input and what the reader's queue has room for.
 *
 * A TransformStream cannot do this: its `transform` must put all that a chunk holds into the queue at once, and a chunk
 * of 64 KiB may hold thirty thousand frames.
 *
 * It fails in order. What came out before a failure is read first.
 *
 * @see https://streams.spec.whatwg.org/
 */

/** A pure machine that is pushed and pulled. */
export interface LazyMachine<I, O> {
  /** Takes the next input, once the last one is used up. @throws what breaks both streams */
  push(input: I): void;
  /** Gives the next piece, `null` when the input is used up. @throws what breaks both streams */
  next(): O | null;
  /** Lets go of the input, if it is used up. @returns whether it is */
  letGo(): boolean;
  /** No more input will come; what is left is then given by `next`. @throws what breaks both streams */
  end(): void;
}

/** How much may wait on each side. */
export interface LazyPairLimits<I, O> {
  /** What may wait to be written, counted by `inputSize`. */
  readonly writableHighWaterMark: number;
  /** Must not throw, whatever it is given. */
  readonly inputSize: (input: I) => number;
  /** What may wait to be read, counted by `outputSize`. 0: a piece is made when a reader waits for it. */
  readonly readableHighWaterMark: number;
  readonly outputSize: (output: O) => number;
}

/** The two streams. */
export interface LazyPair<I, O> {
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I>;
}

/** Makes the streams around the machine. */
export function createLazyPair<I, O>(machine: LazyMachine<I, O>, limits: LazyPairLimits<I, O>): LazyPair<I, O> {
  return new LazyWorker(machine, limits);
}

interface PendingWrite {
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

class LazyWorker<I, O> implements LazyPair<I, O> {
  readonly readable: ReadableStream<O>;
  readonly writable: WritableStream<I>;
  readonly #machine: LazyMachine<I, O>;
  readonly #highWaterMark: number;
  #reading!: ReadableStreamDefaultController<O>;
  #writing!: WritableStreamDefaultController;
  /** Whether the reading side has room. */
  #isWanted = false;
  #isWorking = false;
  #pending: PendingWrite | undefined;
  /** What both streams end with, once what came before is read. */
  #failure: { readonly reason: unknown } | undefined;

  constructor(machine: LazyMachine<I, O>, limits: LazyPairLimits<I, O>) {
    this.#machine = machine;
    this.#highWaterMark = limits.readableHighWaterMark;
    this.readable = new ReadableStream<O>(
      {
        start: (controller) => {
          this.#reading = controller as ReadableStreamDefaultController<O>;
        },
        pull: () => this.#pull(),
        cancel: (reason) => this.#readingCancelled(reason),
      },
      { highWaterMark: limits.readableHighWaterMark, size: (output) => limits.outputSize(output as O) },
    );
    this.writable = new WritableStream<I>(
      {
        start: (controller) => {
          this.#writing = controller;
          // `abort` below waits for the write that is under way, and that waits for a reader.
          const { signal } = controller as { readonly signal?: AbortSignal };
          signal?.addEventListener('abort', () => this.#settle({ reason: signal.reason }));
        },
        write: (input) => this.#write(input),
        close: () => this.#close(),
        abort: (reason) => this.#reading.error(reason),
      },
      { highWaterMark: limits.writableHighWaterMark, size: (input) => limits.inputSize(input as I) },
    );
  }

  #pull(): void {
    this.#isWanted = true;
    // The queue has no empty pieces in it, so this is to say that it is empty.
    if (this.#failure !== undefined && this.#reading.desiredSize === this.#highWaterMark) {
      this.#reading.error(this.#failure.reason);
    }
    this.#work();
  }

  #write(input: I): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      try {
        this.#machine.push(input);
      } catch (error) {
        this.#fail(error);
      }
      this.#work();
    });
  }

  /** Makes pieces for as long as there is something to make them of and somebody who wants them. */
  #work(): void {
    if (this.#isWorking) return;
    this.#isWorking = true;
    try {
      while (this.#pending !== undefined) {
        if (this.#machine.letGo()) this.#settle();
        else if (!this.#isWanted) break;
        else this.#enqueue(this.#machine.next());
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#isWorking = false;
  }

  #enqueue(output: O | null): void {
    if (output === null) return;
    // Whoever waits for more says so through `pull` before this returns.
    this.#isWanted = false;
    this.#reading.enqueue(output);
    this.#isWanted ||= (this.#reading.desiredSize ?? 0) > 0;
  }

  /** What is written is used up, or will never be. */
  #settle(failure?: { readonly reason: unknown }): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (failure === undefined) pending?.resolve();
    else pending?.reject(failure.reason);
  }

  #fail(reason: unknown): void {
    this.#failure = { reason };
    this.#writing.error(reason);
    this.#settle(this.#failure);
    if (this.#reading.desiredSize === this.#highWaterMark) this.#reading.error(reason);
  }

  #close(): void {
    try {
      this.#machine.end();
      for (let output = this.#machine.next(); output !== null; output = this.#machine.next()) {
        this.#reading.enqueue(output);
      }
      this.#reading.close();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #readingCancelled(reason: unknown): void {
    this.#writing.error(reason);
    this.#settle({ reason });
  }
}
