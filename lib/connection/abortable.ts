/**
 * Waiting that a signal can end.
 */
import { createAbortError } from '../errors.ts';

/** Begins to wait. @returns what is called when nobody waits any more, because the wait was aborted */
type Start<T> = (resolve: (value: T) => void) => (() => void) | undefined;

/**
 * Waits for a value, or for the signal.
 *
 * @throws AbortError as a rejection, when the signal aborts first; `start` is not called when it has aborted already
 */
export function abortable<T>(signal: AbortSignal | undefined, start: Start<T>): Promise<T> {
  if (signal === undefined) return new Promise((resolve) => void start(resolve));
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(createAbortError(signal));
      return;
    }
    let cancel: (() => void) | undefined;
    const abort = (): void => {
      // First, for what is called off may settle.
      reject(createAbortError(signal));
      cancel?.();
    };
    signal.addEventListener('abort', abort, { once: true });
    cancel = start((value) => {
      signal.removeEventListener('abort', abort);
      resolve(value);
    });
    // Whoever is called by what was begun may have aborted it.
    if (signal.aborted) cancel?.();
  });
}
