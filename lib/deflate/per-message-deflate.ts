/**
 * permessage-deflate as an extension like any other: the parameters of RFC 7692 in the handshake, and then one stage that
 * inflates what comes and one that deflates what is sent.
 *
 * @see RFC 7692
 */
import { byteLimit, count, flag } from '../options.ts';
import type { WsRole } from '../protocol/header-rules.ts';
import type { ExtensionStages, WsExtension } from '../stream/ws-extension.ts';
import {
  acceptDeflate,
  confirmDeflate,
  type DeflateParameters,
  MAX_WINDOW_BITS,
  MIN_WINDOW_BITS,
  offerDeflate,
} from './deflate-parameters.ts';
import { DeflatePool } from './deflate-pool.ts';
import { RSV1 } from './deflate-stage.ts';
import { FrameDeflater, type FrameDeflaterOptions } from './frame-deflater.ts';
import { FrameInflater, type FrameInflaterOptions } from './frame-inflater.ts';
import { isDeflateAvailable } from './zlib-context.ts';

/**
 * What permessage-deflate is asked for, by the parameters of RFC 7692 §7.1, and how we compress and inflate. Where there
 * is no `maxInflatedRatio`, `maxMessageBytes` of the connection limits what a message may become.
 */
export interface PerMessageDeflateOptions
  extends Pick<FrameDeflaterOptions, 'level' | 'memLevel' | 'thresholdBytes' | 'shouldCompress' | 'pool'>,
    Pick<FrameInflaterOptions, 'maxInflatedRatio'> {
  /**
   * Whether the server begins each message with an empty window. Default `false`: what messages have in common is then
   * sent once. With `true` the server keeps nothing between messages.
   */
  readonly serverNoContextTakeover?: boolean | undefined;
  /** The same for the client. Default `false`. */
  readonly clientNoContextTakeover?: boolean | undefined;
  /**
   * The largest window with which the server may compress, as a power of 2: 8 to 15. Default 15, 32 KiB. With takeover,
   * that is what both ends may have to keep between messages. A server that does not agree to less than 15 is declined.
   */
  readonly serverMaxWindowBits?: number | undefined;
  /** The same for the client. A client that does not offer to be held to less than 15 is declined. Default 15. */
  readonly clientMaxWindowBits?: number | undefined;
  /**
   * How far we refer back when we compress, within what was agreed on, as a power of 2: 8 to 15. Default 14, 16 KiB: on
   * JSON and logs that takes two thirds of the time of 15 and comes out as small; prose and code grow by about 5 %. While
   * messages have at most 4 KiB, it is 13 by default: JSON grows by 3 %, prose and code by 5 to 7 %, in 0.9 of the time,
   * and in 0.75 where a hundred connections take turns, because less memory is gone through.
   */
  readonly windowBits?: number | undefined;
}

const NAME = 'permessage-deflate';
const DEFAULT_OWN_WINDOW_BITS = 14;
const DEFAULT_SMALL_WINDOW_BITS = 13;

/**
 * Makes the extension. Where the runtime has no zlib that can be driven, a client does not offer it, and a server
 * declines it.
 *
 * @throws TypeError for an option of the wrong type, RangeError for one out of range
 * @see RFC 7692 §7
 */
export function createPerMessageDeflate(options: PerMessageDeflateOptions = {}): WsExtension {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('perMessageDeflate must be a boolean or an object');
  assertCompression(options);
  const wanted = readParameters(options);
  // Connections that agree on the same share what makes their stages; there are some hundred ways to agree.
  const made = new Map<string, ExtensionStages>();
  const stagesFor = (role: WsRole, agreed: DeflateParameters): ExtensionStages => {
    const key = `${role} ${Object.values(agreed)}`;
    const stages = made.get(key) ?? createStages(role, agreed, options);
    made.set(key, stages);
    return stages;
  };
  return {
    name: NAME,
    rsv: RSV1,
    offer: () => (isDeflateAvailable() ? [offerDeflate(wanted)] : []),
    accept: (offer) => {
      const agreement = isDeflateAvailable() ? acceptDeflate(offer, wanted) : undefined;
      return agreement && { params: agreement.params, stages: stagesFor('server', agreement.agreed) };
    },
    confirm: (answer) => stagesFor('client', confirmDeflate(answer, wanted)),
  };
}

/** What one side's compressor holds to. */
interface Compressor {
  readonly windowBits: number;
  readonly contextTakeover: boolean;
}

function createStages(role: WsRole, agreed: DeflateParameters, options: PerMessageDeflateOptions): ExtensionStages {
  const server: Compressor = {
    windowBits: agreed.serverMaxWindowBits,
    contextTakeover: !agreed.serverNoContextTakeover,
  };
  const client: Compressor = {
    windowBits: agreed.clientMaxWindowBits,
    contextTakeover: !agreed.clientNoContextTakeover,
  };
  const [ours, theirs] = role === 'server' ? [server, client] : [client, server];
  // What was agreed on is the most that may be referred back to, not the least.
  const windowBits = Math.min(ours.windowBits, options.windowBits ?? DEFAULT_OWN_WINDOW_BITS);
  const smallWindowBits = options.windowBits ?? DEFAULT_SMALL_WINDOW_BITS;
  const { maxInflatedRatio, pool, level, memLevel, thresholdBytes, shouldCompress } = options;
  return {
    // Sizes and UTF-8 are judged behind all stages, where there may be others.
    createInbound: () => new FrameInflater({ ...theirs, maxInflatedRatio, pool, validateUtf8: false }),
    createOutbound: () =>
      new FrameDeflater({
        ...ours,
        windowBits,
        smallWindowBits,
        level,
        memLevel,
        thresholdBytes,
        shouldCompress,
        pool,
      }),
    // An inflater without takeover forgets each message; a compressor may forget whenever it likes.
    inboundMayRest: !theirs.contextTakeover,
    outboundMayRest: true,
  };
}

function readParameters(options: PerMessageDeflateOptions): DeflateParameters {
  return {
    serverNoContextTakeover: flag('serverNoContextTakeover', options.serverNoContextTakeover, false),
    clientNoContextTakeover: flag('clientNoContextTakeover', options.clientNoContextTakeover, false),
    serverMaxWindowBits: readWindowBits('serverMaxWindowBits', options.serverMaxWindowBits),
    clientMaxWindowBits: readWindowBits('clientMaxWindowBits', options.clientMaxWindowBits),
  };
}

function readWindowBits(name: string, value: number | undefined): number {
  return atLeast(name, MIN_WINDOW_BITS, count(name, value, MAX_WINDOW_BITS, MAX_WINDOW_BITS));
}

function assertCompression({
  windowBits,
  level,
  memLevel,
  thresholdBytes,
  maxInflatedRatio,
  ...rest
}: PerMessageDeflateOptions): void {
  readWindowBits('windowBits', windowBits);
  if (level !== -1) count('level', level, 0, 9);
  atLeast('memLevel', 1, count('memLevel', memLevel, 8, 9));
  byteLimit('thresholdBytes', thresholdBytes, 0);
  if (maxInflatedRatio !== undefined && typeof maxInflatedRatio !== 'number') {
    throw new TypeError('maxInflatedRatio must be a number');
  }
  atLeast('maxInflatedRatio', 1, maxInflatedRatio ?? 1);
  const { shouldCompress, pool } = rest;
  if (shouldCompress !== undefined && typeof shouldCompress !== 'function') {
    throw new TypeError('shouldCompress must be a function');
  }
  if (pool !== undefined && !(pool instanceof DeflatePool)) throw new TypeError('pool must be a DeflatePool');
}

function atLeast(name: string, min: number, value: number): number {
  if (!(value >= min)) throw new RangeError(`${name} must be ${min} or more, not ${value}`);
  return value;
}
