/**
 * What a connection counts, and how counts are added up.
 *
 * Law: counting is an increment where something passes anyway; figures are put together only when somebody asks.
 */

/** What has gone in one direction. Each figure but {@link bufferedBytes} and {@link compressionRatio} only grows. */
export interface TrafficStats {
  /** Whole messages, text and binary. */
  readonly messages: number;
  /** Frames on the wire, control frames included. */
  readonly frames: number;
  /** Bytes of the messages as you write and read them: what is compressed counts in its full size. */
  readonly payloadBytes: number;
  /** Bytes on the wire, behind the handshake: what has come, or what the system has taken. */
  readonly wireBytes: number;
  readonly pings: number;
  readonly pongs: number;
  /**
   * Bytes that wait at this moment: what has come and is not read, as `maxBufferedBytes` counts it; or what was accepted
   * for sending and the system has not taken, as `bufferedAmount` tells.
   */
  readonly bufferedBytes: number;
  /**
   * Bytes of messages for each byte on the wire, headers and control frames included: 4 where compression saves three
   * quarters, a little less than 1 without compression; `undefined` before anything has moved.
   */
  readonly compressionRatio: number | undefined;
}

/** What a connection has counted since it stands. */
export interface ConnectionStats {
  /** When it began to stand, in ms since 1970, as `Date.now()` tells. */
  readonly openedAt: number;
  /** ms since then; of a connection whose socket is gone, how long it stood. */
  readonly durationMs: number;
  readonly received: TrafficStats;
  readonly sent: TrafficStats;
}

/** {@link TrafficStats} without what follows from the rest. */
export type TrafficCounts = Omit<TrafficStats, 'compressionRatio'>;

/** Before anything has moved. */
export const NO_TRAFFIC: TrafficStats = createTrafficStats({
  ...{ messages: 0, frames: 0, payloadBytes: 0, wireBytes: 0, pings: 0, pongs: 0, bufferedBytes: 0 },
});

/** Puts in what follows from the counts. */
export function createTrafficStats(counts: TrafficCounts): TrafficStats {
  const { messages, frames, payloadBytes, wireBytes, pings, pongs, bufferedBytes } = counts;
  const compressionRatio = wireBytes === 0 ? undefined : payloadBytes / wireBytes;
  // Name by name: to add one to a copy takes V8 dozens of times longer.
  return { messages, frames, payloadBytes, wireBytes, pings, pongs, bufferedBytes, compressionRatio };
}

/** Adds two up, each figure for itself. */
export function addTraffic(one: TrafficCounts, other: TrafficCounts): TrafficStats {
  return createTrafficStats({
    messages: one.messages + other.messages,
    frames: one.frames + other.frames,
    payloadBytes: one.payloadBytes + other.payloadBytes,
    wireBytes: one.wireBytes + other.wireBytes,
    pings: one.pings + other.pings,
    pongs: one.pongs + other.pongs,
    bufferedBytes: one.bufferedBytes + other.bufferedBytes,
  });
}
