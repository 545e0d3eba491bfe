/**
 * The way in, where extensions stand on it:
 *
 * ```
 * FrameDecoder ─▶ stage ─▶ … ─▶ stage ─▶ UTF-8 ─▶ handlers.receive
 * ```
 *
 * It fails and ends in order: what came before has passed all stages first. A stage that fails behind the place of another
 * failure is dealing with what came earlier, so its failure is the one that counts.
 *
 * @see RFC 6455 §9
 */
import type { Duplex, Readable } from 'node:stream';
import { ProtocolError } from '../../errors.ts';
import { WsFrame } from '../../protocol/frame.ts';
import type { TextJudge } from '../../protocol/text-judge.ts';
import { endStage, type LinkHandlers, linkStages } from './stage-link.ts';

/** Who is given what comes. */
export interface InboundHandlers {
  receive(frame: WsFrame): void;
}

/** Is told that nothing more comes, and all that came has been handed over. `error`: why, where it is no end of the peer's. */
export type InboundDone = (error: ProtocolError | undefined) => void;

export class InboundLane implements LinkHandlers {
  /** What is held and let go: the last of the row. */
  readonly last: Readable;
  readonly #row: readonly Readable[];
  readonly #handlers: InboundHandlers;
  readonly #done: InboundDone;
  readonly #judge: TextJudge | undefined;
  #error: ProtocolError | undefined;
  /** How many of the row have been cut off, because one of them failed. */
  #cutCount = 0;
  #isOver = false;
  #thrown: unknown;

  /**
   * @param stages in the order of the way in; at least one
   * @param judge says whether text is UTF-8; none where nobody wants to know
   */
  constructor(
    decoder: Readable,
    stages: readonly Duplex[],
    judge: TextJudge | undefined,
    handlers: InboundHandlers,
    done: InboundDone,
  ) {
    this.#done = done;
    this.#handlers = handlers;
    this.#judge = judge;
    this.#row = [decoder, ...stages];
    this.last = this.#row.at(-1)!;
    this.#row.forEach((stage, index) => {
      const next = stages[index];
      if (next !== undefined) linkStages(stage, next, this);
      stage.on('error', (error) => this.#fail(index, error));
      stage.once('close', () => this.#closed(index));
    });
    this.last.on('data', (frame) => this.#give(frame));
    this.last.once('end', () => this.#finish());
  }

  /** Whether nothing is on it. */
  get isEmpty(): boolean {
    return this.#row.every((stage) => stage.readableLength === 0 && (stage as Duplex).writableLength === 0);
  }

  taken(): void {}

  isForeign(error: unknown): boolean {
    return error === this.#thrown;
  }

  /** Lets go of all stages: nothing more is handed over. */
  destroy(): void {
    this.#isOver = true;
    for (const stage of this.#row) stage.destroy();
  }

  #give(frame: unknown): void {
    if (this.#isOver) return;
    try {
      if (!(frame instanceof WsFrame))
        throw new ProtocolError('WS_ERR_EXTENSION', 'it gave something that is no frame');
      this.#judge?.add(frame);
    } catch (error) {
      this.#fail(this.#row.length - 1, error as Error);
      return;
    }
    try {
      this.#handlers.receive(frame);
    } catch (error) {
      // A listener of somebody who reads: no stage is to blame, and it goes where it would go without one.
      this.#thrown = error;
      throw error;
    }
  }

  #fail(index: number, cause: Error): void {
    if (this.#isOver || index < this.#cutCount) return;
    const error =
      cause instanceof ProtocolError ? cause : new ProtocolError('WS_ERR_EXTENSION', cause.message, { cause });
    // What is cut off behind a failure looks cut to the next stage.
    if (this.#error === undefined || error.code !== 'WS_ERR_TRUNCATED') this.#error = error;
    // What would come behind it does not count any more.
    this.#cutCount = index + 1;
    for (const stage of this.#row.slice(0, index)) stage.destroy();
    const next = this.#row[index + 1] as Duplex | undefined;
    if (next === undefined || next.destroyed) this.#finish();
    else endStage(next, this);
  }

  /** A stage that is gone without an end and without an error would let everybody wait for ever. */
  #closed(index: number): void {
    if (!this.#row[index]!.readableEnded) this.#fail(index, new Error('a stage was destroyed'));
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const stage of this.#row) stage.destroy();
    this.#done(this.#error);
  }
}
