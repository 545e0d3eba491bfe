/** How a command hears that it should stop, and how it lets the next signal end the process at once. */
import type { StopSignal, Terminal } from './terminal.ts';

export interface Stop {
  /** Settles at the first signal. */
  readonly isAsked: Promise<StopSignal>;
  /** Gives the signals back to the system, which ends the process at the next one. */
  release(): void;
}

/** Listens to SIGINT and SIGTERM until `release`. */
export function waitForStop(terminal: Pick<Terminal, 'on' | 'off'>): Stop {
  let resolve: (signal: StopSignal) => void;
  const isAsked = new Promise<StopSignal>((onAsked) => {
    resolve = onAsked;
  });
  const onInterrupt = (): void => resolve('SIGINT');
  const onTerminate = (): void => resolve('SIGTERM');
  terminal.on('SIGINT', onInterrupt);
  terminal.on('SIGTERM', onTerminate);
  const release = (): void => {
    terminal.off('SIGINT', onInterrupt);
    terminal.off('SIGTERM', onTerminate);
  };
  return { isAsked, release };
}
