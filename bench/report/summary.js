// The rounds of one peer, brought to one row.
const COSTS = ['cpuMicrosPerMessage', 'bytesPerConnection'];
const DIGITS = 4;

export function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const round = (value) => Number(value.toPrecision(DIGITS));

/** The median of each figure by itself, and how far the rounds lay apart in what counts most. */
export function summarizeRounds({ peer, rounds, failure, unavailable }) {
  if (failure !== undefined) return { peer, failure };
  if (unavailable !== undefined) return { peer, unavailable };
  const row = { peer, rounds: rounds.length };
  for (const [name, value] of Object.entries(rounds[0])) {
    if (!Number.isFinite(value)) continue;
    const values = rounds.map((figures) => figures[name]);
    row[name] = round(median(values));
    if (COSTS.includes(name))
      Object.assign(row, { lowest: round(Math.min(...values)), highest: round(Math.max(...values)) });
  }
  return row;
}
