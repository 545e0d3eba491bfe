/**
 * A connection as a pair of WHATWG streams of messages: strings for text, Uint8Arrays for binary. One chunk is one
 * message; pulling is the backpressure of the one, `ready` that of the other.
 */
import { ReadableStream, type ReadableStreamDefaultController, WritableStream } from 'node:stream/web';
import { WsFrame } from '../../protocol/frame.ts';
import type { CloseInfo } from '../closer.ts';

/** A message as WHATWG streams have it. */
export type WebMessage = string | Uint8Array;

/** A connection as WHATWG streams. */
export interface WebStreams {
  /** The messages that come. Cancelling closes with 1000. A cut errors it. */
  readonly readable: ReadableStream<WebMessage>;
  /** The messages that go. Closing is the closing handshake; aborting destroys the connection. A cut errors it. */
  readonly writable: WritableStream<WebMessage>;
}

/** What the streams read from and write to. */
export interface WebFaceSource {
  readonly closeInfo: Promise<CloseInfo>;
  /** The next message, `null` when there will be none. */
  nextMessage(): Promise<WsFrame | null>;
  /** @returns 0 when the connection is no longer open */
  sendMessage(frame: WsFrame): Promise<number>;
  close(): Promise<CloseInfo>;
  forceClose(): void;
  /** Why nothing can be sent or read any more. */
  endError(): Error;
}

export function createWebStreams(source: WebFaceSource): WebStreams {
  const face = new WebFace(source);
  return { readable: face.createReadable(), writable: face.createWritable() };
}

class WebFace {
  readonly #source: WebFaceSource;
  /** Whether somebody has read up to the end: he may be the one who writes, and close by himself. */
  #isReading = false;
  #isClosing = false;

  constructor(source: WebFaceSource) {
    this.#source = source;
  }

  createReadable(): ReadableStream<WebMessage> {
    return new ReadableStream<WebMessage>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.#cancel() },
      { highWaterMark: 0 },
    );
  }

  createWritable(): WritableStream<WebMessage> {
    return new WritableStream<WebMessage>({
      start: (controller) => {
        void this.#source.closeInfo.then(({ wasClean, error }) => {
          // Where nobody reads up to it, this is how a writer learns of a clean end.
          if (!wasClean) controller.error(error);
          else if (!this.#isReading && !this.#isClosing) controller.error(this.#source.endError());
        });
      },
      write: (chunk) => this.#write(chunk),
      close: () => this.#close(),
      abort: () => this.#source.forceClose(),
    });
  }

  async #pull(controller: ReadableStreamDefaultController<WebMessage>): Promise<void> {
    this.#isReading = true;
    const frame = await this.#nextMessage();
    if (frame !== null) {
      this.#isReading = false;
      controller.enqueue(frame.isText() ? frame.payloadText() : frame.payload);
      return;
    }
    const { wasClean, error } = await this.#source.closeInfo;
    if (wasClean) controller.close();
    else controller.error(error);
  }

  async #nextMessage(): Promise<WsFrame | null> {
    let frame = await this.#source.nextMessage();
    while (frame?.isControl()) frame = await this.#source.nextMessage();
    return frame;
  }

  async #cancel(): Promise<void> {
    this.#isReading = false;
    const closed = this.#source.close();
    // The peer's close frame stands behind messages that nobody will read.
    while ((await this.#source.nextMessage()) !== null);
    await closed;
  }

  async #write(chunk: WebMessage): Promise<void> {
    const frame = typeof chunk === 'string' ? WsFrame.text(chunk) : WsFrame.binary(chunk);
    if ((await this.#source.sendMessage(frame)) === 0) throw this.#source.endError();
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    const { wasClean, error } = await this.#source.close();
    if (!wasClean) throw error;
  }
}
