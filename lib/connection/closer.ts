/**
 * Brings a connection to its end: runs the closing handshake over the road, gives it the time that it may take, and
 * says in the end what became of it.
 *
 * @see RFC 6455 §7.1
 */
import { ClosedError, type ProtocolError, VIOLATIONS, WsError } from '../errors.ts';
import {
  ClosingHandshake,
  type ClosingResult,
  type ClosingSide,
  WS_STATE_OPEN,
  type WsState,
} from '../protocol/closing.ts';
import { WsFrame } from '../protocol/frame.ts';
import type { Road } from './road/road.ts';
import { CloseTimer } from './time/close-timer.ts';
import type { Settle } from './writing/outbox.ts';

/** What became of a connection. */
export interface CloseInfo extends ClosingResult {
  /** Why it is not clean: a `ProtocolError` where we failed it, else a `ClosedError`. */
  readonly error?: Error | undefined;
}

export interface CloserOptions {
  /** §7.1.1: it is the server that ends the transport. */
  readonly isServer: boolean;
  readonly closeTimeoutMs: number;
}

export interface CloserHandlers {
  /** Sends a frame behind all that was written. */
  writeInOrder(frame: WsFrame, settle: Settle): void;
  /** Half of the time is over and the peer's close frame has not come. */
  closeOverdue(): void;
  /** A limit of the connection's was reached. */
  limitReached(limit: string): void;
  /** Our close frame is on its way, or never will be. */
  closeSent(isWritten: boolean): void;
  /** The connection is over. */
  connectionOver(info: CloseInfo): void;
}

export class Closer {
  readonly #road: Road;
  readonly #isServer: boolean;
  readonly #closeTimeoutMs: number;
  readonly #handlers: CloserHandlers;
  /** Made when the end begins: a connection that stands holds none. */
  #closing: ClosingHandshake | undefined;
  #timer: CloseTimer | undefined;
  #isSent = false;
  #waiters: Settle[] | undefined;
  /** Whether ours has left: §7.1.4 wants both close frames. */
  #wasWritten = false;
  #hasPeerEnded = false;
  #failure: Error | undefined;
  #cause: Error | undefined;
  #info: CloseInfo | undefined;
  #outcome: Promise<CloseInfo> | undefined;
  #resolveOutcome: ((info: CloseInfo) => void) | undefined;

  constructor(road: Road, options: CloserOptions, handlers: CloserHandlers) {
    this.#road = road;
    this.#isServer = options.isServer;
    this.#closeTimeoutMs = options.closeTimeoutMs;
    this.#handlers = handlers;
  }

  get isOpen(): boolean {
    return this.#closing === undefined || this.#closing.state === 'open';
  }

  /** Whether we have begun to close and the peer's close frame has not come. */
  get isClosing(): boolean {
    return this.#closing?.state === 'closing';
  }

  /** Whether we gave up on the peer, and it is still being told. */
  get isFailing(): boolean {
    return this.#closing?.state === 'failing';
  }

  get wsState(): WsState {
    return this.#closing?.wsState ?? WS_STATE_OPEN;
  }

  /** What became of it, once it is over. */
  get info(): CloseInfo | undefined {
    return this.#info;
  }

  /** {@link info}, when it is there. Most connections are never asked, so the promise is made when somebody does. */
  get outcome(): Promise<CloseInfo> {
    this.#outcome ??= new Promise((resolve) => {
      if (this.#info !== undefined) resolve(this.#info);
      this.#resolveOutcome = resolve;
    });
    return this.#outcome;
  }

  /** Whether our close frame is on its way, or never will be. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Takes a frame for what it says of our closing; it is to be sent by the caller, who then calls {@link sent}. */
  begin(frame: WsFrame): void {
    this.#handshake.send(frame.closeCode(), frame.closeReason());
    this.#startTimer();
  }

  /** Calls back once our close frame is on its way, or never will be. */
  whenSent(settle: Settle): void {
    this.#waiters ??= [];
    this.#waiters.push(settle);
  }

  /** Our close frame is on its way, or never will be. */
  sent(isWritten: boolean): void {
    this.#isSent = true;
    this.#wasWritten ||= isWritten;
    if (isWritten) this.#handshake.answer();
    this.#endTransport();
    this.#settleWaiters(isWritten);
    this.#handlers.closeSent(isWritten);
    // From the moment it has left, at the end of this turn, the peer has its time; its leaving is no sign of the peer's.
    if (isWritten) process.nextTick(() => this.#info ?? this.#startTimer());
  }

  /**
   * The peer's close frame takes effect.
   *
   * @param answer what we send if we have not sent a close frame: "the endpoint typically echos the status code it
   * received" (§5.5.1)
   */
  received(frame: WsFrame, answer: WsFrame = frame): void {
    if (this.#handshake.receive(frame.closeCode(), frame.closeReason())) {
      this.#startTimer();
      this.#handlers.writeInOrder(new WsFrame(answer.opcode, answer.payload), (isWritten) => this.sent(isWritten));
    }
    this.#endTransport();
  }

  /** The peer's close frame has come and nobody has read up to it: see to it after half of the time. */
  postpone(effect: () => void): void {
    this.#waitHalf(() => 0, effect);
  }

  /** §7.1.7: says why, instead of a close frame that has not left, and sends nothing more. */
  fail(error: ProtocolError): void {
    this.#fail(error, WsFrame.close(error.closeCode, VIOLATIONS[error.code].message));
  }

  /** We cannot go on ourselves: likewise. */
  giveUp(error: Error, frame: WsFrame): void {
    this.#fail(error, frame);
  }

  /** The peer has ended the transport behind its close frame or violation. */
  peerEnded(): void {
    this.#hasPeerEnded = true;
    this.#endTransport();
  }

  /** The transport ended without a close frame of the peer's; what we had written may still leave. */
  cut(cause: Error | undefined): void {
    this.#over('remote', 'the peer ended the transport without a close frame', cause);
    if (!this.#road.isOver) this.#startTimer();
  }

  /** The transport is gone. */
  gone(error: Error | undefined): void {
    this.#timer?.stop();
    this.#over(
      'remote',
      error === undefined ? 'the transport ended' : `the transport failed (${error.message})`,
      error,
    );
  }

  /** We end it ourselves, now. */
  breakOff(why: string, cause?: Error | undefined): void {
    this.#over('local', why, cause);
    this.#road.destroy();
  }

  /** The peer's close frame or violation had come, but the transport went before it took effect. */
  overtaken(pending: WsFrame | ProtocolError): void {
    if (pending instanceof WsFrame) this.#handshake.receive(pending.closeCode(), pending.closeReason());
    else this.#failure ??= pending;
  }

  /** @returns an error that narrates what happened so far */
  createError(): ClosedError {
    return new ClosedError(this.#handshake.narrative, this.#cause === undefined ? undefined : { cause: this.#cause });
  }

  get #handshake(): ClosingHandshake {
    this.#closing ??= new ClosingHandshake();
    return this.#closing;
  }

  #fail(error: Error, frame: WsFrame): void {
    if (this.#info !== undefined) return;
    this.#failure ??= error;
    const isWithdrawn = !this.#road.hasSentClose;
    const maySend = this.#handshake.fail(frame.closeCode(), frame.closeReason(), error.message, isWithdrawn);
    // Whoever waits for a close frame that has not left waits in vain.
    if (isWithdrawn) this.#settleWaiters(false);
    this.#startTimer();
    if (maySend) this.#handlers.writeInOrder(frame, (isWritten) => this.sent(isWritten));
    else this.sent(false);
  }

  #over(side: ClosingSide, why: string, cause: Error | undefined): void {
    if (this.#info !== undefined) return;
    this.#cause = cause;
    this.#handshake.end(side, why);
    const { code, reason, initiator, wasClean: wasAnswered } = this.#handshake.result;
    const wasClean = wasAnswered && this.#wasWritten;
    this.#info = wasClean
      ? { code, reason, wasClean, initiator }
      : { code, reason, wasClean, initiator, error: this.#failure ?? this.createError() };
    this.#settleWaiters(false);
    this.#handlers.connectionOver(this.#info);
    this.#resolveOutcome?.(this.#info);
  }

  #settleWaiters(isWritten: boolean): void {
    const waiters = this.#waiters ?? [];
    this.#waiters = undefined;
    for (const settle of waiters) settle(isWritten);
  }

  /**
   * Ends the transport when nothing more is to be sent. §7.1.1: after the closing handshake the server ends it, and the
   * client waits for that.
   */
  #endTransport(): void {
    if (!this.#isSent) return;
    const { state } = this.#handshake;
    const isOurTurn = this.#isServer || this.#hasPeerEnded;
    if (state === 'failing' || (state === 'answered' && isOurTurn)) this.#road.end();
  }

  #giveTimeUp(): void {
    const message = `nothing moved for ${this.#closeTimeoutMs} ms`;
    this.#handlers.limitReached('closeTimeoutMs');
    this.breakOff(message, new WsError('WS_ERR_CLOSE_TIMEOUT', message));
  }

  #startTimer(): void {
    const progress = (): number => this.#road.bytesOut;
    this.#waitHalf(progress, () => {
      this.#handlers.closeOverdue();
      this.#waitHalf(progress, () => this.#giveTimeUp());
    });
  }

  /** Waits until nothing has moved for half of the time. */
  #waitHalf(progress: () => number, expired: () => void): void {
    this.#timer ??= new CloseTimer();
    this.#timer.start(this.#closeTimeoutMs / 2, progress, expired);
  }
}
