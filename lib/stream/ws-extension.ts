/**
 * What an extension does to a connection: Transforms of frames, between the codec and everything else.
 *
 * ```
 *  socket ─▶ FrameDecoder ─▶ [last extension] ─▶ [first extension] ─▶ connection
 *  socket ◀─ FrameEncoder ◀─ [last extension] ◀─ [first extension] ◀─ connection
 * ```
 *
 * @see RFC 6455 §9
 */
import type { Duplex } from 'node:stream';
import type { NegotiableExtension, NegotiatedExtensions } from '../handshake/extension-negotiation.ts';

/**
 * What one connection gets of an extension. Each method may be missing, or give nothing, where there is nothing to do in
 * that direction; it is called once, with the handshake, unless the stage may rest.
 */
export interface ExtensionStages {
  /**
   * Makes the stage for what comes: a Duplex in object mode, `WsFrame`s in and out. It gets data frames with the reserved
   * bits as they came, slices of at most 64 KiB, and control frames, in order; what it does not change it passes on. What
   * it gives has its own reserved bits cleared. Text is checked to be UTF-8 behind the last stage. A `ProtocolError`
   * fails the connection with its code, any other error with 1011.
   */
  createInbound?(): Duplex | undefined;
  /**
   * Makes the stage for what is sent: a Duplex in object mode, `WsFrame`s in and out. It gets data frames, fragments of at
   * most 64 KiB, and at last the close frame; pings and pongs go past it. When it calls back, it no longer needs the
   * frame's payload: the sender may change it then. An error fails the connection with 1011.
   */
  createOutbound?(): Duplex | undefined;
  /**
   * Whether the stage for what comes remembers nothing from message to message: then it is made when it is needed,
   * destroyed when the connection has been at rest for a while, and made anew. Default `false`.
   */
  readonly inboundMayRest?: boolean | undefined;
  /** The same of the stage for what is sent. Default `false`. */
  readonly outboundMayRest?: boolean | undefined;
}

/** An extension of the protocol: what is agreed on in the handshake, and what is then done. */
export interface WsExtension extends NegotiableExtension<ExtensionStages> {}

/** What was agreed on for one connection. */
export type WsNegotiatedExtensions = NegotiatedExtensions<ExtensionStages>;

/**
 * Makes the stages for what comes, in the order in which frames go through them.
 *
 * §9.1: where the server has answered `foo, bar`, what is sent is `bar(foo(data))`; what comes goes the other way.
 *
 * @throws TypeError for a stage that is no Duplex, and whatever an extension throws
 * @see RFC 6455 §9.1
 */
export function openInbound({ stages }: WsNegotiatedExtensions): Duplex[] {
  return stages.flatMap((extension) => checkedStage(extension.createInbound?.())).reverse();
}

/** Makes the stages for what is sent, in the order in which frames go through them. Throws as {@link openInbound}. */
export function openOutbound({ stages }: WsNegotiatedExtensions): Duplex[] {
  return stages.flatMap((extension) => checkedStage(extension.createOutbound?.()));
}

/**
 * Makes the stages that may not rest now, so that an extension that cannot do so is found out before the handshake is
 * answered.
 *
 * @returns the same, for one connection only
 */
export function openExtensions(extensions: WsNegotiatedExtensions): WsNegotiatedExtensions {
  return { ...extensions, stages: extensions.stages.map(openNow) };
}

function openNow(extension: ExtensionStages): ExtensionStages {
  const { inboundMayRest = false, outboundMayRest = false } = extension;
  if (inboundMayRest && outboundMayRest) return extension;
  const [inbound] = inboundMayRest ? [] : checkedStage(extension.createInbound?.());
  const [outbound] = outboundMayRest ? [] : checkedStage(extension.createOutbound?.());
  return {
    createInbound: () => (inboundMayRest ? extension.createInbound?.() : inbound),
    createOutbound: () => (outboundMayRest ? extension.createOutbound?.() : outbound),
    inboundMayRest,
    outboundMayRest,
  };
}

function checkedStage(stage: Duplex | undefined): Duplex[] {
  if (stage === undefined) return [];
  const { writableObjectMode, readableObjectMode, pipe } = stage ?? ({} as Partial<Duplex>);
  const isOfFrames = writableObjectMode === true && readableObjectMode === true && typeof pipe === 'function';
  if (!isOfFrames) throw new TypeError('the stage of an extension must be a Duplex in object mode');
  return [stage];
}
