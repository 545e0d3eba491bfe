/**
 * Any byte protocol over WebSocket: a Duplex of plain bytes. What is written leaves as binary messages; the bytes of
 * binary messages come in, without regard to where one ends and the next begins. A text message closes with 1003.
 *
 * WebSocket knows no half-close: `end()` begins the closing handshake, and what the peer sends before it answers is
 * still read.
 */
import { Duplex, type Readable, Writable } from 'node:stream';
import { ProtocolError } from '../../errors.ts';
import { WsFrame } from '../../protocol/frame.ts';
import { pushBytes } from '../../stream/push-bytes.ts';
import type { CloseInfo } from '../closer.ts';
import { PieceReader, type PieceSource } from '../reading/piece-reader.ts';
import { QueueAccount, type QueueHolder } from '../writing/queue-account.ts';
import type { WriteCallback } from '../writing/sender.ts';

/** What bytes are read from and written to. */
export interface ByteStreamSource extends PieceSource, QueueHolder {
  readonly closeInfo: Promise<CloseInfo>;
  /** Whether the connection ended with a close frame. */
  readonly hasEndedWell: boolean;
  writeBytes(frame: WsFrame, callback: WriteCallback): void;
  /** Closes with 1000 behind all that was written. */
  closeNormally(callback: WriteCallback): void;
  forceClose(): void;
  /** Fails the connection for which so much waits that no more may. @returns whether that was so */
  overflows(): boolean;
}

export class ByteStream extends Duplex {
  readonly #source: ByteStreamSource;
  readonly #reader: PieceReader;
  readonly #account: QueueAccount;
  /** What is piped in. */
  readonly #pipes = new Set<Readable>();
  /** Why there is nothing behind what waits to be read. */
  #failure: Error | undefined;

  constructor(source: ByteStreamSource) {
    super();
    this.#source = source;
    this.#account = new QueueAccount(this, source);
    // A cut must not end the process for want of a listener; `pipeline` and `finished` see it.
    this.on('error', ignore);
    this.#reader = new PieceReader(source, Number.POSITIVE_INFINITY, {
      piece: (frame) => this.#take(frame),
      ended: () => this.#end(),
    });
    this.on('pipe', (from: Readable) => this.#pipes.add(from));
    this.on('unpipe', (from: Readable) => this.#pipes.delete(from));
    void source.closeInfo.then(() => this.#over());
  }

  /** Reads as `Readable.read` does. What came before a cut is read before its error ends the stream. */
  override read(size?: number): Buffer | null {
    const chunk: Buffer | null = super.read(size);
    this.#failWhenRead();
    return chunk;
  }

  /** @internal */
  override _read(): void {
    this.#reader.pull();
  }

  /** Writes as `Writable.write` does. A caller who never waits fails the connection at `maxQueuedBytes`, as with all sends. */
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    if (this.writableLength > 0) this.#source.overflows();
    this.#account.add();
    const hasRoom = super.write(chunk, encoding as BufferEncoding, callback);
    this.#account.update();
    return hasRoom;
  }

  /** @internal */
  override _write(chunk: Uint8Array, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#account.take(chunk.length);
    this.#source.writeBytes(WsFrame.binary(chunk), (error) => {
      this.#account.settle();
      callback(error);
      this.#account.update();
    });
  }

  /** @internal */
  override _final(callback: WriteCallback): void {
    this.#source.closeNormally(callback);
  }

  /** @internal */
  override _destroy(error: Error | null, callback: WriteCallback): void {
    this.#account.update();
    this.#reader.stop();
    if (!this.readableEnded || !this.writableFinished) this.#source.forceClose();
    callback(error);
  }

  #take(frame: WsFrame): boolean {
    if (frame.isText()) {
      this.#source.violated(new ProtocolError('WS_ERR_UNEXPECTED_TEXT'));
      return true;
    }
    return frame.payload.length === 0 || pushBytes(this, frame.payload);
  }

  #end(): void {
    if (!this.#source.hasEndedWell) {
      this.#failure = this.#source.endError();
      this.#failWhenRead();
      return;
    }
    // Nothing can be written behind the peer's close. A pipe that leads back here ends it itself.
    this.once('end', () => {
      if (this.#pipes.size === 0) this.end();
      else void this.#source.closeInfo.then(() => this.#tellSources());
    });
    this.push(null);
  }

  #failWhenRead(): void {
    if (this.#failure !== undefined && this.readableLength === 0) this.destroy(this.#failure);
  }

  /** A source whose pipe leads only in hears of the end here, for nobody reads up to it. Else it travels in order. */
  #over(): void {
    const isRead = this.readableFlowing !== null || this.readableDidRead;
    if (!isRead && !this.writableEnded && this.#pipes.size > 0) this.destroy(this.#source.endError());
  }

  /** All is read and over: a source that is no stage behind our own reading side will not end by itself. */
  #tellSources(): void {
    if (!this.writableEnded && [...this.#pipes].some(isOnItsOwn)) this.destroy(this.#source.endError());
  }
}

/** Whether nothing is piped into a stream, or written into it by a pipeline, and nobody has ended it. */
function isOnItsOwn(stream: Readable): boolean {
  if (!(stream instanceof Writable)) return true;
  return !stream.writableEnded && stream.listenerCount('unpipe') + stream.listenerCount('drain') === 0;
}

function ignore(): void {}
