import { describe, expect, it, vi } from 'vitest';
import { SubscriptionKeeper } from '../../../lib/fanout/backplane/subscription-keeper.ts';

interface Step {
  readonly what: string;
  done(): void;
  fail(error: Error): void;
}

function setUp() {
  const steps: Step[] = [];
  const failures: unknown[] = [];
  const state = { isConnected: true, isWanted: false };
  const step = (what: string): Promise<void> =>
    new Promise((done, fail) => {
      steps.push({ what, done, fail });
    });
  const keeper = new SubscriptionKeeper({
    isConnected: () => state.isConnected,
    isWanted: () => state.isWanted,
    join: () => step('join'),
    part: () => step('part'),
    failed: (error) => failures.push(error),
  });
  const want = (isWanted: boolean): void => {
    state.isWanted = isWanted;
    keeper.align();
  };
  /** Ends the step that is under way. */
  const finish = async (): Promise<void> => {
    steps.at(-1)!.done();
    await new Promise(setImmediate);
  };
  return { keeper, want, finish, steps, failures, state, story: () => steps.map(({ what }) => what) };
}

const isKept = async (promise: Promise<void>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);

describe('a subscription', () => {
  it('is made when it is wanted, and ended when it is not', async () => {
    const { keeper, want, finish, story } = setUp();
    expect(keeper.isIdle).toBe(true);
    want(true);
    const joined = keeper.joined();
    expect(await isKept(joined)).toBe(false);
    await finish();
    expect(await isKept(joined)).toBe(true);
    expect(await isKept(keeper.joined())).toBe(true);
    expect(keeper.isIdle).toBe(false);
    want(false);
    await finish();
    expect(keeper.isIdle).toBe(true);
    expect(story()).toEqual(['join', 'part']);
  });

  it('ends as it is wanted, however often that changes meanwhile', async () => {
    const { want, finish, story } = setUp();
    want(true);
    want(false);
    want(true);
    want(false);
    await finish();
    want(true);
    await finish();
    await finish();
    expect(story()).toEqual(['join', 'part', 'join']);
  });

  it('waits for the broker, and is made again when that was away', async () => {
    const { keeper, want, finish, story, state } = setUp();
    state.isConnected = false;
    want(true);
    expect(story()).toEqual([]);
    state.isConnected = true;
    keeper.align();
    await finish();
    keeper.disconnected();
    const again = keeper.joined();
    keeper.align();
    expect(await isKept(again)).toBe(false);
    await finish();
    expect(await isKept(again)).toBe(true);
    expect(story()).toEqual(['join', 'join']);
  });

  it('does not count what was begun before the broker went', async () => {
    const { keeper, want, steps } = setUp();
    want(true);
    keeper.disconnected();
    keeper.align();
    steps[0]!.done();
    expect(await isKept(keeper.joined())).toBe(false);
    steps[1]!.done();
    expect(await isKept(keeper.joined())).toBe(true);
  });

  it('is made anew when it has to be, also where that is told while it is being made', async () => {
    const { keeper, want, finish, story } = setUp();
    want(true);
    await finish();
    keeper.rejoin();
    keeper.rejoin();
    await finish();
    await finish();
    expect(await isKept(keeper.joined())).toBe(true);
    expect(story()).toEqual(['join', 'join', 'join']);
  });

  it('is tried again in a while where it fails, and that is told', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { want, finish, steps, failures, story } = setUp();
    want(true);
    steps[0]!.fail(new Error('no'));
    await new Promise(setImmediate);
    expect(failures).toEqual([new Error('no')]);
    want(true);
    expect(story()).toEqual(['join']);
    vi.advanceTimersByTime(50);
    expect(story()).toEqual(['join', 'join']);
    await finish();
    vi.useRealTimers();
  });

  it('that fails because the broker went is not told of', async () => {
    const { keeper, want, steps, failures } = setUp();
    want(true);
    keeper.disconnected();
    steps[0]!.fail(new Error('cut'));
    await new Promise(setImmediate);
    expect(failures).toEqual([]);
  });

  it('is nobody waited for at the end', async () => {
    const { keeper } = setUp();
    const joined = keeper.joined();
    keeper.close();
    expect(await isKept(joined)).toBe(true);
    expect(await isKept(keeper.joined())).toBe(true);
  });
});
