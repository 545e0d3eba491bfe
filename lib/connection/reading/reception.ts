/**
 * The reading side without its face: frames come in, readers take whole messages, and where nobody reads, frames wait
 * unassembled, up to a bound.
 *
 * The end travels in order. It is marked behind the last frame, and it is reached (and only then does it take effect)
 * when a reader asks for what comes after; or at once where somebody is already asking, or where nobody has ever read
 * and nothing is unread.
 *
 * @see RFC 6455 §5.4, §5.5.1
 */
import type { ProtocolError } from '../../errors.ts';
import type { WsFrame } from '../../protocol/frame.ts';
import { MessageAssembler } from '../../protocol/message-assembler.ts';
import { Inbox } from './inbox.ts';

/** A reader that waits: it gets the next frame, or `null` when there will be none. */
export type Reader = (frame: WsFrame | null) => void;

export interface ReceptionOptions {
  readonly maxMessageBytes: number;
  /** Bytes that may wait unread, overhead counted. */
  readonly maxBufferedBytes: number;
}

export interface ReceptionHandlers {
  /** Gives a message to the stream's reading side. @returns whether it wants more */
  pushMessage(frame: WsFrame): boolean;
  /** Whether the stream's reading side has had all and waits for more. */
  isStreamAsking(): boolean;
  /** A message is too large. Ends with {@link Reception.finish}. */
  violated(error: ProtocolError): void;
  /** What waits unread has fallen well below the bound. */
  updateFlow(): void;
  /** A reader has reached the end. @returns a last frame to deliver before it */
  endReached(): WsFrame | undefined;
  /** Nothing will be read any more. */
  readingFinished(): void;
}

/** The list of a connection on which nobody has waited yet; most that are read by events never get one of their own. */
const NO_READERS: Reader[] = [];

export class Reception {
  readonly #handlers: ReceptionHandlers;
  readonly #maxMessageBytes: number;
  readonly #maxBufferedBytes: number;
  readonly #ownsFrames: boolean;
  /** There while a message is in pieces. */
  #assembler: MessageAssembler | undefined;
  /** There while something waits unread. */
  #inbox: Inbox | undefined;
  #readers: Reader[] = NO_READERS;
  /** Whether the stream's reading side has asked for a message and not got it. */
  #hasDemand = false;
  #hasBeenRead = false;
  #wasFull = false;
  /** Whether pieces are given instead of messages. */
  #givesPieces = false;
  /** Whether what is left of a message is thrown away. */
  #isSkipping = false;
  /** The demand of the stream's reading side, while it is locked out. */
  #isLockedOut = false;
  #hasLockedDemand = false;
  #hasEnd = false;
  #isReached = false;

  /** @param ownsFrames whether nobody else looks at what is delivered: no extension has made it */
  constructor(options: ReceptionOptions, handlers: ReceptionHandlers, ownsFrames: boolean) {
    this.#handlers = handlers;
    this.#maxMessageBytes = options.maxMessageBytes;
    this.#maxBufferedBytes = options.maxBufferedBytes;
    this.#ownsFrames = ownsFrames;
  }

  /** Whether so much waits unread that no more should come. */
  get isFull(): boolean {
    return this.#inbox !== undefined && this.#inbox.bytes >= this.#maxBufferedBytes;
  }

  /** Bytes that wait unread, overhead counted. */
  get bufferedBytes(): number {
    return this.#inbox?.bytes ?? 0;
  }

  /** Whether anything waits unread. */
  get hasUnread(): boolean {
    return this.#inbox !== undefined;
  }

  /** Whether somebody waits for a message. */
  get hasReaders(): boolean {
    return this.#readers.length > 0;
  }

  /** Whether anybody has ever read. */
  get hasBeenRead(): boolean {
    return this.#hasBeenRead;
  }

  /** Whether a reader has reached the end. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** Takes in a frame: it goes to whoever waits for it, or it waits itself. */
  deliver(frame: WsFrame): void {
    if (this.#readers.length > 0) {
      const message = this.#assemble(frame);
      if (message !== undefined) this.#readers.shift()!(message);
    } else if (this.#hasDemand && this.#inbox === undefined) {
      const message = this.#assemble(frame);
      if (message !== undefined) this.#hasDemand = this.#handlers.pushMessage(message);
    } else {
      this.#inbox ??= new Inbox();
      this.#inbox.push(frame);
      this.#wasFull ||= this.isFull;
    }
  }

  /** Gives the next message: `undefined` when there is none yet, `null` when there will be none. */
  take(): WsFrame | null | undefined {
    this.#hasBeenRead = true;
    const message = this.#next();
    if (message !== undefined || !this.#hasEnd) return message;
    if (this.#isReached) return null;
    let last: WsFrame | null = null;
    this.#reach((frame) => {
      last = frame;
    });
    return last;
  }

  /** Waits for what {@link take} did not have. @returns what ends the waiting */
  wait(reader: Reader): () => void {
    if (this.#readers === NO_READERS) this.#readers = [];
    this.#readers.push(reader);
    return () => {
      this.#readers = this.#readers.filter((other) => other !== reader);
    };
  }

  /**
   * Locks the stream's reading side out: only {@link take} and {@link wait} read.
   *
   * @param givesPieces whether they give frames as they come, fragments and slices, instead of whole messages
   */
  lock(givesPieces: boolean): void {
    this.#isLockedOut = true;
    this.#hasLockedDemand = this.#hasDemand;
    this.#hasDemand = false;
    this.#givesPieces = givesPieces;
    const partial = givesPieces ? this.#assembler?.takePartial() : undefined;
    if (partial === undefined) return;
    this.#assembler = undefined;
    this.#inbox ??= new Inbox();
    this.#inbox.unshift(partial);
  }

  /** Lets the stream's reading side read again, whole messages. */
  unlock(): void {
    this.#isLockedOut = false;
    this.#givesPieces = false;
    if (this.#hasLockedDemand) this.demand();
  }

  /** Throws away what is left of the message of which pieces were given. */
  skipMessage(): void {
    this.#isSkipping = true;
  }

  /** The stream's reading side asks for messages, as many as it has room for. */
  demand(): void {
    if (this.#isLockedOut) {
      this.#hasLockedDemand = true;
      return;
    }
    this.#hasBeenRead = true;
    this.#hasDemand = true;
    while (this.#hasDemand) {
      const message = this.#next();
      if (message === undefined) return;
      this.#hasDemand = this.#handlers.pushMessage(message);
    }
  }

  /** Nothing more will come. */
  finish(): void {
    if (this.#hasEnd) return;
    this.#hasEnd = true;
    if (this.#isAsking()) this.#reach();
  }

  /** The stream's reading side has had all and asks for what comes after. */
  ask(): void {
    if (this.#hasEnd && !this.#isReached && this.#inbox === undefined) this.#reach();
  }

  /** Forgets what is unread. */
  clear(): void {
    this.#inbox = undefined;
    this.#assembler = undefined;
  }

  #isAsking(): boolean {
    if (this.#readers.length > 0) return true;
    if (this.#inbox !== undefined) return false;
    return !this.#hasBeenRead || (!this.#isLockedOut && this.#handlers.isStreamAsking());
  }

  /** @param give takes the last frame, where no reader waits for it: the stream's reading side, or who has come by `take` */
  #reach(give: (frame: WsFrame) => void = (frame) => void this.#handlers.pushMessage(frame)): void {
    this.#isReached = true;
    this.#assembler = undefined;
    const last = this.#handlers.endReached();
    if (last !== undefined) (this.#readers.shift() ?? give)(last);
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) reader(null);
    this.#handlers.readingFinished();
  }

  /** Takes frames off the inbox until they make a message, or gives them as they are. */
  #next(): WsFrame | undefined {
    for (;;) {
      const frame = this.#inbox?.shift();
      if (this.#inbox?.size === 0) this.#inbox = undefined;
      if (this.#wasFull && this.bufferedBytes <= this.#maxBufferedBytes / 2) {
        this.#wasFull = false;
        this.#handlers.updateFlow();
      }
      if (frame === undefined) return undefined;
      const message = this.#assemble(frame);
      if (message !== undefined) return message;
    }
  }

  #assemble(frame: WsFrame): WsFrame | undefined {
    if (frame.isControl()) return frame;
    if (this.#isSkipping) {
      this.#isSkipping = !frame.isFinal;
      return undefined;
    }
    if (this.#givesPieces) return frame;
    const isWhole = this.#assembler === undefined && frame.isFinal;
    if (isWhole && frame.payload.length <= this.#maxMessageBytes) return frame;
    try {
      return this.#push(frame);
    } catch (error) {
      this.clear();
      this.#handlers.violated(error as ProtocolError);
      return undefined;
    }
  }

  /** @throws ProtocolError (`WS_ERR_MESSAGE_TOO_LARGE`) */
  #push(frame: WsFrame): WsFrame | undefined {
    this.#assembler ??= new MessageAssembler({
      maxMessageBytes: this.#maxMessageBytes,
      allocate: Buffer.allocUnsafe,
      emptiesFragments: this.#ownsFrames,
    });
    const message = this.#assembler.push(frame) ?? undefined;
    if (message !== undefined) this.#assembler = undefined;
    return message;
  }
}
