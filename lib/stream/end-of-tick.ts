/**
 * The end of the tick, once for all who have something to give on then. Where one message goes to many, a tick for each
 * would cost as much as encoding it.
 */

/** Has gathered what one tick gave it. */
export interface Flushable {
  /** The tick is over. */
  flushTick(): void;
}

const due: Flushable[] = [];

/** Calls `flushTick` at the end of this tick, in the order in which they asked. */
export function flushAtEndOfTick(stage: Flushable): void {
  if (due.push(stage) === 1) process.nextTick(flushDue, 0);
}

function flushDue(first: number): void {
  let next = first;
  try {
    // Whoever is given something may send more: those who come meanwhile have their turn too.
    while (next < due.length) due[next++]!.flushTick();
  } finally {
    // A listener that throws keeps nothing from the others.
    if (next < due.length) process.nextTick(flushDue, next);
    else due.length = 0;
  }
}
