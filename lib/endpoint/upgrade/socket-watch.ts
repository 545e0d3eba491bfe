/**
 * Keeps watch over a socket while its handshake is under way. At every moment between the first byte and the
 * connection somebody listens for its `'error'`, somebody knows when it is gone, and somebody looks at the clock.
 *
 * A watch is made for every socket that comes, so it makes nothing that most of them do not need: it lies in the timer
 * wheel itself, and a promise is there only for who asks for one.
 */

import type { Duplex } from 'node:stream';
import { type Slot, type Waiting, wheel } from '../../connection/time/timer-wheel.ts';
import type { Refusal } from './refusal.ts';

/** Why a handshake has to stop: a {@link Refusal} when it is to be answered, `null` when nobody is there. */
export type Interruption = Refusal | null;

const kWatch: unique symbol = Symbol('wspipe.watch');

/** A socket under watch: the listener is one function for all, which finds the watch here. */
type WatchedSocket = Duplex & { [kWatch]?: SocketWatch | undefined };

/** Tells when a handshake has to stop, once. */
export class SocketWatch implements Waiting {
  slot: Slot | undefined;
  place: number = 0;
  /** Makes what is answered when the time is over. */
  lateRefusal: () => Refusal;
  readonly #socket: WatchedSocket;
  #watchesEnd = false;
  #reason: Interruption | undefined;
  #listener: ((reason: Interruption) => void) | undefined;

  constructor(socket: Duplex, timeoutMs: number, lateRefusal: () => Refusal) {
    this.#socket = socket;
    this.lateRefusal = lateRefusal;
    wheel.add(this, timeoutMs);
    this.#socket[kWatch] = this;
    socket.on('error', ignore).on('close', SocketWatch.#onClose);
    if (socket.destroyed) this.#gone();
  }

  /** A handshake under way keeps the process alive. */
  get holdsProcess(): boolean {
    return true;
  }

  /** Why it has to stop; `undefined` while it may go on. */
  get reason(): Interruption | undefined {
    return this.#reason;
  }

  /** As {@link whenInterrupted}, as a promise. It never rejects. */
  get interrupted(): Promise<Interruption> {
    return new Promise((resolve) => this.whenInterrupted(resolve));
  }

  /**
   * Calls back when the handshake has to stop, at once where it has to already, and never where nothing happens before
   * {@link release}. Who asks last is told alone: the handshake is in one hand at a time.
   */
  whenInterrupted(listener: (reason: Interruption) => void): void {
    if (this.#reason === undefined) this.#listener = listener;
    else listener(this.#reason);
  }

  /** Stops the handshake from our side. */
  cancel(refusal: Refusal): void {
    this.#interrupt(refusal);
  }

  /**
   * Looks for the end of what comes, too, where the handshake waits for somebody: without it, a peer that has gone would
   * be kept until the time is over. What has come before its end is left where it is, and then the end is none of ours.
   */
  watchEnd(): void {
    this.#watchesEnd = true;
    this.#socket.on('readable', SocketWatch.#onReadable).on('end', SocketWatch.#onEnd);
  }

  /** Takes everything off the socket. Whoever goes on with it has its own `'error'` listener by now. */
  release(): void {
    wheel.delete(this);
    this.#socket[kWatch] = undefined;
    this.#socket.off('close', SocketWatch.#onClose).off('error', ignore);
    if (this.#watchesEnd) this.#socket.off('readable', SocketWatch.#onReadable).off('end', SocketWatch.#onEnd);
  }

  /** The time is over. */
  elapsed(): void {
    this.#interrupt(this.lateRefusal());
  }

  static #onClose(this: WatchedSocket): void {
    const watch = this[kWatch];
    if (watch !== undefined) watch.#gone();
  }

  #gone(): void {
    wheel.delete(this);
    this.#interrupt(null);
  }

  /** An end is told only to who reads up to it, which takes nothing where nothing is there. */
  static #onReadable(this: WatchedSocket): void {
    if (this.readableLength === 0) this.read();
  }

  static #onEnd(this: WatchedSocket): void {
    const watch = this[kWatch];
    if (watch !== undefined) watch.#interrupt(null);
  }

  #interrupt(reason: Interruption): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#listener?.(reason);
  }
}

function ignore(): void {}
