/**
 * What all stages that give frames have in common: a Transform that is pulled.
 *
 * It is lazy. What was written may make many frames; they are made one by one, as the reading side takes them, and the
 * write is not called back (so nothing more comes) before all are made. The readable queue is bounded by bytes as well
 * as by count: Node knows only the count, so what `push` adds to the account, `read` takes off.
 *
 * It fails in order: frames that came before a violation were sent in good faith, and are read first. It emits nothing
 * after it was destroyed. Where the work is heavy, it goes on in the next turn of the event loop after so many bytes.
 *
 * @see RFC 6455 §5.2, §6.2
 */
import { Transform, type TransformCallback } from 'node:stream';
import { ClosedError } from '../errors.ts';
import type { WsFrame } from '../protocol/frame.ts';
import { byteLimit } from '../protocol/header-rules.ts';
import { give } from './give.ts';

export interface FrameStageOptions {
  /** Bytes of payload that may wait in the readable queue before no more frames are made. Default 65,536. */
  readonly maxBufferedBytes?: number | undefined;
  /** Frames that may wait in the readable queue. Default 16. */
  readonly readableHighWaterMark?: number | undefined;
  /** What may wait to be used: frames in object mode, else bytes. */
  readonly writableHighWaterMark: number;
  readonly writableObjectMode: boolean;
  /** Bytes of work, as the stage counts them, before the event loop has its turn. */
  readonly maxBytesPerTurn: number;
}

const DEFAULT_MAX_BUFFERED_BYTES = 65_536;

/**
 * One for all stages: every close frame destroys a decoder in the middle of a chunk, and Node writes out the stack of an
 * error that a write gets, which nobody reads here. That took 25 µs of the 190 µs that a whole connection costs.
 */
let abandoned: ClosedError | undefined;

/** @internal */
export abstract class FrameStage<Input> extends Transform {
  readonly #maxBufferedBytes: number;
  readonly #maxBytesPerTurn: number;
  #bufferedBytes = 0;
  #workedBytes = 0;
  /** The callback of the write that is being used up, or of the end. */
  #callback: TransformCallback | undefined;
  /** Whether what is written next has been begun already. */
  #isStarted = false;
  /** What waits for the queue to be read. */
  #failure: Error | undefined;
  #isPulling = false;
  #nextTurn: NodeJS.Immediate | undefined;

  constructor(options: FrameStageOptions) {
    super({
      readableObjectMode: true,
      readableHighWaterMark: Math.max(1, options.readableHighWaterMark ?? 16),
      writableObjectMode: options.writableObjectMode,
      writableHighWaterMark: options.writableHighWaterMark,
    });
    this.#maxBufferedBytes = byteLimit('maxBufferedBytes', options.maxBufferedBytes ?? DEFAULT_MAX_BUFFERED_BYTES, 0);
    this.#maxBytesPerTurn = options.maxBytesPerTurn;
    this.on('error', ignoreError);
  }

  /** Takes what was written, to make frames of it; all before it is used up. */
  protected abstract startInput(input: Input): void;

  /** Makes the next frame: `null` when the input is used up, `undefined` when there is none yet and more to do. */
  protected abstract nextFrame(): WsFrame | null | undefined;

  /** Judges whether it may end here. */
  protected abstract endInput(): void;

  /** Counts work; after enough of it the event loop has its turn. */
  protected countWork(bytes: number): void {
    this.#workedBytes += bytes;
  }

  /**
   * Uses an input up at once, as a `write` does where nothing waits, without what a Writable does around it: that is as
   * much work as making one small frame. What cannot be used up at once waits as any write does.
   *
   * @returns as `write` does
   */
  protected useNow(input: Input): boolean {
    const isFree = this.#callback === undefined && this.writableLength === 0 && this.writableCorked === 0;
    if (!isFree || !this.writable) return super.write(input);
    this.#callback = usedUp;
    this.#use(input);
    if (this.#callback !== usedUp) return true;
    this.#callback = undefined;
    this.#isStarted = true;
    return super.write(input);
  }

  override _transform(input: Input, encoding: BufferEncoding, callback: TransformCallback): void {
    if (this.#follows(callback, () => this._transform(input, encoding, callback))) return;
    this.#callback = callback;
    const isStarted = this.#isStarted;
    this.#isStarted = false;
    if (isStarted) this.#pull();
    else this.#use(input);
  }

  override _flush(callback: TransformCallback): void {
    if (this.#follows(callback, () => this._flush(callback))) return;
    try {
      this.endInput();
      callback();
    } catch (error) {
      this.#callback = callback;
      this.#fail(error as Error);
    }
  }

  override _read(): void {
    this.#pull();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#nextTurn !== undefined) clearImmediate(this.#nextTurn);
    const pending = this.#callback;
    this.#callback = undefined;
    callback(error);
    pending?.(error ?? (abandoned ??= new ClosedError('The stage was destroyed before all that was written was used')));
  }

  override read(size?: number): WsFrame | null {
    // Node goes on emitting what is queued when a listener has destroyed the stream.
    if (this.destroyed) return null;
    const frame: WsFrame | null = super.read(size);
    if (frame !== null) this.#bufferedBytes -= frame.payload.length;
    // Node asks before it takes the frame out of the queue, when there may have been no room, and only once.
    this.#pull();
    return frame;
  }

  override unshift(frame: WsFrame): void {
    this.#bufferedBytes += frame.payload.length;
    super.unshift(frame);
  }

  /** Puts off what comes while an input is used up at once: who listens may write more, or end the stage. */
  #follows(callback: TransformCallback, next: () => void): boolean {
    if (this.#callback === undefined) return false;
    this.#callback = (error) => (error ? callback(error) : next());
    return true;
  }

  #use(input: Input): void {
    try {
      this.startInput(input);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    this.#pull();
  }

  /** Makes frames until the input is used up, the queue is full, or the turn is over. */
  #pull(): void {
    if (this.#callback === undefined || this.#isPulling || this.#nextTurn !== undefined) return;
    this.#isPulling = true;
    let isInterrupted = true;
    try {
      this.#pushFrames();
      isInterrupted = false;
    } finally {
      this.#isPulling = false;
      // Who listens has thrown: that is no failure of ours, and it keeps no frame from anybody.
      if (isInterrupted && !this.destroyed) this.#waitForTurn();
    }
    if (this.#failure !== undefined) this.#fail(this.#failure);
  }

  #pushFrames(): void {
    // Whoever listens may have destroyed us; nothing is emitted after that.
    while (!this.destroyed && this.#failure === undefined && this.#hasRoom()) {
      if (this.#workedBytes >= this.#maxBytesPerTurn) {
        this.#waitForTurn();
        return;
      }
      const frame = this.#tryNextFrame();
      if (frame != null) this.#pushFrame(frame);
      // When its callback returns, what waited behind this one may be here already; or the end, and a failure.
      else if (frame === null && !this.#nextInput()) return;
    }
  }

  #tryNextFrame(): WsFrame | null | undefined {
    try {
      return this.nextFrame();
    } catch (error) {
      this.#failure = error as Error;
      return undefined;
    }
  }

  #waitForTurn(): void {
    this.#workedBytes = 0;
    this.#nextTurn = setImmediate(takeTurn, this);
  }

  /** @internal the next turn of the event loop */
  takeTurn(): void {
    this.#nextTurn = undefined;
    this.#pull();
  }

  #hasRoom(): boolean {
    const { readableLength } = this;
    if (readableLength === 0) this.#bufferedBytes = 0;
    return (
      readableLength === 0 ||
      (readableLength < this.readableHighWaterMark && this.#bufferedBytes < this.#maxBufferedBytes)
    );
  }

  #pushFrame(frame: WsFrame): void {
    const before = this.readableLength;
    give(this, frame);
    // A flowing stream has given the frame to its listeners instead of queueing it.
    if (this.readableLength > before) this.#bufferedBytes += frame.payload.length;
  }

  #nextInput(): boolean {
    this.#giveBack(null);
    return this.#callback !== undefined;
  }

  /** Fails as soon as the frames that came before are read. */
  #fail(error: Error): void {
    this.#failure = error;
    // Of what is used up at once, the rest becomes a write like any other, and fails then.
    if (this.readableLength === 0 && this.#callback !== usedUp) this.#giveBack(error);
  }

  #giveBack(error: Error | null): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.(error);
  }
}

function takeTurn(stage: { takeTurn(): void }): void {
  stage.takeTurn();
}

function ignoreError(): void {}

/** Stands for the callback of a write where an input is used up at once. */
function usedUp(): void {}
