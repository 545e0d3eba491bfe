/**
 * The law of all specs: a test leaves nothing behind. No timer, no socket, no server, no child process, no fake clock;
 * no rejection that nobody handled, no exception that nobody caught, and no emitter with a crowd of listeners.
 *
 * It runs after every other hook of a test, so helpers may clean up with `onTestFinished`.
 */
import { afterAll, beforeEach, vi } from 'vitest';
import { describeSockets, settle, takeBaseline, watchTimers } from './leak-watch.ts';

watchTimers();
const atStart = takeBaseline();
const accidents: string[] = [];

const note = (what: string, error: unknown): void => {
  accidents.push(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
};
const onRejection = (reason: unknown): void => note('an unhandled rejection', reason);
const onException = (error: unknown): void => note('an uncaught exception', error);
const onWarning = (warning: Error): void => {
  if (warning.name === 'MaxListenersExceededWarning') note('listeners that pile up', warning);
};
process.on('unhandledRejection', onRejection);
process.on('uncaughtExceptionMonitor', onException);
process.on('warning', onWarning);

function assertNothingLeft(who: string, leaks: readonly string[]): void {
  const left = [...leaks, ...accidents.splice(0)];
  if (vi.isFakeTimers()) {
    vi.useRealTimers();
    left.push('a fake clock: vi.useRealTimers() was not called');
  }
  if (left.length === 0) return;
  const sockets = leaks.some((leak) => /TCP|TLS|Pipe/.test(leak)) ? describeSockets() : [];
  throw new Error(
    `${who} leaves behind:\n- ${[...left, ...sockets.map((socket) => `(open: ${socket})`)].join('\n- ')}`,
  );
}

beforeEach(({ task, onTestFinished }) => {
  if (task.concurrent) throw new Error('tests here do not run concurrently: their leaks could not be told apart');
  const baseline = takeBaseline();
  onTestFinished(async () => {
    // What a failed test leaves is a consequence; waiting for it would only hide the cause.
    const leaks = task.result?.state === 'fail' ? [] : await settle(baseline);
    assertNothingLeft('this test', leaks);
  });
});

afterAll(async () => {
  const leaks = await settle(atStart);
  process.off('unhandledRejection', onRejection);
  process.off('uncaughtExceptionMonitor', onException);
  process.off('warning', onWarning);
  assertNothingLeft('this file', leaks);
});
