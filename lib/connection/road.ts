/**
 * The two straight pipes around a socket:
 *
 * ```
 * socket ─▶ FrameDecoder ─▶ [InboundLane] ─▶ handlers.receive
 * socket ◀─ FrameEncoder ◀─ [OutboundLane] ◀─ write(frame)
 * ```
 *
 * The lanes, with the stages of extensions, are there only where an extension has been negotiated that wants them.
 *
 * Here the streams are wired, held, let go and torn down, and every way in which a Duplex can end is turned into one of
 * four events: a frame, a violation, the end of what the peer sends, the end of the socket. No rule of the protocol is here.
 */
// biome-ignore-all lint/complexity/noThisInStatic: the static functions here are listeners, called on their stream.
import type { Duplex, Readable } from 'node:stream';
import type { ProtocolError } from '../errors.ts';
import type { WsFrame } from '../protocol/frame.ts';
import { headerLengthFor } from '../protocol/header.ts';
import type { FrameDecoder } from '../stream/frame-decoder.ts';
import type { FrameEncoder } from '../stream/frame-encoder.ts';
import { pump, stopPump } from '../stream/pump.ts';
import { InboundLane } from './inbound-lane.ts';
import { OutboundLane } from './outbound-lane.ts';
import type { RoadHandlers } from './road-handlers.ts';
import { bytesTakenBy, createRoadStreams, type RoadOptions } from './road-streams.ts';

const kRoad = Symbol('wspipe.road');

/** A stream of a road: the road's listeners are shared functions, which find it here. An idle connection holds no closure. */
type RoadStream<Stream> = Stream & { [kRoad]?: Road | undefined };

export class Road {
  readonly #socket: RoadStream<Duplex>;
  readonly #decoder: RoadStream<FrameDecoder>;
  readonly #encoder: RoadStream<FrameEncoder>;
  readonly #inbound: InboundLane | undefined;
  readonly #outbound: OutboundLane | undefined;
  /** What is held and let go. */
  readonly #source: Readable;
  readonly #handlers: RoadHandlers;
  readonly #isClient: boolean;
  /** What the socket had taken before, where it can tell. */
  readonly #takenBefore: number;
  #acceptedBytes = 0;
  #dataFrames = 0;
  #hasEnded = false;
  #isEnding = false;
  #isOver = false;
  #isDiscarding = false;
  #hasSentClose = false;
  #error: Error | undefined;

  constructor(socket: Duplex, options: RoadOptions, handlers: RoadHandlers) {
    if (typeof socket?.pipe !== 'function' || typeof socket.write !== 'function') {
      throw new TypeError('The socket must be a Duplex stream');
    }
    this.#socket = socket;
    this.#takenBefore = bytesTakenBy(socket);
    this.#handlers = handlers;
    this.#isClient = options.role === 'client';
    // When to end is decided here, not by the peer's FIN: a close frame before it still wants its answer.
    socket.allowHalfOpen = true;
    const { decoder, encoder, judge, inbound, outbound } = createRoadStreams(options, Road.#isFlushed);
    this.#decoder = decoder;
    this.#encoder = encoder;
    this.#decoder[kRoad] = this;
    if (inbound.length > 0) {
      this.#inbound = new InboundLane(decoder, inbound, judge, this, (error) => this.#inboundDone(error));
    } else {
      decoder.on('data', Road.#onFrame).on('end', Road.#onDecoderEnd).on('error', Road.#onDecoderError);
    }
    if (outbound.length > 0) this.#outbound = new OutboundLane(outbound, encoder, handlers, this);
    this.#source = this.#inbound?.last ?? this.#decoder;
    pump(socket, decoder);
    this.#wireOutbound();
    if (socket.destroyed || socket.closed) process.nextTick(() => this.#finish());
  }

  /** Bytes written that the socket has not given to the system yet. */
  get bufferedBytes(): number {
    if (this.#isOver) return 0;
    const unencoded = this.#acceptedBytes - this.#encoder.bytesWritten + (this.#outbound?.heldBytes ?? 0);
    return unencoded + this.#encoder.readableLength + this.#socket.writableLength;
  }

  /** Bytes on the wire of all data that extensions have given out; undefined where there are none on the way out. */
  get stagedBytes(): number | undefined {
    return this.#outbound?.givenBytes;
  }

  /** Bytes that have come in. */
  get bytesIn(): number {
    return this.#decoder.bytesRead;
  }

  /** Bytes that have been given to the system. */
  get bytesOut(): number {
    return this.#encoder.bytesWritten - this.#encoder.readableLength - this.#socket.writableLength;
  }

  /** Data frames, and slices of them, that have come in or were written. */
  get dataFrames(): number {
    return this.#dataFrames;
  }

  /** Whether a close frame has been written: §5.5.1 lets nothing follow it. */
  get hasSentClose(): boolean {
    return this.#hasSentClose;
  }

  /** Whether the socket can no longer be written. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Hands no more frames over (a few may still come) and, with that, stops reading the socket. */
  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }

  get isPaused(): boolean {
    return this.#source.isPaused();
  }

  /**
   * Sends a frame, where it can be encoded at once.
   *
   * @returns whether it was; if not, nothing has happened
   */
  writeNow(frame: WsFrame): boolean {
    if (this.#isOver || this.#outbound !== undefined || !this.#encoder.encodeNow(frame)) return false;
    this.#wrote(frame);
    return true;
  }

  /**
   * Sends a frame.
   *
   * @returns whether it is encoded, which means that its payload may be reused and that there is room for more; if not,
   * `roadDrained` tells when
   */
  write(frame: WsFrame): boolean {
    if (this.#isOver || this.#isEnding) return true;
    if (this.#outbound !== undefined) {
      this.#hasSentClose ||= frame.isClose();
      // A ping or a pong may overtake; a close may not.
      const mayPass = frame.isControl() && !frame.isClose();
      return mayPass ? this.#outbound.writePast(frame) : this.#outbound.write(frame);
    }
    if (this.writeNow(frame)) return true;
    this.#wrote(frame);
    this.#encoder.write(frame);
    return this.#encoder.writableLength === 0;
  }

  /** @internal sends what has passed the stages, or goes past them. @returns the bytes that it takes on the wire */
  encode(frame: WsFrame): number {
    if (this.#isOver || this.#encoder.writableEnded) return 0;
    if (!this.#encoder.encodeNow(frame)) this.#encoder.write(frame);
    return this.#wrote(frame);
  }

  #wrote(frame: WsFrame): number {
    const bytes = headerLengthFor(frame.payload.length, this.#isClient) + frame.payload.length;
    this.#acceptedBytes += bytes;
    this.#hasSentClose ||= frame.isClose();
    if (!frame.isControl()) this.#dataFrames += 1;
    return bytes;
  }

  /** Sends what was written and then FIN. */
  end(): void {
    if (this.#isOver || this.#isEnding) return;
    this.#isEnding = true;
    if (this.#outbound === undefined) this.#encoder.end();
    else this.#outbound.end();
  }

  /** From now on reads the socket only to throw away what comes, so that its end is seen and nothing is reset. */
  discard(): void {
    if (this.#isDiscarding) return;
    this.#isDiscarding = true;
    stopPump(this.#socket);
    this.#decoder.destroy();
    this.#inbound?.destroy();
    if (this.#isOver) return;
    this.#socket.on('end', Road.#onSocketEnd);
    this.#socket.resume();
    if (this.#socket.readableEnded) this.#inboundEnded();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#finish();
  }

  #wireOutbound(): void {
    const socket = this.#socket;
    const encoder = this.#encoder;
    socket[kRoad] = encoder[kRoad] = this;
    if (this.#outbound === undefined) encoder.on('drain', Road.#onEncoderDrain);
    pump(encoder, socket);
    socket.on('error', Road.#onSocketError).on('finish', Road.#onSocketFinish).on('close', Road.#onSocketClose);
  }

  static #onFrame(this: RoadStream<FrameDecoder>, frame: WsFrame): void {
    this[kRoad]!.receive(frame);
  }

  static #onDecoderEnd(this: RoadStream<FrameDecoder>): void {
    this[kRoad]!.#inboundDone(undefined);
  }

  static #onDecoderError(this: RoadStream<FrameDecoder>, error: Error): void {
    this[kRoad]!.#inboundDone(error as ProtocolError);
  }

  static #onEncoderDrain(this: RoadStream<FrameEncoder>): void {
    this[kRoad]!.#handlers.roadDrained();
  }

  /** Whether the system has all that was written. The socket's own count must agree: somebody may stand in for it. */
  static #isFlushed(this: RoadStream<FrameEncoder>): boolean {
    const road = this[kRoad];
    if (road === undefined || road.#socket.writableLength > 0) return false;
    return bytesTakenBy(road.#socket) - road.#takenBefore === this.bytesWritten;
  }

  static #onSocketError(this: RoadStream<Duplex>, error: Error): void {
    const road = this[kRoad]!;
    road.#error ??= error;
    // A stream that does not destroy itself on errors is destroyed here.
    road.#destroySocket();
  }

  static #onSocketFinish(this: RoadStream<Duplex>): void {
    this[kRoad]!.#closeWhenDone();
  }

  static #onSocketEnd(this: RoadStream<Duplex>): void {
    this[kRoad]!.#inboundEnded();
  }

  static #onSocketClose(this: RoadStream<Duplex>): void {
    this.off('error', Road.#onSocketError).off('finish', Road.#onSocketFinish).off('end', Road.#onSocketEnd);
    this.off('close', Road.#onSocketClose);
    this[kRoad]!.#finish();
    this[kRoad] = undefined;
  }

  /** @internal a frame has come through the decoder and the stages */
  receive(frame: WsFrame): void {
    if (!frame.isControl()) this.#dataFrames += 1;
    this.#handlers.receive(frame);
  }

  /** Nothing more comes through the decoder and the stages. */
  #inboundDone(error: ProtocolError | undefined): void {
    if (this.#isDiscarding && error !== undefined) return;
    if (error === undefined || error.code === 'WS_ERR_TRUNCATED') this.#inboundEnded(error);
    else this.#handlers.violated(error);
  }

  #inboundEnded(error?: ProtocolError | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#handlers.transportEnded(error);
    this.#closeWhenDone();
  }

  /** Both directions have ended, or somebody else has ended ours: the rest is up to the socket, and some need to be told. */
  #closeWhenDone(): void {
    const isDone = this.#hasEnded || !this.#encoder.writableEnded;
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
    stopPump(this.#encoder);
    this.#encoder.destroy();
    this.#outbound?.destroy();
    stopPump(this.#socket);
    // What came before the socket went is not lost: the decoder hands over what it has, then ends.
    if (!this.#isDiscarding && !this.#decoder.writableEnded) this.#decoder.end();
    this.#handlers.transportGone(this.#error);
  }
}
