/**
 * Who has published how much on one channel: what comes twice is told from what is new, and what never came is counted.
 *
 * A publisher that is heard for the first time is counted from there: what it said before is not ours to miss.
 */

interface Entry {
  sequence: number;
  heardAt: number;
}

export class PublisherLedger {
  readonly #entries = new Map<string, Entry>();
  readonly #maxPublishers: number;
  #clock = 0;

  /** @param maxPublishers how many are remembered; beyond it, who was silent for the longest is forgotten */
  constructor(maxPublishers: number) {
    this.#maxPublishers = maxPublishers;
  }

  /**
   * Enters a message.
   *
   * @returns how many are missing before it; -1 where it came already, or came too late to be in order
   */
  enter(publisher: string, sequence: number): number {
    const last = this.#advance(publisher, sequence);
    return last === undefined ? 0 : Math.max(-1, sequence - last - 1);
  }

  /** Learns how many messages a publisher has published by now. @returns how many of them are missing */
  learn(publisher: string, sequence: number): number {
    const last = this.#advance(publisher, sequence);
    return last === undefined ? 0 : Math.max(0, sequence - last);
  }

  /** @returns how far it was before; undefined where nobody has heard of it */
  #advance(publisher: string, sequence: number): number | undefined {
    const entry = this.#entries.get(publisher);
    const last = entry?.sequence;
    if (entry === undefined) this.#meet(publisher, sequence);
    else {
      entry.heardAt = ++this.#clock;
      entry.sequence = Math.max(entry.sequence, sequence);
    }
    return last;
  }

  #meet(publisher: string, sequence: number): void {
    if (this.#entries.size >= this.#maxPublishers) this.#forgetMostSilent();
    this.#entries.set(publisher, { sequence, heardAt: ++this.#clock });
  }

  #forgetMostSilent(): void {
    let [silent, since] = ['', Number.POSITIVE_INFINITY];
    for (const [publisher, { heardAt }] of this.#entries) {
      if (heardAt < since) [silent, since] = [publisher, heardAt];
    }
    this.#entries.delete(silent);
  }
}
