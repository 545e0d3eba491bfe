/**
 * Node's stream operators (`map`, `take`, …) read with `for await` over the stream itself. A connection's own iterator
 * leaves the connection usable when a loop is left early; Node's operators destroy, and keep doing so: they are handed
 * a view of the stream that has Node's iterator.
 */
import { Readable } from 'node:stream';

type Operator = (this: unknown, ...args: unknown[]) => unknown;

const NAMES = [
  'asIndexedPairs',
  'drop',
  'every',
  'filter',
  'find',
  'flatMap',
  'forEach',
  'map',
  'reduce',
  'some',
  'take',
  'toArray',
] as const;

/** Puts operators with Node's semantics on a prototype whose `Symbol.asyncIterator` is its own. */
export function restoreNodeOperators(prototype: object): void {
  const operators = Readable.prototype as unknown as Record<string, Operator | undefined>;
  for (const name of NAMES) {
    const operator = operators[name];
    // Which operators there are depends on the version of Node.
    if (operator === undefined) continue;
    const value = function restored(this: Readable, ...args: unknown[]): unknown {
      return operator.apply(withNodeIterator(this), args);
    };
    Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }
}

function withNodeIterator(stream: Readable): unknown {
  return Object.create(stream, {
    [Symbol.asyncIterator]: { value: () => Readable.prototype[Symbol.asyncIterator].call(stream) },
  });
}
