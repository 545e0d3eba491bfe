/**
 * Bytes in, frames out, on WHATWG streams: the pair over a `FrameParser`, for browsers, Deno, Bun and edge runtimes.
 *
 * It is lazy, like the Node one: a chunk may hold thirty thousand frames, which are made as the reader takes them, and
 * `write()` resolves when the chunk is used up. What waits is counted in bytes on both sides.
 *
 * @see RFC 6455 §5.2, §6.2
 */
import { type BytesLike, toBytes, type WsFrame } from '../protocol/frame.ts';
import { FrameParser } from '../protocol/frame-parser.ts';
import type { FrameParserOptions } from '../protocol/frame-parser-options.ts';
import { byteLimit } from '../protocol/header-rules.ts';
import { createLazyPair } from './lazy-pair.ts';

/** What a {@link FrameDecoderStream} takes. */
export interface FrameDecoderStreamOptions extends FrameParserOptions {
  /**
   * Bytes that may wait on each side, unparsed in the one and as frames (overhead counted) in the other. Default 65,536.
   * With 0 a frame is made when a reader waits for it.
   */
  readonly maxBufferedBytes?: number | undefined;
}

const DEFAULT_MAX_BUFFERED_BYTES = 65_536;
/** About what a frame takes beside its payload, so that empty frames fill the queue too. */
const FRAME_OVERHEAD = 256;

/**
 * A pair of streams that turns bytes into {@link WsFrame}s: `bytes.pipeThrough(new FrameDecoderStream({ role: 'client' }))`.
 *
 * Whole frames come out as they were sent (fragments stay fragments), or slices of them with `maxSliceBytes`. A
 * violation errors both streams with a `ProtocolError`, the readable one after the frames that came before it; so does
 * an end inside a frame or a message (`WS_ERR_TRUNCATED`). Cancelling the one and aborting the other error each other.
 */
export class FrameDecoderStream {
  /** The frames. */
  readonly readable: ReadableStream<WsFrame>;
  /** The bytes, in chunks of any size; anything but a Uint8Array or an ArrayBuffer errors both streams with a TypeError. */
  readonly writable: WritableStream<BytesLike>;

  /** @throws TypeError for a role that is none, RangeError for a limit that is no whole number or too small */
  constructor(options: FrameDecoderStreamOptions) {
    const parser = new FrameParser(options);
    const maxBufferedBytes = byteLimit('maxBufferedBytes', options.maxBufferedBytes ?? DEFAULT_MAX_BUFFERED_BYTES, 0);
    const { readable, writable } = createLazyPair<BytesLike, WsFrame>(
      {
        push: (chunk) => parser.push(toBytes(chunk)),
        next: () => parser.next(),
        // A drained parser has nothing to give, and asking it makes it let go of its chunk.
        letGo: () => parser.isDrained && parser.next() === null,
        end: () => parser.end(),
      },
      {
        // A WritableStream without any room is never ready.
        writableHighWaterMark: Math.max(1, maxBufferedBytes),
        inputSize: byteLengthOf,
        readableHighWaterMark: maxBufferedBytes,
        outputSize: (frame) => frame.payload.length + FRAME_OVERHEAD,
      },
    );
    this.readable = readable;
    this.writable = writable;
  }
}

/** The size of a chunk, whatever it may be: what is none is refused when its turn comes. */
function byteLengthOf(chunk: unknown): number {
  const { byteLength } = Object(chunk) as { readonly byteLength?: unknown };
  return typeof byteLength === 'number' ? byteLength : 0;
}
