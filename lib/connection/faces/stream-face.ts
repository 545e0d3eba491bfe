/**
 * The Duplex that people hold, as the connection's core sees it: who reads from it and how, who writes into it, and how
 * it is ended. Where the connection overrides a method of the stream for its users, the stream's own is called here.
 */
import { Duplex } from 'node:stream';
import type { WsFrame } from '../../protocol/frame.ts';
import { give } from '../../stream/give.ts';

/** A connection that is over calls its own method of this name: for its server, which needs no promise of it then. */
export const kOver: unique symbol = Symbol('wspipe.over');

export class StreamFace {
  readonly stream: Duplex;
  /** Whether the reading side has had all and asks for more. */
  #isAsking = false;
  #isGone = false;

  constructor(stream: Duplex) {
    this.stream = stream;
  }

  get isDestroyed(): boolean {
    return this.stream.destroyed;
  }

  /** Whether somebody listens for data, or pipes it on. */
  get isFlowing(): boolean {
    return this.stream.readableFlowing === true;
  }

  /** Whether somebody reads from it, though he may have stopped for a while: a pipe that waits, say. */
  get isRead(): boolean {
    const stream = this.stream;
    if (stream.readableFlowing !== false) return this.isFlowing;
    return stream.listenerCount('data') > 0 || stream.listenerCount('readable') > 0;
  }

  /** Whether the reading side has had all and waits for more. */
  get isAsking(): boolean {
    return this.stream.readableLength === 0 && (this.#isAsking || this.isFlowing);
  }

  /** Whether a stream is piped into it: such a one listens there for being unpiped. */
  get isPipedInto(): boolean {
    return this.stream.listenerCount('unpipe') > 0;
  }

  /** `read()` had nothing. */
  asked(): void {
    this.#isAsking = true;
  }

  /** Gives a message to the reading side. @returns whether it wants more */
  push(frame: WsFrame): boolean {
    this.#isAsking = false;
    return !this.#isGone && give(this.stream, frame);
  }

  /** Takes back what the reading side has read ahead. */
  takeAhead(): WsFrame | undefined {
    if (this.stream.readableLength === 0) return undefined;
    return Duplex.prototype.read.call(this.stream) ?? undefined;
  }

  /** Ends the reading side well, and with it the writing side, which nobody else ends where the peer has closed. */
  endReading(isOver: Promise<unknown>, createError: () => Error): void {
    const stream = this.stream;
    stream.once('end', () => {
      if (!this.isPipedInto) this.endWriting();
      // What comes back through stages of its own ends it, or learns by its next write. Another source is told.
      else if (stream.readableFlowing === null) {
        void isOver.then(() => stream.writableEnded || stream.destroy(createError()));
      }
    });
    stream.push(null);
    if (stream.readableLength === 0) Duplex.prototype.read.call(stream, 0);
  }

  endWriting(): void {
    Duplex.prototype.end.call(this.stream, undefined, 'utf8');
  }

  /** Tells that the connection is over. */
  tellOver(): void {
    (this.stream as { [kOver]?: (() => void) | undefined })[kOver]?.();
  }

  /** The stream has been destroyed: nothing is pushed any more. */
  gone(): void {
    this.#isGone = true;
  }

  destroy(error: Error | undefined): void {
    this.stream.destroy(error);
  }
}
