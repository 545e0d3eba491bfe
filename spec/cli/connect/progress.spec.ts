import { afterEach, expect, it, vi } from 'vitest';
import { Progress } from '../../../lib/cli/connect/progress.ts';
import { FakeOutput } from '../../support/fake-terminal.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('tells four times a second how much has passed, and how fast, in one line', async () => {
  vi.useFakeTimers();
  const output = new FakeOutput();
  const progress = new Progress(output);
  progress.start();
  progress.sent(1_048_576);
  progress.received(2048);
  await vi.advanceTimersByTimeAsync(250);
  expect(output.text).toBe('\r\x1b[Ksent 1.00 MiB, received 2.00 KiB, 4.01 MiB/s');
  await vi.advanceTimersByTimeAsync(250);
  expect(output.text.split('\r\x1b[K')[2]).toBe('sent 1.00 MiB, received 2.00 KiB, 0 B/s');
  progress.stop();
  progress.stop();
  expect(output.text.endsWith('0 B/s\r\x1b[K')).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it('says nothing where it was not started', () => {
  const output = new FakeOutput();
  const progress = new Progress(output);
  progress.sent(1);
  progress.stop();
  expect(output.text).toBe('');
});
