import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { abortable } from '../../lib/connection/abortable.ts';

const listenersOf = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

it('waits for the value where there is no signal', async () => {
  await expect(abortable(undefined, (resolve) => void setImmediate(resolve, 7))).resolves.toBe(7);
});

it('leaves no listener on the signal once the value has come', async () => {
  const { signal } = new AbortController();
  let settle: (value: number) => void = () => {};
  const waiting = abortable<number>(signal, (resolve) => {
    settle = resolve;
    return undefined;
  });
  expect(listenersOf(signal)).toBe(1);
  settle(7);
  expect(listenersOf(signal)).toBe(0);
  await expect(waiting).resolves.toBe(7);
});

it('rejects with an AbortError that has the reason as its cause, and calls off the wait once', async () => {
  const controller = new AbortController();
  let calledOff = 0;
  const waiting = abortable(controller.signal, () => () => void calledOff++);
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: reason });
  expect([calledOff, listenersOf(controller.signal)]).toEqual([1, 0]);
});

it('rejects also where calling off gives a value', async () => {
  const controller = new AbortController();
  const waiting = abortable<number>(controller.signal, (resolve) => () => resolve(1));
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});

it('does without anything to call off', async () => {
  const controller = new AbortController();
  const waiting = abortable(controller.signal, () => undefined);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});

it('does not begin where the signal has aborted already', async () => {
  let hasBegun = false;
  const waiting = abortable(AbortSignal.abort(), () => {
    hasBegun = true;
    return undefined;
  });
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  expect(hasBegun).toBe(false);
});

it('calls off what it began where beginning it aborts the signal', async () => {
  const controller = new AbortController();
  let calledOff = 0;
  const waiting = abortable(controller.signal, () => {
    controller.abort();
    return () => void calledOff++;
  });
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  expect([calledOff, listenersOf(controller.signal)]).toEqual([1, 0]);
});

it('takes the first of what happens: a value after the abort changes nothing, nor an abort after the value', async () => {
  const early = new AbortController();
  let settle: (value: number) => void = () => {};
  const first = abortable<number>(early.signal, (resolve) => {
    settle = resolve;
    return undefined;
  });
  early.abort();
  settle(1);
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  const late = new AbortController();
  const second = abortable<number>(late.signal, (resolve) => {
    resolve(2);
    return () => {
      throw new Error('called off what is done');
    };
  });
  late.abort();
  await expect(second).resolves.toBe(2);
});
