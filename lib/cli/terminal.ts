/** What a command needs of the process: the three standard streams, the environment, and the signals. `process` is one. */
import type { Readable, Writable } from 'node:stream';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Where people, or another program, may type. */
export type Input = Readable & { readonly isTTY?: boolean | undefined };

export type Output = Writable & {
  readonly isTTY?: boolean | undefined;
  /** On a terminal: its width in characters. */
  readonly columns?: number | undefined;
  /** On a terminal: whether it shows colours, NO_COLOR and TERM considered. */
  hasColors?(): boolean;
};

export interface Terminal {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
}

/** Ways to set off a text. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly link: (text: string) => string;
}

/** Gives colours to a terminal that shows them; a file or a pipe gets the plain text. */
export function createPaint(output: Pick<Output, 'isTTY' | 'hasColors'>): Paint {
  const isColoured = output.isTTY === true && output.hasColors?.() === true;
  const paint = (on: number, off: number) => (text: string) => (isColoured ? `\x1b[${on}m${text}\x1b[${off}m` : text);
  return { bold: paint(1, 22), dim: paint(2, 22), link: paint(36, 39) };
}

/** Says something about the command's own work, in a line of its own on stderr. */
export function complain({ stderr }: Pick<Terminal, 'stderr'>, text: string): void {
  stderr.write(`${createPaint(stderr).bold('wspipe:')} ${text}\n`);
}
