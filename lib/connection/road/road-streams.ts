/**
 * The streams of which a road is made: the codec, and the stages of extensions where some have been negotiated.
 */
import { isUtf8 } from 'node:buffer';
import type { Duplex } from 'node:stream';
import type { BytesLike } from '../../protocol/frame.ts';
import type { WsRole } from '../../protocol/header-rules.ts';
import { WS_MAX_FRAME_SIZE, WS_RECV_BUFFER } from '../../protocol/sizes.ts';
import { TextJudge } from '../../protocol/text-judge.ts';
import { FrameDecoder } from '../../stream/frame-decoder.ts';
import { FrameEncoder, type FrameEncoderOptions } from '../../stream/frame-encoder.ts';
import { openInbound, openOutbound, type WsNegotiatedExtensions } from '../../stream/ws-extension.ts';

/** What a road must know of what comes. */
export interface RoadLimits {
  readonly maxFrameBytes: number;
  readonly maxMessageBytes: number;
  readonly validateUtf8: boolean;
  readonly allowNonMinimalLengths: boolean;
}

export interface RoadOptions {
  readonly role: WsRole;
  /** Bytes that came behind the handshake. */
  readonly head: BytesLike | undefined;
  readonly limits: RoadLimits;
  /** What the handshake has agreed on; undefined for nothing. */
  readonly extensions?: WsNegotiatedExtensions | undefined;
}

/** What it takes to make the streams anew. */
export type RoadPlan = Omit<RoadOptions, 'head'>;

export interface InboundStreams {
  readonly decoder: FrameDecoder;
  readonly stages: readonly Duplex[];
  /** Judges text behind the stages, where there are some and somebody wants to know. */
  readonly judge: TextJudge | undefined;
}

export interface OutboundStreams {
  readonly encoder: FrameEncoder;
  readonly stages: readonly Duplex[];
}

const plans = new WeakMap<RoadLimits, Partial<Record<WsRole, RoadPlan>>>();

/** Gives the plan of a road. All that have the same limits and no extension share one. */
export function planRoad({ role, limits, extensions }: RoadOptions): RoadPlan {
  if (extensions !== undefined && extensions.stages.length > 0) return { role, limits, extensions };
  let byRole = plans.get(limits);
  if (byRole === undefined) {
    byRole = {};
    plans.set(limits, byRole);
  }
  byRole[role] ??= { role, limits };
  return byRole[role];
}

/** Makes the way in; it is not joined. @throws what an extension throws */
export function createInboundStreams({ role, limits, extensions }: RoadPlan): InboundStreams {
  const { maxFrameBytes, maxMessageBytes, allowNonMinimalLengths, validateUtf8 } = limits;
  const stages = extensions === undefined ? [] : openInbound(extensions);
  // What an extension has changed is text when that is undone.
  const isJudgedLater = stages.length > 0;
  const decoder = new FrameDecoder({
    role,
    maxFrameBytes,
    // A slice announces what follows it: so a frame that is too large a message is refused at its header.
    maxSliceBytes: Math.min(WS_MAX_FRAME_SIZE, Math.max(WS_RECV_BUFFER, maxMessageBytes)),
    validateUtf8: validateUtf8 && !isJudgedLater,
    allowNonMinimalLengths,
    allowedRsv: extensions?.rsv ?? 0,
    ownsChunks: true,
  });
  return { decoder, stages, judge: validateUtf8 && isJudgedLater ? new TextJudge(isUtf8) : undefined };
}

/** Makes the way out; it is not joined. @throws what an extension throws */
export function createOutboundStreams(
  { role, extensions }: RoadPlan,
  sink?: Pick<FrameEncoderOptions, 'isFlushed' | 'lendsBytes'> | undefined,
): OutboundStreams {
  const stages = extensions === undefined ? [] : openOutbound(extensions);
  // No frame waits here but one that is being encoded: so little stands between a pong and the wire, and 'drain' says
  // that all that was written has been copied.
  return { encoder: new FrameEncoder({ role, writableHighWaterMark: 1, ...sink }), stages };
}

/** Whether the way in may be let go of between messages, and made when it is needed. */
export function mayInboundRest({ extensions }: RoadPlan): boolean {
  return (
    extensions?.stages.every((stage) => stage.createInbound === undefined || stage.inboundMayRest === true) ?? true
  );
}

/** The same of the way out. */
export function mayOutboundRest({ extensions }: RoadPlan): boolean {
  return (
    extensions?.stages.every((stage) => stage.createOutbound === undefined || stage.outboundMayRest === true) ?? true
  );
}

/** Tells net and TLS sockets by what only they can do: their bytes come from the system and go to it. */
export function isSystemSocket(socket: Duplex): boolean {
  return 'setNoDelay' in socket;
}

/** The count of a socket that copies what it is given; NaN for any other Duplex: it may have passed on the very memory. */
export function bytesTakenBy(socket: Duplex & { readonly bytesWritten?: number }): number {
  return isSystemSocket(socket) ? (socket.bytesWritten ?? Number.NaN) : Number.NaN;
}
