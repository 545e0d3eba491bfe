/**
 * What waits in the queue of a Writable that stands before a connection: a message that is written bit by bit, a stream
 * of bytes. Whoever heeds `false` and waits for `'drain'` never fills one; for who does not, it counts against
 * `maxQueuedBytes`, with all else that waits.
 */
import type { Writable } from 'node:stream';

/** About what a chunk takes in the queue of a Writable, beside its bytes (measured on Node 20: 150 to 200 bytes). */
const CHUNK_OVERHEAD = 192;

/** Where what waits is counted. */
export interface QueueHolder {
  /** So many bytes more wait now, or fewer. */
  hold(bytes: number): void;
}

export class QueueAccount {
  readonly #stream: Writable;
  readonly #holder: QueueHolder;
  #chunks = 0;
  /** Of the chunk in hand, what is counted elsewhere. */
  #countedBytes = 0;
  #held = 0;

  constructor(stream: Writable, holder: QueueHolder) {
    this.#stream = stream;
    this.#holder = holder;
  }

  /** A chunk is about to be written. */
  add(): void {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#chunks++;
  }

  /**
   * A chunk has come to its turn: it waits no longer in the queue, but to be sent.
   *
   * @param countedBytes what of it is counted by whoever sends it, until {@link settle}
   */
  take(countedBytes: number = 0): void {
    if (this.#chunks > 0) this.#chunks--;
    this.#countedBytes = countedBytes;
  }

  /** The chunk in hand has been sent. */
  settle(): void {
    this.#countedBytes = 0;
  }

  /** Counts anew, when something was written, or has left. */
  update(): void {
    const { destroyed, writableLength } = this.#stream;
    const held = destroyed ? 0 : writableLength - this.#countedBytes + this.#chunks * CHUNK_OVERHEAD;
    if (held !== this.#held) this.#holder.hold(held - this.#held);
    this.#held = held;
  }
}
