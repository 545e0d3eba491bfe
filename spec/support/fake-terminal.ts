/** A terminal for specs of the command: it keeps what is written, and signals are sent to it with `emit`. */
import { EventEmitter } from 'node:events';
import type { Terminal } from '../../lib/cli/terminal.ts';

/** Text that grows, and that one can wait for. */
export class FakeOutput {
  text = '';
  #wake: () => void = () => {};

  write(text: string): void {
    this.text += text;
    this.#wake();
  }

  async find(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.text);
      if (found !== null) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export class FakeTerminal extends EventEmitter implements Terminal {
  readonly stdout: FakeOutput = new FakeOutput();
  readonly stderr: FakeOutput = new FakeOutput();
  readonly env: Readonly<Record<string, string | undefined>>;

  constructor(env: Readonly<Record<string, string | undefined>> = {}) {
    super();
    this.env = env;
  }

  get signalListenerCount(): number {
    return this.listenerCount('SIGINT') + this.listenerCount('SIGTERM');
  }
}
