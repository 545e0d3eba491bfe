// The rounds of one workload, brought to one row for each peer.

export function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of each figure by itself. */
function medians(rounds) {
  const names = Object.keys(rounds[0]).filter((name) => typeof rounds[0][name] === 'number');
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => round[name]))]));
}

export function summarize(workload, roundsByPeer, failures) {
  const rows = [];
  for (const [peer, rounds] of roundsByPeer) {
    if (failures.has(peer)) rows.push({ peer, failure: failures.get(peer) });
    else rows.push({ peer, ...medians(rounds), rounds });
  }
  return { workload, rows };
}
