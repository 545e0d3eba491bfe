/**
 * The streams of which a road is made: the codec, and the stages of extensions where some have been negotiated.
 */
import { isUtf8 } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { type BytesLike, toBytes } from '../protocol/frame.ts';
import type { WsRole } from '../protocol/header-rules.ts';
import { WS_MAX_FRAME_SIZE } from '../protocol/sizes.ts';
import { TextJudge } from '../protocol/text-judge.ts';
import { FrameDecoder } from '../stream/frame-decoder.ts';
import { FrameEncoder, type FrameEncoderOptions } from '../stream/frame-encoder.ts';
import { type OpenStages, openStages, type WsNegotiatedExtensions } from '../stream/ws-extension.ts';

export interface RoadOptions {
  readonly role: WsRole;
  /** Bytes that came behind the handshake. */
  readonly head: BytesLike | undefined;
  readonly maxFrameBytes: number;
  readonly validateUtf8: boolean;
  readonly allowNonMinimalLengths: boolean;
  /** What the handshake has agreed on; undefined for nothing. */
  readonly extensions?: WsNegotiatedExtensions | undefined;
}

export interface RoadStreams extends OpenStages {
  readonly decoder: FrameDecoder;
  readonly encoder: FrameEncoder;
  /** Judges text behind the stages, where there are some and somebody wants to know. */
  readonly judge: TextJudge | undefined;
}

const NO_STAGES: OpenStages = { inbound: [], outbound: [] };

/** Makes the streams; they are not joined. @throws what an extension throws */
export function createRoadStreams(options: RoadOptions, isFlushed?: FrameEncoderOptions['isFlushed']): RoadStreams {
  const { role, maxFrameBytes, allowNonMinimalLengths, validateUtf8, extensions } = options;
  const stages = extensions === undefined ? NO_STAGES : openStages(extensions);
  // What an extension has changed is text when that is undone.
  const isJudgedLater = stages.inbound.length > 0;
  const decoder = new FrameDecoder({
    role,
    maxFrameBytes,
    maxSliceBytes: WS_MAX_FRAME_SIZE,
    validateUtf8: validateUtf8 && !isJudgedLater,
    allowNonMinimalLengths,
    allowedRsv: extensions?.rsv ?? 0,
    ownsChunks: true,
  });
  const head = options.head === undefined ? undefined : toBytes(options.head);
  if (head !== undefined && head.length > 0) decoder.write(head);
  // No frame waits here but one that is being encoded: so little stands between a pong and the wire, and 'drain' says
  // that all that was written has been copied.
  const encoder = new FrameEncoder({ role, writableHighWaterMark: 1, isFlushed });
  const judge = validateUtf8 && isJudgedLater ? new TextJudge(isUtf8) : undefined;
  const { inbound, outbound } = stages;
  return { decoder, encoder, judge, inbound, outbound };
}

/**
 * The count of a socket that copies what it is given; NaN for any other Duplex: it may have passed on the very memory.
 * Net and TLS sockets are known by what only they can do.
 */
export function bytesTakenBy(socket: Duplex & { readonly bytesWritten?: number }): number {
  return 'setNoDelay' in socket ? (socket.bytesWritten ?? Number.NaN) : Number.NaN;
}
