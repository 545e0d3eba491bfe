/**
 * The bend: the only place where what comes in touches what goes out (a pong, a close frame in answer, a heartbeat), and
 * where the stream that people hold is fed and ended. Reading is the reception's business, sending the sender's, ending
 * the closer's; here they are joined.
 *
 * A close, like a violation, takes effect when the reader reaches it, so that every message before it can still be
 * answered; where nobody asks, after half of `closeTimeoutMs`.
 *
 * @see RFC 6455 §5.5, §7
 */
import type { Duplex } from 'node:stream';
import { ProtocolError, WsError } from '../errors.ts';
import type { ResolvedConnectionOptions } from '../options.ts';
import { WsFrame } from '../protocol/frame.ts';
import { headerLengthFor } from '../protocol/header.ts';
import { abortable } from './abortable.ts';
import { type CloseInfo, Closer, type CloserHandlers } from './closer.ts';
import { publishClosed, publishLimit, publishViolation } from './diagnostics.ts';
import { StreamFace } from './faces/stream-face.ts';
import { ReadLock } from './reading/read-lock.ts';
import { Reception, type ReceptionHandlers } from './reading/reception.ts';
import { Throttle, type ThrottleHandlers } from './reading/throttle.ts';
import { Road } from './road/road.ts';
import type { RoadHandlers } from './road/road-handlers.ts';
import type { RoadOptions } from './road/road-streams.ts';
import type { ConnectionStats } from './road/traffic-stats.ts';
import { Liveness, type LivenessHandlers } from './time/liveness.ts';
import { Outbox, type Settle } from './writing/outbox.ts';
import { Sender, type WriteCallback } from './writing/sender.ts';

/** What came behind the last message: a close frame, a violation, or nothing at all. */
type Ending = WsFrame | ProtocolError | WsError | 'cut';

export interface BendOptions extends Pick<RoadOptions, 'role' | 'head' | 'extensions'> {
  readonly limits: ResolvedConnectionOptions;
}

export class Bend implements RoadHandlers, ReceptionHandlers, CloserHandlers, LivenessHandlers, ThrottleHandlers {
  readonly reception: Reception;
  readonly closer: Closer;
  readonly sender: Sender;
  readonly liveness: Liveness;
  readonly readLock: ReadLock = new ReadLock();
  readonly #face: StreamFace;
  readonly options: ResolvedConnectionOptions;
  readonly isClient: boolean;
  readonly #road: Road;
  readonly #outbox: Outbox;
  readonly #throttle: Throttle | undefined;

  #ending: Ending | undefined;
  #isEffective = false;
  #isHoldingForPong = false;
  /** Whether what nobody reads may be thrown away, and whether that has begun. */
  #mayDrop = false;
  #isDropping = false;
  /** Our close frame, while the stream's own queue is sent before it. */
  #closeFrame: WsFrame | undefined;
  #isGivingUp = false;
  /** Something is still piped into what is closing: it learns so when that is done. */
  #lateError: Error | undefined;

  /** @param stream what people hold; its own queue is the first of the sending side */
  constructor(stream: Duplex, socket: Duplex, options: BendOptions) {
    const { role, head, extensions, limits } = options;
    this.#face = new StreamFace(stream);
    this.options = limits;
    this.isClient = role === 'client';
    this.reception = new Reception(limits, this, !extensions?.stages.length);
    this.#road = new Road(socket, { role, head, limits, extensions }, this);
    this.#outbox = new Outbox(this.#road);
    this.sender = new Sender(stream, this.#outbox, this.isClient);
    this.closer = new Closer(this.#road, { isServer: !this.isClient, closeTimeoutMs: limits.closeTimeoutMs }, this);
    this.#throttle = Throttle.create(limits, this.#road, this);
    this.liveness = new Liveness(stream, this.#road, this.#outbox, limits, this);
  }

  /** Bytes that were accepted for sending and that the system has not taken yet. */
  get bufferedBytes(): number {
    // What waits when the connection is over will never be sent.
    const waiting = this.closer.info === undefined ? this.sender.bufferedBytes : 0;
    return waiting + this.#road.bufferedBytes;
  }

  get stats(): ConnectionStats {
    return this.#road.count(this.reception.bufferedBytes, this.bufferedBytes);
  }

  // Who reads -------------------------------------------------------------------------------------------------------

  /** Takes what the stream has read ahead, then what has come. @throws WsError (`WS_ERR_LOCKED`) */
  take(): WsFrame | null | undefined {
    this.readLock.assertUnlocked();
    return this.takeLocked();
  }

  /** As {@link take}, for whoever has locked the reading side. */
  takeLocked(): WsFrame | null | undefined {
    this.readLock.touch();
    return this.#face.takeAhead() ?? this.reception.take();
  }

  /** The stream's `read()` had nothing. */
  ask(): void {
    this.#face.asked();
    this.reception.ask();
  }

  leaveLoop(): void {
    this.readLock.leaveLoop();
  }

  /** Whether somebody is likely to read on: a loop is open, data flows, or `recvFrame` was the last to read. */
  #mayBeRead(): boolean {
    const hasReader = this.reception.hasBeenRead && !this.readLock.hasLeftLoop;
    return this.readLock.hasOpenLoop || this.#face.isFlowing || hasReader;
  }

  /**
   * Takes the reading side for one reader alone.
   *
   * @param givesPieces whether it reads frames as they come, and not whole messages
   * @throws WsError (`WS_ERR_LOCKED`) when somebody reads already
   */
  lock(givesPieces: boolean): void {
    this.readLock.lock(this.reception.hasReaders || this.#face.isRead);
    this.reception.lock(givesPieces);
  }

  /** Lets others read again. */
  unlock(): void {
    this.readLock.unlock();
    this.reception.unlock();
  }

  // What comes in ---------------------------------------------------------------------------------------------------

  receive(frame: WsFrame): void {
    if (this.#ending !== undefined) return;
    this.#throttle?.count(frame);
    if (!frame.isControl()) this.#deliver(frame);
    else if (frame.isClose()) this.#receiveClose(frame);
    else this.#receivePingPong(frame);
  }

  #receivePingPong(frame: WsFrame): void {
    const { autoPong, controlFrames } = this.options;
    // §5.5.2 "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response"
    if (frame.isPong()) this.liveness.answer(frame.payload);
    else if (autoPong) this.#answerPing(frame);
    if (controlFrames || (frame.isPing() && !autoPong)) this.#deliver(frame);
  }

  #answerPing(ping: WsFrame): void {
    // A close frame of ours that waits behind data does not excuse from it; behind a sent one nothing may follow.
    const maySend = this.closer.isOpen || (this.closer.isClosing && !this.#road.hasSentClose);
    if (!maySend || this.#outbox.sendNow(WsFrame.pong(ping.payload))) return;
    // While a pong cannot be written, nothing is read: pings cannot pile up pongs.
    this.#isHoldingForPong = true;
    this.updateFlow();
  }

  #deliver(frame: WsFrame): void {
    this.#isDropping ||= this.#mayDrop && this.reception.isFull;
    if (this.#isDropping) return;
    this.reception.deliver(frame);
    if (this.reception.isFull) this.updateFlow();
  }

  /** Reads the socket, or holds it, as things stand. */
  updateFlow(): void {
    const isUnwelcome = this.reception.isFull || this.#throttle?.isHolding === true;
    const isHeld = this.#isHoldingForPong || (isUnwelcome && !this.#mayDrop);
    if (isHeld) this.#road.pause();
    else if (this.#road.isPaused) this.#road.resume();
  }

  pushMessage(frame: WsFrame): boolean {
    return this.#face.push(frame);
  }

  isStreamAsking(): boolean {
    return this.#face.isAsking;
  }

  // The end of what comes in ----------------------------------------------------------------------------------------

  #receiveClose(frame: WsFrame): void {
    this.#end(frame);
    // With our own close frame under way there is nothing left to answer: theirs need not wait for a reader.
    if (this.closer.isClosing) this.endReached();
  }

  violated(error: ProtocolError): void {
    publishViolation(this.#face.stream, error);
    if (this.#ending === undefined) this.#end(error);
    // A message turned out to be too large when it was read: what came behind it does not count any more.
    else if (!this.#isEffective && this.#ending !== 'cut') this.#ending = error;
  }

  /** Nothing is read behind a close frame or a violation. */
  #end(ending: WsFrame | ProtocolError): void {
    this.#ending = ending;
    this.liveness.endVigil();
    this.#road.discard();
    this.reception.finish();
    if (this.closer.isOpen) this.closer.postpone(() => void this.endReached());
  }

  /** Nothing can be sent any more because of ourselves: a message was abandoned half way, or an extension failed. */
  giveUp(error: WsError, frame: WsFrame): void {
    if (!this.closer.isOpen && !this.closer.isClosing) {
      // Our answer to the peer's close frame stands behind half a message: it can never be sent.
      if (!this.closer.isFailing && !this.closer.isSent) this.closer.breakOff(error.message, error);
      return;
    }
    this.#isEffective = true;
    this.#ending = error;
    this.#withdraw();
    this.liveness.endVigil();
    this.#road.discard();
    // What waits behind half a message cannot be sent; the close frame goes before it is told so.
    this.closer.giveUp(error, frame);
    this.reception.finish();
  }

  /** What waits is not sent any more, nor a close frame of ours. */
  #withdraw(): void {
    this.#closeFrame = undefined;
    this.#isGivingUp = true;
  }

  /** Why there is nothing more to read, or no way to write. */
  endError(): Error {
    const ending = this.#ending;
    return ending instanceof WsError ? ending : this.closer.createError();
  }

  /** Whether the peer's close frame ended the reading. */
  get hasEndedWell(): boolean {
    return this.#ending instanceof WsFrame;
  }

  transportEnded(error: ProtocolError | undefined): void {
    if (this.#ending !== undefined) {
      this.closer.peerEnded();
      return;
    }
    this.#ending = 'cut';
    this.closer.cut(error);
    this.reception.finish();
    this.#road.end();
  }

  transportGone(error: Error | undefined): void {
    const end = this.#ending;
    if (!this.#isEffective && (end instanceof WsFrame || end instanceof ProtocolError)) this.closer.overtaken(end);
    this.closer.gone(error);
    this.roadDrained(); // No pong can be written any more, and none is waited for: what stands behind is read.
  }

  /** What came behind the last message takes effect. @returns the close frame, where those are delivered */
  endReached(): WsFrame | undefined {
    const ending = this.#ending;
    if (ending === undefined || ending === 'cut') return undefined;
    const isFirst = !this.#isEffective;
    this.#isEffective = true;
    if (!(ending instanceof WsFrame)) {
      if (isFirst && ending instanceof ProtocolError) {
        if (this.closer.isClosing && !this.#road.hasSentClose) this.#withdraw();
        this.closer.fail(ending);
      }
      return undefined;
    }
    if (isFirst) this.closer.received(ending);
    return this.options.controlFrames ? ending : undefined;
  }

  /** The stream's reading side ends too, with the error where there is one. */
  readingFinished(): void {
    if (this.#face.isDestroyed) return;
    if (this.#ending instanceof WsFrame) this.#face.endReading(this.closer.outcome, () => this.closer.createError());
    else if (this.#ending === 'cut') this.#face.destroy(this.closer.info?.error);
    else if (this.closer.isSent) this.#face.destroy(this.#ending);
  }

  // Closing ---------------------------------------------------------------------------------------------------------

  /** Begins the closing handshake behind all that was written. */
  beginClose(frame: WsFrame): void {
    if (!this.closer.isOpen) return;
    const ending = this.#ending;
    if (ending !== undefined && ending !== 'cut') {
      // Theirs has come and waits for its reader: it takes effect now, and ours is the answer to it.
      this.#isEffective = true;
      if (ending instanceof WsFrame) this.closer.received(ending, frame);
      else if (ending instanceof ProtocolError) this.closer.fail(ending);
      return;
    }
    this.#closeFrame = frame;
    this.liveness.endVigil();
    this.closer.begin(frame);
    if (!this.#mayBeRead()) this.closeOverdue();
    this.#face.endWriting();
  }

  /** Sends a close frame. @returns its bytes on the wire; 0 when the connection is no longer open */
  sendClose(frame: WsFrame, signal: AbortSignal | undefined): number | Promise<number> {
    if (!this.closer.isOpen) return 0;
    const { length } = frame.payload;
    return abortable(signal, (resolve) => {
      const bytes = headerLengthFor(length, this.isClient) + length;
      this.closer.whenSent((isWritten) => resolve(isWritten ? bytes : 0));
      this.beginClose(frame);
      return undefined;
    });
  }

  /** The stream's own queue has been sent: now our close frame goes. */
  finalize(callback: WriteCallback): void {
    const frame = this.#closeFrame;
    this.#closeFrame = undefined;
    // Where we give up, another one takes its place.
    if (frame !== undefined) this.#outbox.send(frame, (isWritten) => this.#isGivingUp || this.closer.sent(isWritten));
    void this.closer.outcome.then((info) => callback(info.error));
  }

  /** The stream is destroyed, by its user or because all is over. */
  streamDestroyed(error: Error | null): void {
    this.#face.gone();
    // A failed connection is destroyed while its close frame is still on the way.
    if (this.closer.info === undefined && !this.closer.isFailing) {
      this.reception.clear();
      this.closer.breakOff(error === null ? 'we broke off' : `we broke off (${error.message})`, error ?? undefined);
    }
    if (this.#ending === undefined) this.#road.discard();
    this.#ending ??= 'cut';
    this.reception.finish();
  }

  /** Destroys the socket, whatever is still on its way. */
  destroyRoad(): void {
    this.#road.destroy();
  }

  writeInOrder(frame: WsFrame, settle: Settle): void {
    // Nothing may come between a half message and the close frame.
    if (this.#isGivingUp) this.#outbox.close();
    // Why we fail the connection does not wait for a message that may never end.
    const isAtOnce = this.#isGivingUp || (this.closer.isFailing && this.#outbox.hasOpenMessage);
    if (isAtOnce) this.#outbox.sendLast(frame, settle);
    else this.sender.sendLast(frame, settle, !this.closer.isFailing);
  }

  /**
   * We have begun to close and nobody reads: the peer's close frame stands behind what is unread. So what does not fit
   * the inbox is thrown away from here on; what is in it stays readable.
   */
  closeOverdue(): void {
    this.#mayDrop = true;
    this.updateFlow();
  }

  closeSent(): void {
    if (this.closer.isFailing && this.reception.isReached) this.readingFinished();
  }

  connectionOver(info: CloseInfo): void {
    this.liveness.close();
    this.#throttle?.stop();
    this.#outbox.close();
    this.closeSent();
    publishClosed(this.#face.stream, info);
    this.#face.tellOver();
    if (this.#lateError !== undefined) this.#face.destroy(this.#lateError);
  }

  // What goes out ---------------------------------------------------------------------------------------------------

  roadDrained(): void {
    this.#isHoldingForPong = false;
    this.#outbox.drained();
    this.updateFlow();
  }

  limitReached(limit: string): void {
    publishLimit(this.#face.stream, limit);
  }

  /** Something is written to a connection that is no longer open. */
  writeLate(callback: WriteCallback | undefined): void {
    const error = this.closer.createError();
    if (callback !== undefined) process.nextTick(callback, error);
    if (!this.#face.isPipedInto) return;
    // A pipe does not look at the callback. A closing handshake that still goes on is left to end well.
    if (this.closer.info !== undefined) this.#face.destroy(error);
    else this.#lateError ??= error;
  }
}
