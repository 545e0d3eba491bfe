/** A terminal for specs of the command: it keeps what is written, takes what is typed, and signals are sent to it with `emit`. */
import { EventEmitter } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import type { Terminal } from '../../lib/cli/terminal.ts';

/** Text that grows, and that one can wait for. */
export class FakeOutput extends Writable {
  isTTY?: boolean;
  columns?: number;
  hasColors?: () => boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  get bytes(): Buffer {
    return this.#bytes;
  }

  get text(): string {
    return this.#bytes.toString();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    this.#wake();
    done();
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

/** Where a spec types. */
export class FakeInput extends PassThrough {
  isTTY?: boolean;

  /** As terminals have it; readline asks for it. */
  setRawMode(): this {
    return this;
  }
}

export class FakeTerminal extends EventEmitter implements Terminal {
  readonly stdin: FakeInput = new FakeInput();
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
