/**
 * Frames in, bytes out, on WHATWG streams: the pair over a `FrameSerializer`, for browsers, Deno, Bun and edge runtimes.
 *
 * Frames that wait behind each other leave as one chunk, a frame of any size in chunks of at most `WS_SEND_BUFFER`, and
 * nothing is encoded before somebody reads. Each chunk has a buffer of its own, so a reader may transfer it. The
 * readable is no byte stream (`type: 'bytes'`): the serializer chooses its own buffers, so a reader would gain nothing
 * by bringing one, and not every browser has them.
 *
 * @see RFC 6455 §5.2, §6.1
 */
import { WsFrame } from '../protocol/frame.ts';
import { FrameSerializer, type FrameSerializerOptions } from '../protocol/frame-serializer.ts';
import { MAX_HEADER_LENGTH } from '../protocol/header.ts';
import { byteLimit } from '../protocol/header-rules.ts';
import { WS_SEND_BUFFER } from '../protocol/sizes.ts';
import { createLazyPair, type LazyMachine } from './lazy-pair.ts';

/** What a {@link FrameEncoderStream} takes. */
export interface FrameEncoderStreamOptions extends FrameSerializerOptions {
  /** Bytes of frames that may wait to be encoded. Default `WS_SEND_BUFFER`, 65,550. */
  readonly maxBufferedBytes?: number | undefined;
}

/**
 * A pair of streams that turns {@link WsFrame}s into bytes: `frames.pipeThrough(new FrameEncoderStream({ role: 'client' }))`.
 *
 * Each frame leaves as it is given, masked for a client with a fresh key and never in the caller's buffer. `write()`
 * resolves when the frame is encoded; its payload may then be reused. Anything but a `WsFrame` errors both streams with
 * a `TypeError`.
 */
export class FrameEncoderStream {
  /** The bytes. */
  readonly readable: ReadableStream<Uint8Array>;
  /** The frames. */
  readonly writable: WritableStream<WsFrame>;

  /** @throws TypeError for a role that is none, RangeError for a limit that is no whole number */
  constructor(options: FrameEncoderStreamOptions) {
    const encoder = new BatchEncoder(new FrameSerializer(options));
    const maxBufferedBytes = byteLimit('maxBufferedBytes', options.maxBufferedBytes ?? WS_SEND_BUFFER, 0);
    const { readable, writable } = createLazyPair<WsFrame, Uint8Array>(encoder, {
      // A WritableStream without any room is never ready.
      writableHighWaterMark: Math.max(1, maxBufferedBytes),
      inputSize: (frame) => encoder.announce(frame),
      readableHighWaterMark: 0,
      outputSize: () => 1,
    });
    this.readable = readable;
    this.writable = writable;
  }
}

/** Puts frames behind each other for as long as more of them are on their way. */
class BatchEncoder implements LazyMachine<WsFrame, Uint8Array> {
  readonly #serializer: FrameSerializer;
  #batch: Uint8Array | undefined;
  #filled = 0;
  /** Frames that were written and have not come through {@link push}, and their bytes. */
  #announced = 0;
  #announcedBytes = 0;

  constructor(serializer: FrameSerializer) {
    this.#serializer = serializer;
  }

  /** The stream has been given a frame, which will come. @returns its size, the header at its longest */
  announce(frame: WsFrame): number {
    const size = maxWireLength(frame);
    this.#announced++;
    this.#announcedBytes += size;
    return size;
  }

  push(frame: WsFrame): void {
    this.#announced--;
    this.#announcedBytes -= maxWireLength(frame);
    if (!(frame instanceof WsFrame)) throw new TypeError('A FrameEncoderStream takes WsFrames');
    this.#serializer.start(frame);
  }

  next(): Uint8Array | null {
    const serializer = this.#serializer;
    if (!serializer.isDone) {
      const wanted = serializer.pendingLength + MAX_HEADER_LENGTH + Math.max(0, this.#announcedBytes);
      this.#batch ??= new Uint8Array(Math.min(wanted, WS_SEND_BUFFER));
      this.#filled = serializer.fill(this.#batch, this.#filled, this.#batch.length);
      if (!serializer.isDone) return this.#take();
    }
    return this.#announced > 0 ? null : this.#take();
  }

  letGo(): boolean {
    return this.#serializer.isDone;
  }

  end(): void {
    // What is written behind a close is announced and never comes.
    this.#announced = 0;
  }

  #take(): Uint8Array | null {
    const bytes = this.#batch?.subarray(0, this.#filled) ?? null;
    this.#batch = undefined;
    this.#filled = 0;
    return bytes;
  }
}

function maxWireLength(frame: unknown): number {
  return MAX_HEADER_LENGTH + (frame instanceof WsFrame ? frame.payload.length : 0);
}
