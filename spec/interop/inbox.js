/** Messages that came, for a client that hands them out by events: `receive()` gives one, or `null` after the end. */
export class Inbox {
  #queue = [];
  #waiting = [];
  #ended = false;

  put(message) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(message);
    else this.#queue.push(message);
  }

  end() {
    this.#ended = true;
    for (const waiting of this.#waiting.splice(0)) waiting(null);
  }

  receive() {
    if (this.#queue.length > 0) return Promise.resolve(this.#queue.shift());
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
