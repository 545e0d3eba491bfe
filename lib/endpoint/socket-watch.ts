/**
 * Keeps watch over a socket while its handshake is under way. At every moment between the first byte and the
 * connection somebody listens for its `'error'`, somebody knows when it is gone, and somebody looks at the clock.
 */

import type { Duplex } from 'node:stream';
import { WheelTimer } from '../connection/wheel-timer.ts';
import type { Refusal } from './refusal.ts';

/** Tells when a handshake has to stop: a {@link Refusal} when it is to be answered, `null` when nobody is there. */
export class SocketWatch {
  /** Never rejects; pending for ever where nothing happens before {@link SocketWatch.release}. */
  readonly interrupted: Promise<Refusal | null>;
  /** What is answered when the time is over. */
  lateRefusal: Refusal;
  readonly #socket: Duplex;
  readonly #timer: WheelTimer;
  #settle!: (reason: Refusal | null) => void;

  constructor(socket: Duplex, timeoutMs: number, lateRefusal: Refusal) {
    this.#socket = socket;
    this.lateRefusal = lateRefusal;
    this.interrupted = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#timer = new WheelTimer(() => this.#settle(this.lateRefusal));
    this.#timer.start(timeoutMs);
    socket.on('error', ignore);
    socket.on('close', this.#onClose);
    if (socket.destroyed) this.#onClose();
  }

  /** Stops the handshake from our side. */
  cancel(refusal: Refusal): void {
    this.#settle(refusal);
  }

  /** Takes everything off the socket. Whoever goes on with it has its own `'error'` listener by now. */
  release(): void {
    this.#timer.stop();
    this.#socket.off('close', this.#onClose);
    this.#socket.off('error', ignore);
  }

  readonly #onClose = (): void => {
    this.#timer.stop();
    this.#settle(null);
  };
}

function ignore(): void {}
