/**
 * The iterator of `for await (const message of conn.messages())`: messages as streams, each from its first bytes on.
 *
 * One at a time: the next message is offered when the last one has been read to its end or destroyed. One that nobody
 * has begun to read by then is abandoned: the rest of it is thrown away, or the connection fails, as an option says.
 */
import type { WsFrame } from '../../protocol/frame.ts';
import { pushBytes } from '../../stream/push-bytes.ts';
import { PieceReader, type PieceSource } from './piece-reader.ts';
import { WsMessage } from './ws-message.ts';

/** What `messages()` takes. */
export interface MessagesOptions {
  /** The largest message in bytes, inclusive; a larger one fails the connection with 1009. Default `Infinity`. */
  readonly maxMessageBytes?: number | undefined;
  /**
   * What becomes of a message that is destroyed or passed over: `'discard'` throws the rest of it away and goes on with
   * the next one (the default), `'close'` closes the connection with 1008.
   */
  readonly onAbandoned?: 'discard' | 'close' | undefined;
}

/** What messages are read from. */
export interface MessageIteratorSource extends PieceSource {
  /** Lets others read again. */
  unlock(): void;
  /** Throws away what is left of the message that is being read. */
  skipMessage(): void;
  /** Closes the connection because a message was abandoned. */
  closeAbandoned(): void;
}

const DONE: IteratorReturnResult<undefined> = { value: undefined, done: true };

/** Gives messages one at a time, each as a stream: what a `for await` loop over `messages()` asks. */
export class MessageIterator implements AsyncIterableIterator<WsMessage> {
  readonly #source: MessageIteratorSource;
  readonly #onAbandoned: 'discard' | 'close';
  readonly #reader: PieceReader;
  #message: WsMessage | undefined;
  /** Whether pieces of the message are still to come. */
  #isInside = false;
  #isOver = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** Called when the next message has begun, or none will. */
  #onNext: (() => void) | undefined;
  /** Called when the message has been read to its end or destroyed. */
  #onReleased: (() => void) | undefined;

  constructor(source: MessageIteratorSource, options: { maxMessageBytes: number; onAbandoned: 'discard' | 'close' }) {
    this.#source = source;
    this.#onAbandoned = options.onAbandoned;
    this.#reader = new PieceReader(source, options.maxMessageBytes, {
      piece: (frame) => this.#take(frame),
      ended: () => this.#end(),
    });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<WsMessage>> {
    const next = this.#turn.then(() => this.#next());
    this.#turn = next;
    return next;
  }

  /** Leaves the loop: what is left of the message is thrown away, and others may read again. */
  return(): Promise<IteratorResult<WsMessage>> {
    this.#message?.destroy();
    this.#leave();
    this.#onNext?.();
    return Promise.resolve(DONE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #next(): Promise<IteratorResult<WsMessage>> {
    const last = this.#message;
    if (last !== undefined) {
      // Nobody has begun to read it: it is passed over.
      if (!last.readableDidRead && last.readableFlowing === null) last.destroy();
      if (!last.destroyed && !last.readableEnded) await new Promise<void>((resolve) => (this.#onReleased = resolve));
    }
    this.#message = undefined;
    if (this.#isOver) return DONE;
    await new Promise<void>((resolve) => {
      this.#onNext = resolve;
      this.#reader.pull();
    });
    const message = this.#message as WsMessage | undefined;
    return message === undefined ? DONE : { value: message, done: false };
  }

  /** @returns whether more is wanted */
  #take(frame: WsFrame): boolean {
    const isFirst = !this.#isInside;
    this.#isInside = !frame.isFinal;
    if (isFirst) this.#begin(frame.isText() ? 'text' : 'binary');
    const message = this.#message!;
    if (frame.payload.length > 0) pushBytes(message, detach(frame.payload));
    if (frame.isFinal) message.push(null);
    if (isFirst) this.#begun();
    // An empty fragment gives nothing to who has asked for more: he would not ask again.
    const isRoom = frame.payload.length === 0 || message.readableLength < message.readableHighWaterMark;
    return this.#isInside && isRoom;
  }

  #begin(type: 'text' | 'binary'): void {
    const message: WsMessage = new WsMessage(type, {
      pull: () => this.#isInside && this.#reader.pull(),
      released: () => this.#released(message),
    });
    this.#message = message;
  }

  #begun(): void {
    const onNext = this.#onNext;
    this.#onNext = undefined;
    onNext?.();
  }

  #released({ readableEnded }: WsMessage): void {
    if (this.#isInside && !this.#isOver) {
      this.#isInside = false;
      this.#reader.skipMessage();
      this.#source.skipMessage();
    }
    // Whether all of it had come is chance, and makes no difference.
    if (!readableEnded && !this.#isOver && this.#onAbandoned === 'close') this.#source.closeAbandoned();
    const onReleased = this.#onReleased;
    this.#onReleased = undefined;
    onReleased?.();
  }

  #end(): void {
    const isCut = this.#isInside;
    this.#leave();
    if (isCut) this.#message?.cut(this.#source.endError());
    this.#begun();
  }

  #leave(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.stop();
    this.#source.unlock();
  }
}

/** A small view of a large chunk would hold all of it back from the collector for as long as nobody reads the message. */
function detach(payload: Uint8Array): Uint8Array {
  return payload.length * 2 < payload.buffer.byteLength ? Buffer.from(payload) : payload;
}
