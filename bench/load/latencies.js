// How long replies take, in buckets that grow by a twentieth: exact enough for percentiles, and cheap enough for a
// million messages per second.
const GROWTH = Math.log(1.05);
const FINEST_MS = 0.001;
const BUCKETS = 400;

export class Latencies {
  #counts = new Uint32Array(BUCKETS);
  #total = 0;

  reset() {
    this.#counts.fill(0);
    this.#total = 0;
  }

  record(ms, times) {
    const bucket = ms <= FINEST_MS ? 0 : Math.min(BUCKETS - 1, Math.ceil(Math.log(ms / FINEST_MS) / GROWTH));
    this.#counts[bucket] += times;
    this.#total += times;
  }

  /** The latency in ms that this share of the replies did not exceed, NaN where there are none. */
  percentile(share) {
    if (this.#total === 0) return Number.NaN;
    let left = this.#total * share;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket];
      if (left <= 0) return FINEST_MS * Math.exp(bucket * GROWTH);
    }
    return Number.NaN;
  }
}
