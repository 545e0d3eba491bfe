/** What a road is made by, where a test has no wishes: a server, no extensions. */
import type { RoadPlan } from '../../lib/connection/road/road-streams.ts';

export const PLAN: RoadPlan = {
  role: 'server',
  limits: {
    maxFrameBytes: Number.POSITIVE_INFINITY,
    maxMessageBytes: 1_000_000,
    validateUtf8: true,
    allowNonMinimalLengths: false,
  },
};
