/** What a closer waits for, and who waits for it. */
import { describe, expect, it, vi } from 'vitest';
import { wheel } from '../../lib/connection/time/timer-wheel.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { CLOSE_TIMEOUT_MS, EVENTS, play, useClosingClock } from '../support/closing-stage.ts';

useClosingClock();

it('sees to a close that nobody reads up to after half of the time, whatever leaves meanwhile', () => {
  const stage = play([]);
  let effects = 0;
  stage.closer.postpone(() => effects++);
  stage.road.bytesOut = 5;
  vi.advanceTimersByTime(CLOSE_TIMEOUT_MS / 2 - 1);
  expect(effects).toBe(0);
  vi.advanceTimersByTime(1 + CLOSE_TIMEOUT_MS / 32);
  expect([effects, vi.getTimerCount()]).toEqual([1, 0]);
});

it('breaks off when nothing has moved for all of the time, and says which limit that is', () => {
  const stage = play(['we begin', 'ours is sent']);
  vi.advanceTimersByTime(CLOSE_TIMEOUT_MS - 1);
  expect(stage.story).not.toContain('over');
  vi.advanceTimersByTime(1 + CLOSE_TIMEOUT_MS / 16);
  expect(stage.story.slice(-4)).toEqual(['overdue', 'limit closeTimeoutMs', 'over', 'destroyed']);
  const cause = { code: 'WS_ERR_CLOSE_TIMEOUT', message: 'nothing moved for 1000 ms' };
  expect(stage.info?.error?.cause).toMatchObject(cause);
});

it('breaks off likewise where the peer that has broken a rule does not go', () => {
  const stage = play(['they break a rule']);
  vi.advanceTimersByTime(CLOSE_TIMEOUT_MS + CLOSE_TIMEOUT_MS / 16);
  expect(stage.story).toEqual([
    'wrote 1002 a frame from a client is not masked',
    'overdue',
    'limit closeTimeoutMs',
    'over',
    'destroyed',
  ]);
});

it.each([
  ['ours is sent', false],
  ['ours is lost', true],
])('gives the peer all of the time from the moment in which ours has left: %s', async (event, isOverdue) => {
  const stage = play(['we begin']);
  vi.advanceTimersByTime(0.4 * CLOSE_TIMEOUT_MS);
  EVENTS[event]!(stage);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  vi.advanceTimersByTime(0.4 * CLOSE_TIMEOUT_MS);
  expect(stage.story.includes('overdue')).toBe(isOverdue);
});

it('waits for nothing any more where all was over before that moment', async () => {
  play(['theirs comes', 'the answer is sent', 'the socket is gone']);
  await new Promise<void>((resolve) => process.nextTick(resolve));
  expect([wheel.size, vi.getTimerCount()]).toEqual([0, 0]);
});

it('sends what it is told where we give up, and says why', () => {
  const stage = play([]);
  const error = new Error('half a message');
  stage.closer.giveUp(error, WsFrame.close(1011, 'sorry'));
  EVENTS['the socket is gone']!(stage);
  expect(stage.story).toEqual(['wrote 1011 sorry', 'over']);
  expect(stage.info).toMatchObject({ code: 1011, reason: 'sorry', wasClean: false, error });
});

describe('who waits for our close frame', () => {
  const told = (...events: string[]): unknown[] => {
    const settled: unknown[] = [];
    const stage = play(['we begin']);
    stage.closer.whenSent((isWritten) => settled.push(isWritten));
    for (const event of events) EVENTS[event]!(stage);
    return settled;
  };

  it('is told once that it has left, or never will', () => {
    expect(told('ours is sent', 'theirs comes', 'the socket is gone')).toEqual([true]);
    expect(told('ours is lost', 'the socket is gone')).toEqual([false]);
    expect(told('the socket is gone')).toEqual([false]);
  });

  it('is told at once where another one takes its place', () => {
    expect(told('they break a rule')).toEqual([false]);
    expect(told('they break a rule', 'the answer is sent')).toEqual([false]);
  });
});
