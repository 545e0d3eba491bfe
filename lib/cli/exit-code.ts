/** What the command says to the shell when it ends. The list is part of the public face: docs/guide/command-line.md holds it. */
import type { CloseInfo } from '../connection/closer.ts';
import { WS_CLOSE_NO_STATUS, WS_CLOSE_NORMAL } from '../protocol/close-code.ts';
import type { StopSignal } from './terminal.ts';

/** All went as it should. */
export const EXIT_DONE = 0;
/** It could not begin, or could not go on with what stands on this side: an address, a file, the input, the output. */
export const EXIT_FAILED = 1;
/** The command line makes no sense. */
export const EXIT_MISUSE = 2;
/** The connection was cut, broke a rule, or was closed by the other side for a reason other than "normal". */
export const EXIT_CLOSED = 3;
/** The time was over. */
export const EXIT_TIMEOUT = 4;

/** A process that a signal has ended has 128 and the number of the signal (POSIX shells). */
export const EXIT_OF_SIGNAL: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Judges how a connection ended. */
export function exitCodeOf({ wasClean, initiator, code }: CloseInfo): number {
  const isNormal = initiator === 'local' || code === WS_CLOSE_NORMAL || code === WS_CLOSE_NO_STATUS;
  return wasClean && isNormal ? EXIT_DONE : EXIT_CLOSED;
}
