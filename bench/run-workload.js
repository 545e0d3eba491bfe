// One workload: its peers take turns, round by round.
import { measure } from './measure.js';
import { peersOf } from './peers.js';
import { summarizeRounds } from './report/summary.js';
import { Unavailable } from './unavailable.js';

/** Gives a row for each peer: medians, or why there are none. */
export async function runWorkload(workload, options, onProgress) {
  const asked = workload.smokePeers ?? options.peers;
  const states = Object.keys(peersOf(workload))
    .filter((name) => asked.includes(name))
    .map((peer) => ({ peer, rounds: [] }));
  const rounds = Math.min(options.rounds, workload.mostRounds ?? Number.POSITIVE_INFINITY);
  for (let round = 1; round <= rounds; round++) {
    for (const state of states) {
      if (state.failure !== undefined || state.unavailable !== undefined) continue;
      onProgress(`${workload.name}, round ${round} of ${rounds}: ${state.peer}`);
      try {
        state.rounds.push(await measure(state.peer, workload, options));
      } catch (error) {
        state[error instanceof Unavailable ? 'unavailable' : 'failure'] = error.message;
      }
    }
  }
  return { workload, rows: states.map(summarizeRounds) };
}
