/**
 * The way out, where extensions stand on it:
 *
 * ```
 * write ─▶ stage ─▶ … ─▶ stage ─▶ FrameEncoder
 * ```
 *
 * One fragment at a time is on it: there is room again when all stages and the encoder hold nothing. So what a stage may
 * hold of a connection is bounded, and a sender's buffer is free when its send has settled, whatever the stages do.
 *
 * @see RFC 6455 §9
 */
import type { Duplex } from 'node:stream';
import { VIOLATIONS, WsError } from '../../errors.ts';
import { WsFrame } from '../../protocol/frame.ts';
import { EncodedFrame, type TranslatingStage } from '../../stream/encoded-frame.ts';
import type { FrameEncoder } from '../../stream/frame-encoder.ts';
import { endStage, type LinkHandlers, linkStages, writeStage } from './stage-link.ts';

export interface OutboundHandlers {
  /** There is room to write again. */
  roadDrained(): void;
  /** A stage has failed: nothing but this close frame can be sent any more. */
  giveUp(error: WsError, frame: WsFrame): void;
}

/** Where the way out ends. */
export interface EncoderAccess {
  /** Hands a frame to the encoder. @returns the bytes that it takes on the wire */
  encode(frame: WsFrame): number;
}

export class OutboundLane implements LinkHandlers {
  readonly #stages: readonly Duplex[];
  readonly #first: Duplex;
  readonly #last: Duplex;
  readonly #encoder: FrameEncoder;
  readonly #handlers: OutboundHandlers;
  readonly #access: EncoderAccess;
  /** Bytes that went in since the stages were last empty. */
  #heldBytes = 0;
  #givenBytes = 0;
  #isFull = false;
  #isBroken = false;
  #isOver = false;

  /** @param stages in the order of the way out; at least one */
  constructor(stages: readonly Duplex[], encoder: FrameEncoder, handlers: OutboundHandlers, access: EncoderAccess) {
    this.#access = access;
    this.#stages = stages;
    this.#first = stages[0]!;
    this.#last = stages.at(-1)!;
    this.#encoder = encoder;
    this.#handlers = handlers;
    stages.forEach((stage, index) => {
      const next = stages[index + 1];
      if (next !== undefined) linkStages(stage, next, this);
      stage.on('error', (error) => this.#fail(error));
      stage.once('close', () => {
        // Gone without an end and without an error, it would let everybody wait for ever.
        if (!stage.readableEnded) this.#fail(new Error('a stage was destroyed'));
      });
    });
    this.#last.on('data', (frame) => this.#encode(frame));
    this.#last.once('end', () => encoder.end());
    encoder.on('drain', () => {
      this.#last.resume();
      this.taken();
    });
  }

  /** Bytes of frames that may still be in the stages. */
  get heldBytes(): number {
    return this.#areStagesEmpty() ? 0 : this.#heldBytes;
  }

  /** Whether nothing is on it. */
  get isEmpty(): boolean {
    return !this.#isBroken && this.#areStagesEmpty();
  }

  /** Bytes on the wire of all that has come through the stages. */
  get givenBytes(): number {
    return this.#givenBytes;
  }

  /** Sends a data frame, or the close frame. @returns whether nothing is on its way, and so there is room for more */
  write(frame: WsFrame): boolean {
    if (!this.#isBroken) {
      const isEmpty = this.#areStagesEmpty();
      if (isEmpty && this.#translate(frame)) return this.#hasRoom();
      if (isEmpty) this.#heldBytes = 0;
      this.#heldBytes += frame.payload.length;
      writeStage(this.#first, frame, this, this.#taken);
    } else if (frame.isControl()) {
      this.#access.encode(frame);
    }
    return this.#hasRoom();
  }

  /** Sends what the only stage has at hand for a frame that many get. @returns whether it has */
  #translate(frame: WsFrame): boolean {
    const stage = this.#first as Duplex & Partial<TranslatingStage>;
    if (stage !== this.#last || stage.destroyed || !(frame instanceof EncodedFrame)) return false;
    try {
      const translated = stage.translateEncoded?.(frame);
      if (translated === undefined) return false;
      this.#givenBytes += this.#access.encode(translated);
    } catch (error) {
      // Told in a later tick, when nobody is inside a write.
      stage.destroy(error as Error);
    }
    return true;
  }

  /** Sends a ping or a pong, past all stages. @returns whether there is room for more */
  writePast(frame: WsFrame): boolean {
    this.#access.encode(frame);
    if (this.#encoder.writableLength === 0) return true;
    this.#isFull = true;
    return false;
  }

  /** Ends the encoder behind all that was written. */
  end(): void {
    if (this.#isBroken) this.#encoder.end();
    else endStage(this.#first, this);
  }

  /** Lets go of all stages. */
  destroy(): void {
    this.#isOver = true;
    for (const stage of this.#stages) stage.destroy();
  }

  readonly #taken = (): void => this.taken();

  taken(): void {
    if (!this.#isFull || this.#isOver || !this.#hasRoom()) return;
    this.#handlers.roadDrained();
  }

  /** All that a stage calls is ours. */
  isForeign(): boolean {
    return false;
  }

  #encode(frame: unknown): void {
    if (this.#isBroken || this.#isOver) return;
    if (frame instanceof WsFrame) this.#givenBytes += this.#access.encode(frame);
    // Told in a later tick, when nobody is inside a write.
    else this.#last.destroy(new TypeError('it gave something that is no frame'));
    if (this.#encoder.writableLength > 0) this.#last.pause();
    // No 'drain' tells of what was encoded at once.
    else if (this.#isFull) process.nextTick(this.#taken);
  }

  #areStagesEmpty(): boolean {
    return this.#isBroken || this.#stages.every((stage) => stage.writableLength === 0 && stage.readableLength === 0);
  }

  #hasRoom(): boolean {
    const hasRoom = this.#encoder.writableLength === 0 && this.#areStagesEmpty();
    this.#isFull = !hasRoom;
    return hasRoom;
  }

  #fail(error: Error): void {
    if (this.#isBroken || this.#isOver) return;
    this.#isBroken = true;
    for (const stage of this.#stages) stage.destroy();
    this.#isFull = false;
    const { message, closeCode } = VIOLATIONS.WS_ERR_EXTENSION;
    const failure = new WsError('WS_ERR_EXTENSION', `${message}: ${error.message}`, { cause: error });
    this.#handlers.giveUp(failure, WsFrame.close(closeCode, message));
    // What waits for room must not wait for a stage that is gone.
    this.#handlers.roadDrained();
  }
}
