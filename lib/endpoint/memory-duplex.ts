/**
 * A pipe in memory with two ends, each a Duplex of bytes. It keeps the manners of a TCP socket: a writer waits for a
 * reader, an end is a FIN, and who is destroyed cuts the other one.
 */

import { Duplex } from 'node:stream';
import { pushBytes } from '../stream/push-bytes.ts';

type Callback = (error?: Error | null) => void;

/** One end. What is written here is read there. */
class MemoryDuplex extends Duplex {
  #peer: MemoryDuplex | undefined;
  /** Tells the peer's writer that there is room again. */
  #onRoom: Callback | undefined;

  /** Ties two ends together. */
  static tie(left: MemoryDuplex, right: MemoryDuplex): void {
    left.#peer = right;
    right.#peer = left;
  }

  override _read(): void {
    const onRoom = this.#onRoom;
    this.#onRoom = undefined;
    onRoom?.();
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: Callback): void {
    const peer = this.#peer;
    if (peer === undefined || peer.destroyed) callback(brokenPipe());
    // A copy, as from a socket: the writer may use its buffer again, and the reader may unmask in place.
    else if (pushBytes(peer, Buffer.from(chunk))) callback();
    else peer.#onRoom = callback;
  }

  override _final(callback: Callback): void {
    this.#peer?.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const peer = this.#peer;
    this.#peer = undefined;
    this.#onRoom?.(brokenPipe());
    this.#onRoom = undefined;
    // Not at once: the owner of this end hears of it first.
    if (peer !== undefined && !peer.destroyed && !this.writableFinished) process.nextTick(() => peer.#cut());
    callback(error);
  }

  /** The other end is gone without a FIN: what arrived can be read, and then the stream is at its end. */
  #cut(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }
}

function brokenPipe(): Error {
  return Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
}

/** Makes the two ends of a pipe in memory. Each side of it holds no more than a stream's high-water mark. */
export function createMemoryDuplexes(): [Duplex, Duplex] {
  const ends: [MemoryDuplex, MemoryDuplex] = [new MemoryDuplex(), new MemoryDuplex()];
  MemoryDuplex.tie(...ends);
  return ends;
}
