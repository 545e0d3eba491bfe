/** What became of a promise, to be looked at later: nobody needs to catch it meanwhile. */

/** @returns `'done'` where it is fulfilled, and its error where it is rejected */
export const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'done',
    (error: unknown) => error,
  );
