import { expect, it } from 'vitest';
import { waitForStop } from '../../lib/cli/stop.ts';
import { FakeTerminal } from '../support/fake-terminal.ts';

it.each(['SIGINT', 'SIGTERM'])('hears of the first signal, %s, and gives the signals back', async (signal) => {
  const terminal = new FakeTerminal();
  const stop = waitForStop(terminal);
  expect(terminal.signalListenerCount).toBe(2);
  terminal.emit(signal);
  terminal.emit('SIGTERM');
  expect(await stop.isAsked).toBe(signal);
  stop.release();
  expect(terminal.signalListenerCount).toBe(0);
});
