/**
 * While somebody has the reading side of a connection for himself, Node's own ways to read it fail too: before they have
 * done anything, so that a call that throws leaves no listener and no pipe behind.
 */
import type { Readable } from 'node:stream';

type Method = (this: Readable, ...args: unknown[]) => unknown;

/** What begins to read, and for which of its first arguments: listening does so for some events alone. */
const READING: Readonly<Record<string, (first: unknown) => boolean>> = {
  on: isReadingEvent,
  addListener: isReadingEvent,
  pipe: () => true,
  resume: () => true,
};

/**
 * Puts a guard before the methods of a prototype with which reading begins.
 *
 * @param assertUnlocked throws where the stream is locked
 */
export function guardReading<T extends Readable>(prototype: T, assertUnlocked: (stream: T) => void): void {
  const methods = prototype as unknown as Record<string, Method>;
  for (const [name, reads] of Object.entries(READING)) {
    const method = methods[name]!;
    const value = function guarded(this: T, ...args: unknown[]): unknown {
      if (reads(args[0])) assertUnlocked(this);
      return method.apply(this, args);
    };
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
}

function isReadingEvent(event: unknown): boolean {
  return event === 'data' || event === 'readable';
}
