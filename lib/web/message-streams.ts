/**
 * The two streams of a WebSocketStream over a connection that stands: one chunk is one message. The numbered comments
 * are the steps of the specification.
 *
 * ```
 * readable: pull ──▶ recvFrame            one message ahead; what is not pulled stops the socket
 * writable: write ──▶ sendText/sendBinary resolved when there is room for more
 * ```
 *
 * @see https://github.com/whatwg/websockets/pull/48
 */
import { ProtocolError } from '../errors.ts';
import { WS_CLOSE_ABNORMAL } from '../protocol/close-code.ts';
import type { ClosingResult } from '../protocol/closing.ts';
import type { WsFrame } from '../protocol/frame.ts';
import { toMessage } from './stream-arguments.ts';
import {
  type CloseArguments,
  createWebSocketError,
  isWebSocketError,
  validateCloseArguments,
  type WebSocketError,
} from './web-socket-error.ts';

/** A message as it is read: a string for text, a Uint8Array for binary. */
export type StreamMessage = string | Uint8Array;

/** What may be written: bytes for a binary message; anything else becomes a string, and a text message. */
export type StreamMessageInit = string | ArrayBuffer | ArrayBufferView;

/** What the streams need of a `WsConnection`, in types that a page knows too. */
export interface MessageConnection {
  readonly closeInfo: Promise<ClosingResult & { readonly error?: Error | undefined }>;
  recvFrame(): Promise<WsFrame | null>;
  sendText(text: string, options: { readonly signal?: AbortSignal | undefined }): Promise<number>;
  sendBinary(data: Uint8Array, options: { readonly signal?: AbortSignal | undefined }): Promise<number>;
  sendClose(code: number | undefined, reason: string): Promise<number>;
  forceClose(): void;
}

/** How a connection ended. */
export interface Outcome {
  readonly closeCode: number;
  readonly reason: string;
  /** There where it was not clean. */
  readonly error: WebSocketError | undefined;
}

export class MessageStreams {
  readonly readable: ReadableStream<StreamMessage>;
  readonly writable: WritableStream<StreamMessageInit>;
  readonly outcome: Promise<Outcome>;

  readonly #connection: MessageConnection;
  #reading!: ReadableStreamDefaultController<StreamMessage>;
  #writing!: WritableStreamDefaultController;
  /** Whether we have begun to close: what still comes is not read (the ready state is CLOSING). */
  #isClosing = false;
  /** Whether the connection has no more messages, and whether the readable has ended. */
  #hasReadAll = false;
  #isReadingOver = false;
  #isSending = false;

  constructor(connection: MessageConnection) {
    this.#connection = connection;
    this.outcome = connection.closeInfo.then(toOutcome);
    // 5. Let pullAlgorithm be an action that pulls bytes from stream.
    // 6. Let cancelAlgorithm be an action that cancels stream with reason, given reason.
    // 7. Let readable be a new ReadableStream.
    // 8. Set up readable with pullAlgorithm and cancelAlgorithm.
    this.readable = new ReadableStream<StreamMessage>({
      start: (controller) => {
        this.#reading = controller as ReadableStreamDefaultController<StreamMessage>;
      },
      pull: () => this.#pull(),
      cancel: (reason) => this.#cancel(reason),
    });
    // 9. Let writeAlgorithm be an action that writes chunk to stream, given chunk.
    // 10. Let closeAlgorithm be an action that closes stream.
    // 11. Let abortAlgorithm be an action that aborts stream with reason, given reason.
    // 12. Let writable be a new WritableStream.
    // 13. Set up writable with writeAlgorithm, closeAlgorithm, and abortAlgorithm.
    this.writable = new WritableStream<StreamMessageInit>({
      start: (controller) => {
        this.#writing = controller;
      },
      write: (chunk, controller) => this.#write(chunk, (controller as { readonly signal?: AbortSignal }).signal),
      close: () => this.#close(),
      abort: (reason) => this.#closeUsingReason(reason),
    });
    void this.outcome.then((outcome) => this.#end(outcome));
  }

  /**
   * Closes the WebSocket.
   *
   * @throws InvalidAccessError, SyntaxError (DOMExceptions)
   */
  closeWebSocket(closeArguments: CloseArguments): void {
    // 1. Validate close code and reason with code and reason.
    // 2. If reason is non-empty, but code is null, then set code to 1000 ("Normal Closure").
    const { code, reason } = validateCloseArguments(closeArguments);
    // 3. If obj's ready state is CLOSING (2) or CLOSED (3), do nothing.
    if (this.#isClosing) return;
    // Otherwise, if the WebSocket closing handshake has not yet been started: start the WebSocket closing handshake and
    // set obj's ready state to CLOSING (2).
    this.#isClosing = true;
    void this.#connection.sendClose(code ?? undefined, reason);
    void this.#receive();
  }

  /** To pull bytes: if stream is currently applying backpressure, release backpressure. */
  #pull(): Promise<void> {
    return this.#receive();
  }

  /** Takes the next message for the readable; while we close, takes all there are for nobody. */
  async #receive(): Promise<void> {
    for (;;) {
      const frame = await this.#connection.recvFrame();
      if (frame === null) return this.#receiveEnd();
      // When a message has been received: 1. If stream's ready state is not OPEN (1), then return.
      if (this.#isClosing) continue;
      // 2. Let chunk be determined by switching on type.
      // 3. Enqueue chunk into stream's readable stream.
      // 4. Apply backpressure to the WebSocket.
      this.#reading.enqueue(toChunk(frame));
      return;
    }
  }

  /** There are no more messages: the readable ends as the connection does. */
  async #receiveEnd(): Promise<void> {
    // The peer's close leaves a message of ours unfinished: we do not wait for it to be read, which nobody owes us.
    if (this.#isSending) this.#connection.forceClose();
    this.#hasReadAll = true;
    this.#endReading(await this.outcome);
  }

  /** When the WebSocket connection is closed. */
  #end(outcome: Outcome): void {
    // Else what is unread is read first.
    if (this.#hasReadAll) this.#endReading(outcome);
    // 6.2. Error stream's writable stream with an "InvalidStateError" DOMException indicating that a closed
    //      WebSocketStream cannot be written to.
    // 7.3. Error stream's writable stream with error.
    this.#writing.error(outcome.error ?? createClosedError());
  }

  #endReading({ error }: Outcome): void {
    if (this.#isReadingOver) return;
    this.#isReadingOver = true;
    // 6.1. Close stream's readable stream.
    if (error === undefined) this.#reading.close();
    // 7.2. Error stream's readable stream with error.
    else this.#reading.error(error);
  }

  /** To cancel a stream given reason: close using reason giving stream and reason. */
  #cancel(reason: unknown): void {
    this.#isReadingOver = true;
    this.#closeUsingReason(reason);
  }

  /** To write chunk to a stream. @param signal aborts when the stream is */
  async #write(chunk: unknown, signal: AbortSignal | undefined): Promise<void> {
    // 4. If chunk is a BufferSource, set data to a copy of the bytes given chunk, and opcode to a binary frame opcode.
    // 5. Otherwise, let string be the result of converting chunk to an IDL USVString; if this throws an exception,
    //    return a promise rejected with the exception.
    const message = toMessage(chunk);
    // 6.1. Wait until there is sufficient buffer space in stream to send the message.
    // 6.2. If the closing handshake has not yet started, send a WebSocket Message to stream comprised of data using
    //      opcode.
    if (!this.#isClosing && (await this.#send(message, signal)) > 0) return;
    // The specification resolves the promise here, though nothing was sent: people would believe it.
    const { error } = await this.outcome;
    throw error ?? createClosedError();
  }

  async #send(message: string | Uint8Array, signal: AbortSignal | undefined): Promise<number> {
    this.#isSending = true;
    try {
      if (typeof message === 'string') return await this.#connection.sendText(message, { signal });
      return await this.#connection.sendBinary(message, { signal });
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      this.#isSending = false;
    }
  }

  /** To close the writable: the closing handshake, to its end. */
  async #close(): Promise<void> {
    this.closeWebSocket({ code: null, reason: '' });
    const { error } = await this.outcome;
    if (error !== undefined) throw error;
  }

  /** To close using reason. */
  #closeUsingReason(reason: unknown): void {
    // 1. Let code be null.
    // 2. Let reasonString be the empty string.
    // 3. If reason implements WebSocketError: set code to reason's closeCode and reasonString to reason's reason.
    // 4. Close the WebSocket with stream, code, and reasonString. If this throws an exception, discard code and
    //    reasonString and close the WebSocket with stream.
    try {
      this.closeWebSocket(
        isWebSocketError(reason) ? { code: reason.closeCode, reason: reason.reason } : { code: null, reason: '' },
      );
    } catch {
      this.closeWebSocket({ code: null, reason: '' });
    }
  }
}

/** What a connection's end is in the words of the specification. */
function toOutcome({ code, reason, wasClean, error }: Awaited<MessageConnection['closeInfo']>): Outcome {
  if (wasClean) return { closeCode: code, reason, error: undefined };
  // RFC 6455 §7.1.5: the close code is what the peer said, and 1006 where it said nothing; a failure of ours is no word
  // of the peer's.
  const said =
    error instanceof ProtocolError ? { closeCode: WS_CLOSE_ABNORMAL, reason: '' } : { closeCode: code, reason };
  const message = error?.message ?? 'The connection was not closed cleanly';
  // 7.1. Let error be a new WebSocketError whose closeCode is code and reason is reason.
  return { ...said, error: createWebSocketError(message, said.closeCode, said.reason, error) };
}

function toChunk(frame: WsFrame): StreamMessage {
  if (frame.isText()) return frame.payloadText();
  const { payload } = frame;
  // A payload is a view of what the socket read; a chunk is the reader's own, who may transfer it.
  const isAlone = payload.byteLength === payload.buffer.byteLength;
  return isAlone ? new Uint8Array(payload.buffer) : new Uint8Array(payload);
}

function createClosedError(): DOMException {
  return new DOMException('A closed WebSocketStream cannot be written to', 'InvalidStateError');
}
