/**
 * The two straight ways around a socket:
 *
 * ```
 * socket ─▶ FrameDecoder ─▶ [InboundLane] ─▶ handlers.receive
 * socket ◀─ FrameEncoder ◀─ [OutboundLane] ◀─ write(frame)
 * ```
 *
 * The lanes, with the stages of extensions, are there only where an extension has been negotiated that wants them; the
 * ways themselves only while something moves.
 *
 * Here every way in which a Duplex can end is turned into one of four events: a frame, a violation, the end of what the
 * peer sends, the end of the socket. No rule of the protocol is here.
 */
import type { Duplex } from 'node:stream';
import type { ProtocolError } from '../../errors.ts';
import { toBytes, type WsFrame } from '../../protocol/frame.ts';
import { type Resting, restWatch } from './rest-watch.ts';
import type { RoadHandlers } from './road-handlers.ts';
import { planRoad, type RoadOptions } from './road-streams.ts';
import { type ConnectionStats, createTrafficStats } from './traffic-stats.ts';
import { WayIn, type WayInOwner } from './way-in.ts';
import { WayOut, type WayOutOwner } from './way-out.ts';

const kRoad: unique symbol = Symbol('wspipe.road');

/** The socket: the road's listeners are shared functions, which find it here. An idle connection holds no closure. */
type RoadSocket = Duplex & { [kRoad]?: Road | undefined };

export class Road implements Resting, WayInOwner, WayOutOwner {
  readonly handlers: RoadHandlers;
  motionSeen: number | undefined;
  readonly #socket: RoadSocket;
  readonly #in: WayIn;
  readonly #out: WayOut;
  #hasEnded = false;
  #isOver = false;
  #isDiscarding = false;
  #error: Error | undefined;
  /** When it began, in whole ms of the process's clock: a small integer, which needs no memory of its own. */
  readonly #openedAt: number = Math.floor(performance.now());
  /** How long it stood. */
  #durationMs: number | undefined;

  constructor(socket: Duplex, options: RoadOptions, handlers: RoadHandlers) {
    if (typeof socket?.pipe !== 'function' || typeof socket.write !== 'function') {
      throw new TypeError('The socket must be a Duplex stream');
    }
    this.#socket = socket;
    this.handlers = handlers;
    // When to end is decided here, not by the peer's FIN: a close frame before it still wants its answer.
    socket.allowHalfOpen = true;
    const plan = planRoad(options);
    this.#out = new WayOut(socket, plan, this);
    this.#in = new WayIn(socket, plan, this);
    this.#out.start();
    this.#in.start(options.head === undefined ? undefined : toBytes(options.head));
    this.#socket[kRoad] = this;
    socket.on('error', Road.#onError).on('finish', Road.#onFinish).on('close', Road.#onClose);
    if (socket.destroyed || socket.closed) process.nextTick(() => this.#finish());
  }

  /** What has been counted. @param unreadBytes what has come and is not read; @param waitingBytes what waits to leave */
  count(unreadBytes: number, waitingBytes: number): ConnectionStats {
    return {
      openedAt: Math.round(performance.timeOrigin + this.#openedAt),
      durationMs: this.#durationMs ?? Math.floor(performance.now()) - this.#openedAt,
      received: createTrafficStats(this.#in.count(unreadBytes)),
      sent: createTrafficStats(this.#out.count(waitingBytes)),
    };
  }

  /** Bytes written that the socket has not given to the system yet. */
  get bufferedBytes(): number {
    return this.#isOver ? 0 : this.#out.heldBytes;
  }

  /** Bytes on the wire of all data that extensions have given out; undefined where there are none on the way out. */
  get stagedBytes(): number | undefined {
    return this.#out.stagedBytes;
  }

  /** Bytes that have come in. */
  get bytesIn(): number {
    return this.#in.bytes;
  }

  /** Bytes that have been given to the system. */
  get bytesOut(): number {
    return this.#out.bytes;
  }

  /** Data frames, and slices of them, that have come in or were written. */
  get dataFrames(): number {
    return this.#in.dataFrames + this.#out.dataFrames;
  }

  /** Whether a close frame has been written: §5.5.1 lets nothing follow it. */
  get hasSentClose(): boolean {
    return this.#out.hasSentClose;
  }

  /** Whether the socket can no longer be written. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Hands no more frames over (a few may still come) and, with that, stops reading the socket. */
  pause(): void {
    if (!this.#isDiscarding) this.#in.pause();
  }

  resume(): void {
    this.#in.resume();
  }

  get isPaused(): boolean {
    return this.#in.isPaused;
  }

  /** Sends a frame, where it can be encoded at once. @returns whether it was; if not, nothing has happened */
  writeNow(frame: WsFrame): boolean {
    return this.#out.writeNow(frame);
  }

  /**
   * Sends a frame.
   *
   * @returns whether it is encoded, which means that its payload may be reused and that there is room for more; if not,
   * `roadDrained` tells when
   */
  write(frame: WsFrame): boolean {
    return this.#out.write(frame);
  }

  /** Sends what was written and then FIN. */
  end(): void {
    this.#out.end();
  }

  /** From now on reads the socket only to throw away what comes, so that its end is seen and nothing is reset. */
  discard(): void {
    if (this.#isDiscarding) return;
    this.#isDiscarding = true;
    this.#in.discard();
    if (this.#isOver) return;
    this.#socket.on('end', Road.#onEnd);
    this.#socket.resume();
    if (this.#socket.readableEnded) this.inboundEnded();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#finish();
  }

  opened(): void {
    if (!this.#isOver) restWatch.add(this);
  }

  get motion(): number {
    return this.#in.bytes + this.#out.acceptedBytes;
  }

  rest(): boolean {
    // What closes is not let go of any more: it has an end.
    if (this.#hasEnded || this.#isDiscarding) return true;
    const isInAtRest = this.#in.rest();
    return this.#out.rest() && isInAtRest;
  }

  /** @internal Nothing more will come. */
  inboundEnded(error?: ProtocolError | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.handlers.transportEnded(error);
    this.#closeWhenDone();
  }

  /** Both directions have ended, or somebody else has ended ours: the rest is up to the socket, and some need to be told. */
  #closeWhenDone(): void {
    const isDone = this.#hasEnded || !this.#out.hasEnded;
    if (isDone && this.#socket.writableFinished) this.#destroySocket();
  }

  #destroySocket(): void {
    this.#socket.destroy();
    // Not every stream says that it has closed.
    setImmediate(() => this.#finish());
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#durationMs = Math.floor(performance.now()) - this.#openedAt;
    restWatch.delete(this);
    this.#out.finish();
    this.#in.finish();
    this.handlers.transportGone(this.#error);
  }

  static #onError(this: RoadSocket, error: Error): void {
    const road = this[kRoad]!;
    road.#error ??= error;
    // A stream that does not destroy itself on errors is destroyed here.
    road.#destroySocket();
  }

  static #onFinish(this: RoadSocket): void {
    this[kRoad]!.#closeWhenDone();
  }

  static #onEnd(this: RoadSocket): void {
    this[kRoad]!.inboundEnded();
  }

  static #onClose(this: RoadSocket): void {
    this.off('error', Road.#onError).off('finish', Road.#onFinish).off('end', Road.#onEnd).off('close', Road.#onClose);
    this[kRoad]!.#finish();
    this[kRoad] = undefined;
  }
}
