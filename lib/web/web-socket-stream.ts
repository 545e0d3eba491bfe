/**
 * `WebSocketStream`: a client connection as two WHATWG streams of messages, one chunk a message. The numbered comments
 * are the steps of the specification; the connection under it is a `WsConnection`, loaded when one is constructed.
 *
 * Where the specification leaves room, ours is this. A message is taken from the connection when the readable asks for
 * it, so unread messages stop the socket. What came before a close or a cut is read before the readable ends with it. A
 * close of the peer's that finds a write under way ends the connection: what is not finished is not clean. `opened` and
 * `closed` count as handled, so that nothing that a peer does ends a process that looks at only one of them.
 *
 * @see https://github.com/whatwg/websockets/pull/48
 * @see https://github.com/ricea/websocketstream-explainer
 */
import { WS_CLOSE_ABNORMAL } from '../protocol/close-code.ts';
import {
  type MessageConnection,
  MessageStreams,
  type StreamMessage,
  type StreamMessageInit,
} from './message-streams.ts';
import { hasSockets } from './platform.ts';
import {
  assertProtocols,
  getUrlRecord,
  type StreamOptions,
  toStreamOptions,
  type WebSocketStreamOptions,
} from './stream-arguments.ts';
import {
  createWebSocketError,
  toCloseArguments,
  toUsvString,
  validateCloseArguments,
  type WebSocketCloseInfo,
} from './web-socket-error.ts';

/** What `opened` gives. */
export interface WebSocketOpenInfo {
  /** The messages that come: a string is a text message, a Uint8Array a binary one. */
  readonly readable: ReadableStream<StreamMessage>;
  /** The messages that go: bytes become a binary message, anything else a string and with that a text message. */
  readonly writable: WritableStream<StreamMessageInit>;
  /** The negotiated extensions as in the header, `''` for none. */
  readonly extensions: string;
  /** The chosen subprotocol, `''` for none. */
  readonly protocol: string;
}

/** What `closed` gives: what the peer said, 1005 where it said nothing. */
export interface WebSocketClosedInfo {
  readonly closeCode: number;
  readonly reason: string;
}

/**
 * A WebSocket client made of WHATWG streams, with the interface and the semantics of the browsers' own.
 *
 * In a page, `wspipe/web` exports the browser's class where there is one; where there is none, this one refuses to be
 * constructed, for only a browser can connect from a page.
 */
export class WebSocketStream {
  readonly #url: string;
  readonly #opened = createDeferred<WebSocketOpenInfo>();
  readonly #closed = createDeferred<WebSocketClosedInfo>();
  readonly #handshake = new AbortController();
  #isHandshakeAborted = false;
  #streams: MessageStreams | undefined;

  /**
   * Connects.
   *
   * @param url `ws:`, `wss:`, `http:` or `https:`
   * @param options subprotocols, and a signal for the handshake
   * @throws SyntaxError (a DOMException) for a URL or a subprotocol that cannot be
   * @throws NotSupportedError (a DOMException) where there are no sockets: in a page
   * @throws TypeError for an option of the wrong type
   */
  constructor(url: string | URL, options?: WebSocketStreamOptions | undefined) {
    if (url === undefined) throw new TypeError('A WebSocketStream needs a URL');
    if (!hasSockets()) {
      throw new DOMException(
        'This platform has no WebSocketStream, and only its own could connect from a page. Use its WebSocket.',
        'NotSupportedError',
      );
    }
    const text = toUsvString(url);
    const converted = toStreamOptions(options);
    // 1. Let baseURL be this's relevant settings object's API base URL.
    // 2. Let urlRecord be the result of getting a URL record given url and baseURL.
    const urlRecord = getUrlRecord(text);
    // 3. Let protocols be options["protocols"] if it exists, otherwise an empty sequence.
    // 4. If any of the values in protocols occur more than once or otherwise fail to match the requirements for elements
    //    that comprise the value of `Sec-WebSocket-Protocol` fields, then throw a "SyntaxError" DOMException.
    assertProtocols(converted.protocols);
    // 5. Set this's url to urlRecord.
    this.#url = urlRecord.href;
    // 6. Set this's opened promise and closed promise to new promises.
    // 7. Apply backpressure to the WebSocket: nothing is taken from it before the readable asks.
    // 8. If options["signal"] exists:
    const { signal } = converted;
    // 8.2. If signal is aborted, then reject this's opened promise and closed promise with signal's abort reason and
    //      return.
    if (signal?.aborted) {
      this.#reject(signal.reason, signal.reason);
      return;
    }
    // 9. Let client be this's relevant settings object.
    // 10. Run this step in parallel: establish a WebSocket connection given urlRecord, protocols, and client.
    void this.#establish(converted);
  }

  /** The URL, as it was understood. */
  get url(): string {
    return this.#url;
  }

  /** The connection, once it stands. Rejects with a {@link WebSocketError}, or with the reason of an abort. */
  get opened(): Promise<WebSocketOpenInfo> {
    return this.#opened.promise;
  }

  /** How it ended. Rejects with a {@link WebSocketError} where that was not clean, or with the reason of an abort. */
  get closed(): Promise<WebSocketClosedInfo> {
    return this.#closed.promise;
  }

  get [Symbol.toStringTag](): string {
    return 'WebSocketStream';
  }

  /**
   * Begins the closing handshake behind what was written, or ends the opening one. Messages that come from then on are
   * not delivered.
   *
   * @param closeInfo a code, 1000 or 3000–4999, and a reason of at most 123 bytes of UTF-8
   * @throws InvalidAccessError, SyntaxError (DOMExceptions) where they may not be sent; TypeError
   */
  close(closeInfo: WebSocketCloseInfo = {}): void {
    // 1. Let code be closeInfo["closeCode"] if present, or null otherwise.
    // 2. Let reason be closeInfo["reason"].
    const closeArguments = validateCloseArguments(toCloseArguments(closeInfo));
    // 3. Close the WebSocket with this, code, and reason.
    if (this.#streams !== undefined) this.#streams.closeWebSocket(closeArguments);
    // If the WebSocket connection is not yet established: fail the WebSocket connection.
    else this.#handshake.abort();
  }

  async #establish({ protocols, signal, maxMessageBytes }: StreamOptions): Promise<void> {
    // 8.3. Add the following abort steps to signal:
    const abort = (): void => this.#abortHandshake(signal?.reason);
    signal?.addEventListener('abort', abort);
    try {
      const { connect } = await import('../endpoint/client/connect.ts');
      const handshake = this.#handshake.signal;
      const connection = await connect(this.#url, { protocols, signal: handshake, maxMessageBytes });
      if (handshake.aborted) {
        connection.forceClose();
        throw handshake.reason;
      }
      this.#established(connection, protocols);
    } catch (error) {
      this.#neverEstablished(error);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #abortHandshake(reason: unknown): void {
    // 8.3.1. If the WebSocket connection is not yet established: fail the WebSocket connection; reject this's opened
    //        promise and closed promise with signal's abort reason; set this's handshake aborted to true.
    this.#isHandshakeAborted = true;
    this.#handshake.abort();
    this.#reject(reason, reason);
  }

  /** When the WebSocket connection is established. */
  #established(connection: ClientConnection, protocols: readonly string[]): void {
    // 3. Let extensions be the extensions in use.
    // 4. Let protocol be the subprotocol in use.
    const { extensions, protocol } = connection;
    // "If protocols is not the empty list", a response that chooses none fails the connection (WebSockets Standard,
    // "establish a WebSocket connection"); RFC 6455 would let it stand.
    if (protocols.length > 0 && protocol === '') {
      connection.forceClose();
      throw new TypeError('The server has chosen none of the subprotocols');
    }
    const streams = new MessageStreams(connection);
    this.#streams = streams;
    void streams.outcome.then(({ closeCode, reason, error }) => {
      // 6.3. Resolve stream's closed promise with «["closeCode" → code, "reason" → reason]».
      // 7.4. Reject stream's closed promise with error.
      if (error === undefined) this.#closed.resolve({ closeCode, reason });
      else this.#closed.reject(error);
    });
    // 14. Set stream's readable stream to readable and its writable stream to writable.
    // 15. Resolve stream's opened promise with «["extensions" → extensions, "protocol" → protocol, "readable" →
    //     readable, "writable" → writable]».
    const { readable, writable } = streams;
    this.#opened.resolve({ extensions, protocol, readable, writable });
  }

  /** When the WebSocket connection is closed, and never was established. */
  #neverEstablished(cause: unknown): void {
    // 2. If stream's handshake aborted is true, then return.
    if (this.#isHandshakeAborted) return;
    // 3. If stream's was ever connected is false, then reject stream's opened promise with a new WebSocketError.
    // 7. Reject stream's closed promise with a WebSocketError whose closeCode is code.
    const message = `The connection was not established: ${cause instanceof Error ? cause.message : String(cause)}`;
    this.#reject(
      createWebSocketError(message, null, '', cause),
      createWebSocketError(message, WS_CLOSE_ABNORMAL, '', cause),
    );
  }

  #reject(opened: unknown, closed: unknown): void {
    this.#opened.reject(opened);
    this.#closed.reject(closed);
  }
}

interface ClientConnection extends MessageConnection {
  readonly protocol: string;
  readonly extensions: string;
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** Makes a promise that counts as handled, and what settles it. */
function createDeferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
