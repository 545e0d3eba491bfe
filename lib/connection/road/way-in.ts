/**
 * The way in of a road:
 *
 * ```
 * socket ─▶ FrameDecoder ─▶ [InboundLane] ─▶ handlers.receive
 * ```
 *
 * It is there only while something moves: the first byte opens it, and when nothing has moved for a while and it has
 * nothing to remember, it is let go. An idle connection would hold 1 KiB for it.
 */
import type { Duplex, Readable } from 'node:stream';
import type { ProtocolError } from '../../errors.ts';
import { COPIED, type WsFrame } from '../../protocol/frame.ts';
import type { FrameDecoder } from '../../stream/frame-decoder.ts';
import { freeChunk, isWorthFreeing } from './chunk-memory.ts';
import { isTracing, traceFrame } from './frame-trace.ts';
import { InboundLane } from './inbound-lane.ts';
import type { RoadHandlers } from './road-handlers.ts';
import { createInboundStreams, mayInboundRest, type RoadPlan } from './road-streams.ts';
import type { TrafficCounts } from './traffic-stats.ts';

const kWay: unique symbol = Symbol('wspipe.in');

/** A stream of the way: listeners are shared functions, which find it here. An idle connection holds no closure. */
type WayStream<Stream> = Stream & { [kWay]?: WayIn | undefined };

/** To whom a way in belongs. */
export interface WayInOwner {
  readonly handlers: Pick<RoadHandlers, 'receive' | 'violated'>;
  /** Nothing more will come. `error`: it ended inside a frame. */
  inboundEnded(error?: ProtocolError | undefined): void;
  /** The way has been opened. */
  opened(): void;
}

export class WayIn {
  readonly #socket: WayStream<Duplex>;
  readonly #plan: RoadPlan;
  readonly #owner: WayInOwner;
  #decoder: WayStream<FrameDecoder> | undefined;
  /** The chunk that is being used up, while nobody has been given a view of it. */
  #chunk: ArrayBufferLike | undefined;
  #lane: InboundLane | undefined;
  /** Bytes that decoders had read which were let go of. */
  #readBefore = 0;
  /** Frames that they had made. */
  #framesBefore = 0;
  // What has come through the decoder and the stages.
  #dataFrames = 0;
  #messages = 0;
  #payloadBytes = 0;
  #pings = 0;
  #pongs = 0;
  #isDiscarding = false;

  constructor(socket: Duplex, plan: RoadPlan, owner: WayInOwner) {
    this.#socket = socket;
    this.#plan = plan;
    this.#owner = owner;
    this.#socket[kWay] = this;
  }

  /** Begins to read. @param head bytes of the socket that were read already; what they hold is told in a later tick */
  start(head: Uint8Array | undefined): void {
    const isAwaited = head !== undefined && head.length > 0;
    this.#socket.on('data', WayIn.#onBytes).on('end', WayIn.#onSocketEnd);
    if (isAwaited || this.#socket.readableEnded || !mayInboundRest(this.#plan)) this.#open(head);
    else this.#socket.resume();
  }

  /** Bytes that have come in. */
  get bytes(): number {
    return this.#readBefore + (this.#decoder?.bytesRead ?? 0);
  }

  /** Data frames, and slices of them, that have come in. */
  get dataFrames(): number {
    return this.#dataFrames;
  }

  /** What has come in. @param bufferedBytes what of it waits to be read */
  count(bufferedBytes: number): TrafficCounts {
    return {
      messages: this.#messages,
      frames: this.#framesBefore + (this.#decoder?.framesRead ?? 0),
      payloadBytes: this.#payloadBytes,
      wireBytes: this.bytes,
      pings: this.#pings,
      pongs: this.#pongs,
      bufferedBytes,
    };
  }

  /** Hands no more frames over (a few may still come) and, with that, stops reading the socket. */
  pause(): void {
    if (this.#decoder === undefined) this.#open();
    this.#source?.pause();
  }

  resume(): void {
    this.#source?.resume();
  }

  get isPaused(): boolean {
    return this.#source?.isPaused() ?? false;
  }

  /** From now on hands nothing over; the socket is left to its owner. */
  discard(): void {
    this.#isDiscarding = true;
    this.#unlisten();
    this.#decoder?.destroy();
    this.#lane?.destroy();
  }

  /** The socket is gone. What came before is not lost: it is handed over, and then the end is told. */
  finish(): void {
    this.#unlisten();
    if (this.#isDiscarding) return;
    if (this.#decoder === undefined) process.nextTick(() => this.#owner.inboundEnded());
    else if (!this.#decoder.writableEnded) this.#decoder.end();
  }

  /** Lets go of the streams, where they have nothing to remember. @returns whether there are none */
  rest(): boolean {
    const decoder = this.#decoder;
    if (decoder === undefined) return true;
    const isEmpty = decoder.isAtRest && (this.#lane?.isEmpty ?? true);
    if (!isEmpty || this.isPaused || !mayInboundRest(this.#plan)) return false;
    this.#readBefore += decoder.bytesRead;
    this.#framesBefore += decoder.framesRead;
    this.#decoder = undefined;
    decoder.destroy();
    this.#lane?.destroy();
    this.#lane = undefined;
    return true;
  }

  /** @internal a frame has come through the decoder and the stages */
  receive(frame: WsFrame): void {
    if (!frame.isControl()) {
      this.#dataFrames += 1;
      this.#payloadBytes += frame.payload.length;
      if (frame.isFinal) this.#messages += 1;
    } else if (frame.isPing()) this.#pings += 1;
    else if (frame.isPong()) this.#pongs += 1;
    const isView = this.#chunk !== undefined && frame.payload.buffer === this.#chunk;
    this.#owner.handlers.receive(frame);
    if (isView && frame.payload !== COPIED) this.#chunk = undefined;
  }

  /** What is held and let go. */
  get #source(): Readable | undefined {
    return this.#lane?.last ?? this.#decoder;
  }

  #unlisten(): void {
    this.#socket.off('data', WayIn.#onBytes).off('end', WayIn.#onSocketEnd);
    this.#decoder?.off('drain', WayIn.#onDrain);
  }

  /** @param head bytes that come before what the socket gives */
  #open(head?: Uint8Array | undefined): FrameDecoder {
    const { decoder, stages, judge } = createInboundStreams(this.#plan);
    this.#decoder = decoder;
    this.#decoder[kWay] = this;
    if (head !== undefined && head.length > 0) decoder.write(head);
    if (stages.length > 0) this.#lane = new InboundLane(decoder, stages, judge, this, (error) => this.#done(error));
    else decoder.on('data', WayIn.#onFrame).on('end', WayIn.#onDecoderEnd).on('error', WayIn.#onDecoderError);
    if (isTracing) decoder.prependListener('data', WayIn.#trace);
    decoder.on('drain', WayIn.#onDrain);
    if (this.#socket.readableEnded) process.nextTick(() => decoder.end());
    if (decoder.writableNeedDrain) this.#socket.pause();
    else this.#socket.resume();
    this.#owner.opened();
    return decoder;
  }

  /** Has a chunk used up, and frees it where that has copied all of it. @returns whether there is room for more */
  #use(bytes: Uint8Array): boolean {
    const decoder = this.#decoder ?? this.#open();
    const mayBeFreed = this.#lane === undefined && isWorthFreeing(bytes);
    if (!mayBeFreed) return decoder.write(bytes);
    this.#chunk = bytes.buffer;
    const hasRoom = decoder.write(bytes);
    if (this.#chunk === bytes.buffer && !decoder.holdsChunks) freeChunk(this.#socket, bytes);
    this.#chunk = undefined;
    return hasRoom;
  }

  /** Nothing more comes through the decoder and the stages. */
  #done(error: ProtocolError | undefined): void {
    if (this.#isDiscarding && error !== undefined) return;
    if (error === undefined || error.code === 'WS_ERR_TRUNCATED') this.#owner.inboundEnded(error);
    else this.#owner.handlers.violated(error);
  }

  static #onBytes(this: WayStream<Duplex>, bytes: Uint8Array): void {
    const way = this[kWay]!;
    // While the chunk is used up, the way may be given up.
    if (!way.#use(bytes) && !way.#isDiscarding) this.pause();
  }

  /** What ends opens the way, too: the end is told by it. */
  static #onSocketEnd(this: WayStream<Duplex>): void {
    const way = this[kWay]!;
    if (way.#decoder === undefined) way.#open();
    else way.#decoder.end();
  }

  static #onDrain(this: WayStream<FrameDecoder>): void {
    this[kWay]!.#socket.resume();
  }

  static #onFrame(this: WayStream<FrameDecoder>, frame: WsFrame): void {
    this[kWay]!.receive(frame);
  }

  /** Sees what is on the wire, before any stage; as no `on('data')` would, it lets nothing flow. */
  static #trace(this: WayStream<FrameDecoder>, frame: WsFrame): void {
    const way = this[kWay]!;
    traceFrame(way.#socket, way.#plan.role, '<', frame);
  }

  static #onDecoderEnd(this: WayStream<FrameDecoder>): void {
    this[kWay]!.#done(undefined);
  }

  static #onDecoderError(this: WayStream<FrameDecoder>, error: Error): void {
    this[kWay]!.#done(error as ProtocolError);
  }
}
