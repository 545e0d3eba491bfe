import { describe, expect, it } from 'vitest';
import { addTraffic, createTrafficStats, NO_TRAFFIC } from '../../../lib/connection/road/traffic-stats.ts';

const ONE = { messages: 1, frames: 2, payloadBytes: 300, wireBytes: 100, pings: 3, pongs: 4, bufferedBytes: 5 };

describe('traffic', () => {
  it('tells how many bytes of messages a byte on the wire has carried, once there is one', () => {
    expect(createTrafficStats(ONE)).toEqual({ ...ONE, compressionRatio: 3 });
    expect(NO_TRAFFIC.compressionRatio).toBeUndefined();
  });

  it('adds up figure by figure; the ratio is that of the sums', () => {
    const other = {
      messages: 10,
      frames: 20,
      payloadBytes: 100,
      wireBytes: 900,
      pings: 30,
      pongs: 40,
      bufferedBytes: 50,
    };
    expect(addTraffic(ONE, other)).toEqual({
      ...{ messages: 11, frames: 22, payloadBytes: 400, wireBytes: 1000, pings: 33, pongs: 44, bufferedBytes: 55 },
      compressionRatio: 0.4,
    });
    expect(addTraffic(NO_TRAFFIC, ONE)).toEqual(createTrafficStats(ONE));
  });
});
