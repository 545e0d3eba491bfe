/**
 * The way out of a road:
 *
 * ```
 * socket ◀─ FrameEncoder ◀─ [OutboundLane] ◀─ write(frame)
 * ```
 *
 * It is there only while something moves: the first frame opens it, and when nothing has moved for a while and it has
 * nothing to remember, it is let go. A frame that carries its bytes does not even open it, where the socket is free: so a
 * message to thousands who are at rest wakes none of them.
 */
import type { Duplex } from 'node:stream';
import type { WsFrame } from '../../protocol/frame.ts';
import { headerLengthFor } from '../../protocol/header.ts';
import { wireOf } from '../../stream/encoded-frame.ts';
import { type Flushable, flushAtEndOfTick } from '../../stream/end-of-tick.ts';
import type { FrameEncoder } from '../../stream/frame-encoder.ts';
import { pump, stopPump } from '../../stream/pump.ts';
import { isTracing, traceFrame } from './frame-trace.ts';
import { type EncoderAccess, OutboundLane } from './outbound-lane.ts';
import type { RoadHandlers } from './road-handlers.ts';
import { bytesTakenBy, createOutboundStreams, mayOutboundRest, type RoadPlan } from './road-streams.ts';
import type { TrafficCounts } from './traffic-stats.ts';

const kWay: unique symbol = Symbol('wspipe.out');

/** The encoder: its listeners are shared functions, which find their way here. */
type WayEncoder = FrameEncoder & { [kWay]?: WayOut | undefined };

/** To whom a way out belongs. */
export interface WayOutOwner {
  readonly handlers: Pick<RoadHandlers, 'roadDrained' | 'giveUp'>;
  /** The way has been opened. */
  opened(): void;
}

export class WayOut implements EncoderAccess, Flushable {
  readonly #socket: Duplex;
  readonly #plan: RoadPlan;
  readonly #owner: WayOutOwner;
  #encoder: WayEncoder | undefined;
  #lane: OutboundLane | undefined;
  /** Whether extensions stand on the way, open or not. */
  readonly #isStaged: boolean;
  /** What the socket had taken before, where it can tell. */
  readonly #takenBefore: number;
  /** What prepared frames have lent in this tick, while there is no encoder. */
  #lent: Buffer | undefined;
  #lentFrames = 0;
  // What streams had counted that were let go of.
  #encodedBefore = 0;
  #stagedBefore = 0;
  #acceptedBytes = 0;
  #dataFrames = 0;
  #messages = 0;
  #payloadBytes = 0;
  /** Bytes that the system had taken when the socket was gone: what was left then, a dead socket no longer counts. */
  #bytesInAll: number | undefined;
  #pings = 0;
  #pongs = 0;
  #isInsideMessage = false;
  #hasSentClose = false;
  /** Whether nothing more is taken. */
  #isEnding = false;

  constructor(socket: Duplex, plan: RoadPlan, owner: WayOutOwner) {
    this.#socket = socket;
    this.#plan = plan;
    this.#owner = owner;
    this.#takenBefore = bytesTakenBy(socket);
    this.#isStaged = plan.extensions?.stages.some((stage) => stage.createOutbound !== undefined) ?? false;
  }

  /** Opens the way, where it may never rest. */
  start(): void {
    if (!mayOutboundRest(this.#plan)) this.#open();
  }

  /** Bytes of frames that were accepted. */
  get acceptedBytes(): number {
    return this.#acceptedBytes;
  }

  /** Bytes written that have not been given to the system yet. */
  get heldBytes(): number {
    return this.#acceptedBytes - this.bytes + (this.#lane?.heldBytes ?? 0);
  }

  /** Bytes that have been given to the system. */
  get bytes(): number {
    return this.#bytesInAll ?? this.#encodedBytes - (this.#encoder?.readableLength ?? 0) - this.#socket.writableLength;
  }

  /** Bytes on the wire of all data that extensions have given out; undefined where there are none. */
  get stagedBytes(): number | undefined {
    return this.#isStaged ? this.#stagedBefore + (this.#lane?.givenBytes ?? 0) : undefined;
  }

  /** Data frames that have been written. */
  get dataFrames(): number {
    return this.#dataFrames;
  }

  /** What has gone out, or was accepted to go. @param bufferedBytes what of it waits */
  count(bufferedBytes: number): TrafficCounts {
    return {
      messages: this.#messages,
      frames: this.#dataFrames + this.#pings + this.#pongs + (this.#hasSentClose ? 1 : 0),
      payloadBytes: this.#payloadBytes,
      // The answer to the handshake may still wait before them.
      wireBytes: Math.max(0, this.bytes),
      pings: this.#pings,
      pongs: this.#pongs,
      bufferedBytes,
    };
  }

  /** Whether a close frame has been written: §5.5.1 lets nothing follow it. */
  get hasSentClose(): boolean {
    return this.#hasSentClose;
  }

  /** Whether the end has been written behind all else. */
  get hasEnded(): boolean {
    return this.#encoder?.writableEnded === true;
  }

  /** Sends a frame, where it can be encoded at once. @returns whether it was; if not, nothing has happened */
  writeNow(frame: WsFrame): boolean {
    if (this.#isEnding || this.#isStaged) return false;
    const isLent = this.#encoder === undefined && this.#lend(frame);
    if (!isLent && !(this.#encoder ?? this.#open()).encodeNow(frame)) return false;
    this.#wrote(frame);
    return true;
  }

  /** Sends a frame. @returns whether it is encoded, and there is room for more; if not, `roadDrained` tells when */
  write(frame: WsFrame): boolean {
    if (this.#isEnding || this.writeNow(frame)) return true;
    const encoder = this.#encoder ?? this.#open();
    if (this.#lane !== undefined) return this.#writeStaged(frame, this.#lane);
    this.#wrote(frame);
    encoder.write(frame);
    return encoder.writableLength === 0;
  }

  /** Sends what has passed the stages, or goes past them. @returns the bytes that it takes on the wire */
  encode(frame: WsFrame): number {
    const encoder = this.#encoder;
    if (encoder === undefined || encoder.writableEnded) return 0;
    if (!encoder.encodeNow(frame)) encoder.write(frame);
    return this.#wrote(frame);
  }

  /** Sends what was written and then FIN. */
  end(): void {
    if (this.#isEnding) return;
    const encoder = this.#encoder ?? this.#open();
    this.#isEnding = true;
    if (this.#lane === undefined) encoder.end();
    else this.#lane.end();
  }

  /** The socket is gone. */
  finish(): void {
    this.#bytesInAll = this.bytes;
    this.#isEnding = true;
    this.#lent = undefined;
    if (this.#encoder !== undefined) stopPump(this.#encoder);
    this.#encoder?.destroy();
    this.#lane?.destroy();
  }

  /** Lets go of the streams, where they have nothing to remember. @returns whether there are none */
  rest(): boolean {
    const encoder = this.#encoder;
    if (encoder === undefined) return true;
    const isEmpty = encoder.isAtRest && (this.#lane?.isEmpty ?? true) && this.#socket.writableLength === 0;
    if (!isEmpty || this.#isEnding || this.#isInsideMessage || !mayOutboundRest(this.#plan)) return false;
    this.#encodedBefore += encoder.bytesWritten;
    this.#stagedBefore += this.#lane?.givenBytes ?? 0;
    this.#encoder = undefined;
    stopPump(encoder);
    encoder.destroy();
    this.#lane?.destroy();
    this.#lane = undefined;
    return true;
  }

  get #encodedBytes(): number {
    return this.#encodedBefore + (this.#encoder?.bytesWritten ?? 0);
  }

  /** A socket that can tell what it has taken copies it; any other Duplex may hand the very memory to somebody. */
  get #mayLend(): boolean {
    return this.#plan.role === 'server' && !Number.isNaN(this.#takenBefore);
  }

  /**
   * Has a frame's own bytes written as they are; not while the socket holds any, for an encoder knows how to wait.
   *
   * @returns whether it will
   */
  #lend(frame: WsFrame): boolean {
    const before = this.#lent;
    const lent = this.#mayLend ? wireOf(frame, before) : undefined;
    if (lent === undefined || this.#socket.writableLength > 0 || !this.#socket.writable) return false;
    this.#lent = lent;
    this.#lentFrames += 1;
    if (before === undefined) flushAtEndOfTick(this);
    return true;
  }

  /** @internal */
  flushTick(): number {
    const lent = this.#lent;
    const frames = this.#lentFrames;
    this.#lentFrames = 0;
    if (lent === undefined) return 0;
    this.#lent = undefined;
    this.#encodedBefore += lent.length;
    this.#socket.write(lent);
    return frames;
  }

  #open(): FrameEncoder {
    this.flushTick();
    const { encoder, stages } = createOutboundStreams(this.#plan, {
      isFlushed: WayOut.#isFlushed,
      lendsBytes: this.#mayLend,
    });
    this.#encoder = encoder;
    this.#encoder[kWay] = this;
    if (stages.length > 0) this.#lane = new OutboundLane(stages, encoder, this.#owner.handlers, this);
    else encoder.on('drain', WayOut.#onDrain);
    pump(encoder, this.#socket);
    this.#owner.opened();
    return encoder;
  }

  #writeStaged(frame: WsFrame, lane: OutboundLane): boolean {
    this.#hasSentClose ||= frame.isClose();
    if (!frame.isControl()) {
      this.#isInsideMessage = !frame.isFinal;
      this.#payloadBytes += frame.payload.length;
    }
    // A ping or a pong may overtake; a close may not.
    return frame.isControl() && !frame.isClose() ? lane.writePast(frame) : lane.write(frame);
  }

  #wrote(frame: WsFrame): number {
    const { length } = frame.payload;
    const bytes = headerLengthFor(length, this.#plan.role === 'client') + length;
    this.#acceptedBytes += bytes;
    this.#hasSentClose ||= frame.isClose();
    if (!frame.isControl()) {
      this.#dataFrames += 1;
      if (frame.isFinal) this.#messages += 1;
      // What stages have changed is not what was written.
      if (!this.#isStaged) this.#payloadBytes += length;
    } else if (frame.isPing()) this.#pings += 1;
    else if (frame.isPong()) this.#pongs += 1;
    if (isTracing) traceFrame(this.#socket, this.#plan.role, '>', frame);
    return bytes;
  }

  static #onDrain(this: WayEncoder): void {
    this[kWay]!.#owner.handlers.roadDrained();
  }

  /** Whether the system has all that was written. The socket's own count must agree: somebody may stand in for it. */
  static #isFlushed(this: WayEncoder): boolean {
    const way = this[kWay];
    if (way === undefined || way.#socket.writableLength > 0) return false;
    return bytesTakenBy(way.#socket) - way.#takenBefore === way.#encodedBytes;
  }
}
