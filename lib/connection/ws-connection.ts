/**
 * The connection: a Duplex of frames around a socket, and the one bend where what comes in touches what goes out (a
 * pong, a close frame in answer, a heartbeat).
 *
 * ```
 *            ┌──────────────────────── WsConnection ────────────────────────┐
 *  socket ─▶ │ FrameDecoder ─▶ ● ─▶ reception (inbox, assembly) ─▶ readable │ ─▶ user
 *            │                 │ pong, close                                │
 *  socket ◀─ │ FrameEncoder ◀─ ● ◀─ outbox (fragments) ◀────────── writable │ ◀─ user
 *            └──────────────────────────────────────────────────────────────┘
 * ```
 *
 * Three laws. What a peer or the network does never rejects and never throws. Nothing is assembled before somebody
 * reads. A close, like a failure, takes effect when the reader reaches it, so that every message before it can still be
 * answered.
 * @see RFC 6455 §5–§7
 */
import type { Duplex } from 'node:stream';
import { milliseconds, resolveConnectionOptions, type WsRequest, type WsResponse } from '../options.ts';
import { WS_CLOSE_NORMAL } from '../protocol/close-code.ts';
import type { WsState } from '../protocol/closing.ts';
import { type BytesLike, WsFrame } from '../protocol/frame.ts';
import type { WsRole } from '../protocol/header-rules.ts';
import { abortable } from './abortable.ts';
import { Bend, type BendOptions } from './bend.ts';
import type { CloseInfo } from './closer.ts';
import type { EstablishedOptions } from './connection-arguments.ts';
import { publishOpen } from './diagnostics.ts';
import { FrameDuplex } from './faces/frame-duplex.ts';
import { restoreNodeOperators } from './faces/node-operators.ts';
import { type FragmentsOptions, StreamAccess } from './faces/stream-access.ts';
import type { WebStreams } from './faces/web-face.ts';
import { FrameIterator } from './reading/frame-iterator.ts';
import { guardReading } from './reading/lock-guard.ts';
import type { MessageIterator, MessagesOptions } from './reading/message-iterator.ts';
import type { WsMessageType } from './reading/ws-message.ts';
import type { ConnectionStats } from './road/traffic-stats.ts';
import type { MessageOptions, PingOptions, SendOptions, WaitOptions } from './wait-options.ts';
import type { OutgoingMessage } from './writing/outgoing-message.ts';
import { overflows } from './writing/overflow.ts';
import { textFrame, toFrame, type WriteCallback, withCompress } from './writing/sender.ts';

/**
 * A WebSocket connection whose handshake is done: a Duplex in object mode both ways.
 *
 * Reading gives {@link WsFrame}s, one whole message each. Writing takes frames, strings (text) and bytes (binary).
 * `end()` is `close(1000)` after all that was written; `destroy()` is {@link forceClose}.
 */
export class WsConnection<Context = unknown> extends FrameDuplex {
  /** Our end. */
  readonly role: WsRole;
  /** The chosen subprotocol, `''` for none. */
  readonly protocol: string;
  /** The negotiated extensions as in the header, `''` for none. */
  readonly extensions: string;
  /** The request that became this connection; on a server that did the handshake. */
  readonly request: WsRequest | undefined;
  /** The response that became this connection; on a client that did the handshake. */
  readonly response: WsResponse | undefined;
  /** What `authorize` returned. */
  readonly context: Context;

  readonly #bend: Bend;

  static {
    guardReading(WsConnection.prototype, (conn) => conn.#bend.readLock.assertUnlocked());
  }

  /** @internal use {@link fromServer} or {@link fromClient}. @param resolved the limits, where they are checked already */
  constructor(role: WsRole, socket: Duplex, options: EstablishedOptions = {}, resolved?: BendOptions['limits']) {
    // One message being written, one waiting; one read ahead. The real bounds are in bytes.
    super({ objectMode: true, readableHighWaterMark: 1, writableHighWaterMark: 2 });
    this.role = role;
    this.protocol = options.protocol ?? '';
    this.extensions = options.extensions?.header ?? '';
    this.request = options.request;
    this.response = options.response;
    this.context = options.context as Context;
    // What a peer does must not end the process for want of a listener; `finished` and `closeInfo` see it all the same.
    this.on('error', nothing);
    const limits = resolved ?? resolveConnectionOptions(options);
    this.#bend = new Bend(this, socket, { role, head: options.head, extensions: options.extensions, limits });
    publishOpen(this, socket);
  }

  /**
   * Makes the server's end of a connection over a socket on which the handshake is done.
   *
   * @param socket any Duplex of bytes: TCP, TLS, an HTTP/2 stream, one end of an in-memory pair; it belongs to the
   * connection from then on, and what it gives is unmasked in place
   * @throws TypeError, RangeError for an option that cannot be
   */
  static fromServer<Context = unknown>(
    socket: Duplex,
    options?: EstablishedOptions<Context> | undefined,
  ): WsConnection<Context> {
    return new WsConnection('server', socket, options);
  }

  /** Makes the client's end of a connection over a socket on which the handshake is done, as {@link fromServer} does. */
  static fromClient(socket: Duplex, options?: EstablishedOptions | undefined): WsConnection {
    return new WsConnection('client', socket, options);
  }

  get isServer(): boolean {
    return this.role === 'server';
  }

  /** One of `WS_STATE_*`. */
  get state(): WsState {
    return this.#bend.closer.wsState;
  }

  /** Whether messages still go both ways. A close of the peer's that the reader has not reached does not count yet. */
  isOpen(): boolean {
    return this.#bend.closer.isOpen;
  }

  /** Settles when the connection is over, and never rejects. */
  get closeInfo(): Promise<CloseInfo> {
    return this.#bend.closer.outcome;
  }

  /** Bytes that were accepted for sending and that the system has not taken yet. */
  get bufferedAmount(): number {
    return this.#bend.bufferedBytes;
  }

  /** What has been counted up to this moment; of a connection that is over, in all. */
  get stats(): ConnectionStats {
    return this.#bend.stats;
  }

  /** ms of the last round trip of a ping, the heartbeat's or one of {@link ping}; `undefined` before the first. */
  get latencyMs(): number | undefined {
    return this.#bend.liveness.latencyMs;
  }

  /**
   * Waits for the next frame: a whole message, or a control frame where an option asks for those.
   *
   * @param options `signal` ends the wait with an `AbortError`; no frame is lost by that
   * @returns `null` when there will be none, whatever the reason; {@link closeInfo} tells it
   */
  recvFrame(options?: WaitOptions | undefined): Promise<WsFrame | null> {
    const signal = options?.signal;
    if (signal?.aborted) return abortable(signal, nothing);
    let frame: WsFrame | null | undefined;
    try {
      frame = this.#bend.take();
    } catch (error) {
      return Promise.reject(error);
    }
    if (frame !== undefined) return Promise.resolve(frame);
    return abortable(signal, (resolve) => this.#bend.reception.wait(resolve));
  }

  /** Iterates over the messages, one at a time, in order. Leaving the loop early leaves the connection usable. */
  override [Symbol.asyncIterator](): FrameIterator {
    this.#bend.readLock.assertUnlocked();
    this.#bend.readLock.openLoop();
    return new FrameIterator(this.#bend);
  }

  /** Reads as `Readable.read` does: a frame, or `null` when there is none yet. */
  override read(size?: number): WsFrame | null {
    if (size !== 0) this.#bend.readLock.assertUnlocked();
    const frame: WsFrame | null = super.read(size);
    if (frame === null && size !== 0) this.#bend.ask();
    return frame;
  }

  /**
   * Reads messages as streams, each from its first bytes on, in constant memory; it may be called late, for nothing is
   * assembled before somebody reads. It locks the connection until the loop is left.
   *
   * @param options `maxMessageBytes` (`Infinity`), and what becomes of a message that is not read to its end
   * @throws WsError (`WS_ERR_LOCKED`), TypeError, RangeError
   */
  messages(options?: MessagesOptions | undefined): MessageIterator {
    return this.#streams.messages(options);
  }

  /**
   * Iterates over data frames as they come, unassembled: fragments, and large frames in slices. Each can be sent on as
   * it is, so this is a proxy's loop. It locks the connection until the loop is left.
   *
   * @throws WsError (`WS_ERR_LOCKED`), TypeError, RangeError
   */
  fragments(options?: FragmentsOptions | undefined): FrameIterator {
    return this.#streams.fragments(options);
  }

  /**
   * Begins a message that is written bit by bit: a Writable whose bytes leave as fragments, as they come. Messages that
   * are sent after it wait until it has ended. Destroying it half way fails the connection with 1011.
   *
   * @throws TypeError for another type, or inside a message of raw fragments
   */
  createMessage(type: WsMessageType, options?: MessageOptions | undefined): OutgoingMessage {
    return this.#streams.createMessage(type, options?.compress);
  }

  /**
   * Gives the connection as plain bytes, in binary messages; a text message fails it with 1003. It locks the connection.
   *
   * @throws WsError (`WS_ERR_LOCKED`)
   */
  byteStream(): Duplex {
    return this.#streams.byteStream();
  }

  /**
   * Gives the connection as WHATWG streams of `string` (text) and `Uint8Array` (binary). It locks the connection.
   *
   * @throws WsError (`WS_ERR_LOCKED`)
   */
  toWeb(): WebStreams {
    return this.#streams.toWeb();
  }

  /** A connection gives frames, not text in pieces. @throws TypeError */
  override setEncoding(_encoding: BufferEncoding): this {
    throw new TypeError('A WsConnection gives frames: it has no encoding');
  }

  /**
   * Sends a frame: a whole message, a raw fragment (`isFinal: false`, then continuations), or a control frame.
   *
   * @returns the bytes put on the wire, once there is room for more; `0` when the connection is no longer open
   * @throws TypeError (as a rejection) for an illegal sequence of fragments, or reserved bits that no extension claims
   * @throws AbortError (as a rejection) when `signal` aborts the wait; a message of which nothing has left is taken back
   */
  async sendFrame(frame: WsFrame, options?: SendOptions | undefined): Promise<number> {
    if (!(frame instanceof WsFrame)) throw new TypeError('sendFrame takes a WsFrame');
    return this.#send(frame, options);
  }

  /** Sends a text message. Result and errors as {@link sendFrame}. */
  async sendText(text: string, options?: SendOptions | undefined): Promise<number> {
    return this.#send(textFrame(text), options);
  }

  /** Sends a binary message; once the promise is settled, `data` may be reused. Result and errors as {@link sendFrame}. */
  async sendBinary(data: BytesLike, options?: SendOptions | undefined): Promise<number> {
    return this.#send(WsFrame.binary(data), options);
  }

  /** Sends a ping, past the messages that wait. @param data at most 125 bytes. Result and errors as {@link sendFrame}. */
  async sendPing(data?: string | BytesLike | undefined, options?: SendOptions | undefined): Promise<number> {
    return this.#send(WsFrame.ping(data), options);
  }

  /** Sends a pong, past the messages that wait. @param data at most 125 bytes. Result and errors as {@link sendFrame}. */
  async sendPong(data?: string | BytesLike | undefined, options?: SendOptions | undefined): Promise<number> {
    return this.#send(WsFrame.pong(data), options);
  }

  /**
   * Begins the closing handshake, behind all that was written.
   *
   * @param code 1000–1003, 1007–1014 or 3000–4999; none for an empty body
   * @param reason at most 123 bytes of UTF-8
   * @returns the bytes put on the wire; `0` when the connection is no longer open
   */
  async sendClose(
    code?: number | undefined,
    reason?: string | undefined,
    options?: SendOptions | undefined,
  ): Promise<number> {
    return this.#send(WsFrame.close(code, reason), options);
  }

  /**
   * Measures the round trip of a ping.
   *
   * @param data at most 125 bytes. Default: eight bytes that differ from ping to ping
   * @param options `timeoutMs`, and `signal`, which ends the wait with an `AbortError`
   * @returns ms; `null` when the connection ends before the pong, or after `timeoutMs`
   */
  async ping(data?: string | BytesLike | undefined, options: PingOptions = {}): Promise<number | null> {
    const { timeoutMs, signal } = options;
    if (timeoutMs !== undefined) milliseconds('timeoutMs', timeoutMs, 0);
    if (this.isOpen() && overflows(this.#bend)) return null;
    return this.#bend.liveness.ping(data, timeoutMs, signal);
  }

  /** Writes as `Writable.write` does. When the connection is over, the callback gets the error and that is all. */
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const done = (typeof encoding === 'function' ? encoding : callback) as WriteCallback | undefined;
    if (!this.isOpen() || overflows(this.#bend)) {
      this.#bend.writeLate(done);
      return false;
    }
    let frame: WsFrame;
    try {
      frame = toFrame(chunk);
      this.#bend.sender.accept(frame);
    } catch (error) {
      if (done !== undefined) process.nextTick(done, error);
      this.destroy(error as Error);
      return false;
    }
    if (!frame.isClose()) return this.#bend.sender.write(frame, done);
    void this.sendFrame(frame).then(() => done?.());
    return false;
  }

  /** Ends as `Writable.end` does: `close(1000)` after all that was written. */
  override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
    const done = [chunk, encoding, callback].find((argument) => typeof argument === 'function');
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') this.write(chunk);
    this.#bend.beginClose(WsFrame.close(WS_CLOSE_NORMAL));
    super.end(done as () => void);
    return this;
  }

  /**
   * Closes: the closing handshake, behind all that was written. Calling it again gives the same.
   *
   * @param code 1000–1003, 1007–1014 or 3000–4999
   * @param reason at most 123 bytes of UTF-8
   * @param options `signal` destroys the socket and rejects with an `AbortError`
   * @returns what became of it. Rejects for a bad code or reason (`RangeError`, `TypeError`) and for nothing else
   */
  async close(code: number = WS_CLOSE_NORMAL, reason = '', options?: WaitOptions | undefined): Promise<CloseInfo> {
    const frame = WsFrame.close(code, reason);
    const signal = options?.signal;
    if (signal?.aborted) this.forceClose();
    this.#bend.beginClose(frame);
    return abortable(signal, (resolve) => {
      void this.closeInfo.then(resolve);
      return () => this.forceClose();
    });
  }

  /** Destroys the socket now. {@link closeInfo} gives 1006, local, where the connection was not over. */
  forceClose(): void {
    this.destroy();
    this.#bend.destroyRoad();
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  [Symbol.dispose](): void {
    this.forceClose();
  }

  /** @internal as {@link sendFrame}, without a promise where the frame leaves at once. @throws TypeError */
  sendAtOnce(frame: WsFrame): number | Promise<number> {
    return this.#send(frame, undefined);
  }

  /** @internal */
  override _read(): void {
    this.#bend.reception.demand();
  }

  /** @internal */
  override _write(frame: WsFrame, _encoding: BufferEncoding, callback: WriteCallback): void {
    const { sender, closer } = this.#bend;
    sender.unqueue(frame, (isWritten) => callback(isWritten ? null : closer.createError()));
  }

  /** @internal */
  override _final(callback: WriteCallback): void {
    this.#bend.finalize(callback);
  }

  /** @internal */
  override _destroy(error: Error | null, callback: WriteCallback): void {
    this.#bend.streamDestroyed(error);
    callback(error);
  }

  get #streams(): StreamAccess {
    return new StreamAccess(this.#bend, this);
  }

  #send(asked: WsFrame, options: SendOptions | undefined): number | Promise<number> {
    const frame = withCompress(asked, options?.compress);
    const signal = options?.signal;
    if (signal?.aborted) return abortable<number>(signal, nothing);
    if (!this.isOpen() || overflows(this.#bend)) return 0;
    this.#bend.sender.accept(frame);
    if (frame.isClose()) return this.#bend.sendClose(frame, signal);
    return this.#bend.sender.send(frame, signal);
  }
}

restoreNodeOperators(WsConnection.prototype);

function nothing(): undefined {}
