/**
 * Fragments (and slices) → whole messages. Sequence is the parser's business; here, size is judged: at the first piece
 * that makes the message too large, and where a piece was cut from a larger frame, by what that frame has announced.
 *
 * @see RFC 6455 §5.4, §10.4
 */
import { ProtocolError } from '../errors.ts';
import { COPIED, createFrame, type WsFrame } from './frame.ts';
import { WS_OPCODE_CONTINUATION } from './opcode.ts';
import { type Allocate, PayloadCollector } from './payload-collector.ts';

const NO_BYTES = new Uint8Array(0);

/** How large a message may become. */
export interface MessageAssemblerOptions {
  /** The largest message in bytes, inclusive. */
  readonly maxMessageBytes: number;
  /** Makes buffers. Default: plain Uint8Arrays. */
  readonly allocate?: Allocate | undefined;
  /**
   * @internal Whether a fragment is emptied once its payload has been copied, so that nothing holds the chunk of which it is a
   * view. Default `false`: whoever pushes it may go on looking at it.
   */
  readonly emptiesFragments?: boolean | undefined;
}

/** Judges the size of messages, frame by frame. */
export class MessageMeter {
  readonly #maxMessageBytes: number;
  #bytes = 0;

  /** @param maxMessageBytes inclusive */
  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /**
   * Counts the next data frame, and with it what it announces.
   *
   * @throws ProtocolError (`WS_ERR_MESSAGE_TOO_LARGE`); the frame does not count then
   */
  add(frame: WsFrame): void {
    const bytes = this.#bytes + frame.payload.length;
    const announced = bytes + frame.remainingLength;
    // §10.4 "Implementations that have … limitations regarding the frame size or total message size after reassembly
    // from multiple frames MUST protect themselves against exceeding those limits."
    if (announced > this.#maxMessageBytes) {
      throw new ProtocolError('WS_ERR_MESSAGE_TOO_LARGE', `at least ${announced} bytes`);
    }
    this.#bytes = frame.isFinal ? 0 : bytes;
  }

  /** The next frame begins another message. */
  reset(): void {
    this.#bytes = 0;
  }
}

/** Fragments to messages. */
export class MessageAssembler extends MessageMeter {
  readonly #allocate: Allocate | undefined;
  readonly #emptiesFragments: boolean;
  #collector: PayloadCollector | undefined;
  /** What the first piece says of the message; without its payload, which would hold a whole chunk back. */
  #first: WsFrame | undefined;

  constructor(options: MessageAssemblerOptions) {
    super(options.maxMessageBytes);
    this.#allocate = options.allocate;
    this.#emptiesFragments = options.emptiesFragments ?? false;
  }

  /** Whether a message has begun and not ended. */
  get isInsideMessage(): boolean {
    return this.#first !== undefined;
  }

  /**
   * Takes the next data frame.
   *
   * @returns the whole message when this was its last piece, else `null`
   * @throws ProtocolError (`WS_ERR_MESSAGE_TOO_LARGE`) above the limit, or where no such buffer can be had
   */
  push(frame: WsFrame): WsFrame | null {
    this.add(frame);
    if (this.#first === undefined && frame.isFinal) return frame;
    try {
      return this.#gather(frame);
    } catch (cause) {
      // A limit of `Infinity` does not make memory, and buffers have a largest size: the peer is told so, not the caller.
      throw new ProtocolError('WS_ERR_MESSAGE_TOO_LARGE', 'the limit is more than there is memory for', { cause });
    }
  }

  /** Hands out what has come of an unfinished message, as its first fragment; what follows are continuations. */
  takePartial(): WsFrame | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    const payload = this.#collector!.take();
    this.#first = undefined;
    this.reset();
    return createFrame(first.opcode, payload, false, first.isMasked, first.rsv, 0);
  }

  /** Forgets an unfinished message. */
  drop(): void {
    this.#first = undefined;
    this.reset();
    this.#collector?.drop();
  }

  #gather(frame: WsFrame): WsFrame | null {
    this.#first ??= createFrame(frame.opcode, NO_BYTES, false, frame.isMasked, frame.rsv, 0);
    this.#collector ??= new PayloadCollector(this.#allocate);
    if (frame.isFinal) return this.#finish(this.#first, frame);
    const isCopied = this.#collector.push(frame.payload, frame.remainingLength);
    if (isCopied && this.#emptiesFragments) frame.payload = COPIED;
    return null;
  }

  #finish(first: WsFrame, last: WsFrame): WsFrame {
    const payload = this.#collector!.take(last.payload);
    if (this.#emptiesFragments) last.payload = COPIED;
    this.#first = undefined;
    this.#collector = undefined;
    return createFrame(first.opcode, payload, true, first.isMasked, first.rsv, 0);
  }
}

/** Tells whether the frame is a piece of a message and not a whole one. */
export function isFragment(frame: WsFrame): boolean {
  return !frame.isFinal || frame.opcode === WS_OPCODE_CONTINUATION;
}
