/** What a command needs of the process: two outputs, the environment, and the signals. `process` is one. */

export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface Output {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
  /** On a terminal: whether it shows colours, NO_COLOR and TERM considered. */
  hasColors?(): boolean;
}

export interface Terminal {
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
export function createPaint(output: Output): Paint {
  const isColoured = output.isTTY === true && output.hasColors?.() === true;
  const paint = (on: number, off: number) => (text: string) => (isColoured ? `\x1b[${on}m${text}\x1b[${off}m` : text);
  return { bold: paint(1, 22), dim: paint(2, 22), link: paint(36, 39) };
}
