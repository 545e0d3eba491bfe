/**
 * Reads data frames as they come, unassembled: fragments, and slices of large frames. Messages as streams and byte
 * streams stand on it. While it reads, the connection is locked: nobody else reads.
 */
import type { ProtocolError } from '../../errors.ts';
import type { WsFrame } from '../../protocol/frame.ts';
import { MessageMeter } from '../../protocol/message-assembler.ts';
import type { Reader } from './reception.ts';

/** What is read: the core of a connection. */
export interface PieceSource {
  /** Gives what is there: `undefined` when nothing is, `null` when there will be nothing more. */
  takePiece(): WsFrame | null | undefined;
  /** Waits for what {@link takePiece} did not have. */
  readonly reception: { wait(reader: Reader): () => void };
  /** The peer broke a rule, or a limit. */
  violated(error: ProtocolError): void;
  /** Why reading ended. */
  endError(): Error;
}

/** Who gets the pieces. */
export interface PieceHandlers {
  /** @returns whether more is wanted */
  piece(frame: WsFrame): boolean;
  /** There is nothing more. */
  ended(): void;
}

export class PieceReader {
  readonly #source: PieceSource;
  readonly #handlers: PieceHandlers;
  readonly #meter: MessageMeter;
  #hasFailed = false;
  #isPulling = false;
  #isWaiting = false;
  #stopWaiting: (() => void) | undefined;
  #isStopped = false;

  /** @param maxMessageBytes inclusive; a message that announces more fails the connection with 1009 */
  constructor(source: PieceSource, maxMessageBytes: number, handlers: PieceHandlers) {
    this.#source = source;
    this.#meter = new MessageMeter(maxMessageBytes);
    this.#handlers = handlers;
  }

  /** Hands out pieces until no more are wanted, or until there are none, and then waits. */
  pull(): void {
    if (this.#isPulling || this.#isWaiting || this.#isStopped) return;
    this.#isPulling = true;
    while (!this.#isStopped) {
      const frame = this.#source.takePiece();
      if (frame === undefined) {
        this.#wait();
        break;
      }
      if (!this.#hand(frame)) break;
    }
    this.#isPulling = false;
  }

  /** The rest of the message is thrown away: the next piece begins another one, and waits until it is asked for. */
  skipMessage(): void {
    this.#meter.reset();
    this.#isWaiting = false;
    this.#stopWaiting?.();
  }

  /** Hands out nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#stopWaiting?.();
  }

  #wait(): void {
    this.#isWaiting = true;
    this.#stopWaiting = this.#source.reception.wait((frame) => {
      this.#isWaiting = false;
      if (!this.#isStopped && this.#hand(frame)) this.pull();
    });
  }

  /** @returns whether more is wanted */
  #hand(frame: WsFrame | null): boolean {
    if (frame === null) {
      this.stop();
      this.#handlers.ended();
      return false;
    }
    // Control frames have been handled; whoever reads bytes has no use for them.
    if (frame.isControl() || this.#hasFailed) return true;
    try {
      this.#meter.add(frame);
    } catch (error) {
      // Nothing behind it is handed out.
      this.#hasFailed = true;
      this.#source.violated(error as ProtocolError);
      return true;
    }
    return this.#handlers.piece(frame);
  }
}
