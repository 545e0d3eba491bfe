/** The line on a terminal that tells how much has passed, and how fast; a file or a pipe gets none. */
import { formatAmount } from '../byte-count.ts';
import type { Output } from '../terminal.ts';

const INTERVAL_MS = 250;
const ERASE = '\r\x1b[K';

export class Progress {
  readonly #output: Output;
  #sentBytes = 0;
  #receivedBytes = 0;
  #shownBytes = 0;
  #shownAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Shows the line from now on. */
  start(): void {
    this.#shownAt = performance.now();
    this.#timer = setInterval(() => this.#show(), INTERVAL_MS);
  }

  sent(bytes: number): void {
    this.#sentBytes += bytes;
  }

  received(bytes: number): void {
    this.#receivedBytes += bytes;
  }

  /** Takes the line away. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#output.write(ERASE);
  }

  #show(): void {
    const now = performance.now();
    const total = this.#sentBytes + this.#receivedBytes;
    const rate = (total - this.#shownBytes) / ((now - this.#shownAt) / 1000);
    this.#shownBytes = total;
    this.#shownAt = now;
    const [sent, received] = [formatAmount(this.#sentBytes), formatAmount(this.#receivedBytes)];
    this.#output.write(`${ERASE}sent ${sent}, received ${received}, ${formatAmount(rate)}/s`);
  }
}
