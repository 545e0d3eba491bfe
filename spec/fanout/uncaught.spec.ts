import { expect, it, vi } from 'vitest';
import { callOut } from '../../lib/fanout/uncaught.ts';

it('calls', () => {
  let called = 0;
  callOut(() => called++);
  expect(called).toBe(1);
});

it('lets what is thrown be uncaught, in a turn of its own, and goes on', () => {
  const nextTick = vi.spyOn(process, 'nextTick').mockImplementationOnce(() => {});
  const error = new Error("the application's");
  callOut(() => {
    throw error;
  });
  expect(nextTick.mock.calls[0]?.[0]).toThrow(error);
  nextTick.mockRestore();
});
