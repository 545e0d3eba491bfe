/** Takes what is thrown into nowhere, as a process would that goes on after it. */
import { onTestFinished } from 'vitest';

const EVENTS = ['uncaughtException', 'uncaughtExceptionMonitor'] as const;

/** From now to the end of the test, uncaught exceptions are collected here instead of failing the test. */
export function collectUncaught(): readonly unknown[] {
  const collected: unknown[] = [];
  const before = EVENTS.map((event) => process.listeners(event as 'uncaughtException'));
  for (const event of EVENTS) process.removeAllListeners(event);
  process.on('uncaughtException', (error) => collected.push(error));
  onTestFinished(() => {
    EVENTS.forEach((event, index) => {
      process.removeAllListeners(event);
      for (const listener of before[index]!) process.on(event as 'uncaughtException', listener);
    });
  });
  return collected;
}
