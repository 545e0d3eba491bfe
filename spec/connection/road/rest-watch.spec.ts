import { describe, expect, it } from 'vitest';
import { type Resting, RestWatch } from '../../../lib/connection/road/rest-watch.ts';

class Sleeper implements Resting {
  motion = 0;
  motionSeen: number | undefined;
  isReady = true;
  asked = 0;

  rest(): boolean {
    this.asked++;
    return this.isReady;
  }
}

describe('a watch over rest', () => {
  it('asks what has not moved since the last look, once', () => {
    const watch = new RestWatch();
    const [still, moving] = [new Sleeper(), new Sleeper()];
    for (const sleeper of [still, moving]) watch.add(sleeper);
    moving.motion = 1;
    watch.elapsed();
    expect([still.asked, moving.asked, watch.size]).toEqual([1, 0, 1]);
    watch.elapsed();
    watch.elapsed();
    expect([still.asked, moving.asked, watch.size]).toEqual([1, 1, 0]);
  });

  it('asks again what could not rest', () => {
    const watch = new RestWatch();
    const sleeper = new Sleeper();
    sleeper.isReady = false;
    watch.add(sleeper);
    watch.elapsed();
    watch.elapsed();
    expect([sleeper.asked, watch.size]).toEqual([2, 1]);
    sleeper.isReady = true;
    watch.elapsed();
    expect([sleeper.asked, watch.size]).toEqual([3, 0]);
  });

  it('waits on the wheel only while something is awake, and does not hold the process', () => {
    const watch = new RestWatch();
    const [one, other] = [new Sleeper(), new Sleeper()];
    expect([watch.slot, watch.holdsProcess]).toEqual([undefined, false]);
    watch.add(one);
    const { slot } = watch;
    watch.add(other);
    expect([slot !== undefined, watch.slot === slot]).toEqual([true, true]);
    watch.delete(one);
    expect(watch.slot).toBe(slot);
    watch.delete(other);
    expect(watch.slot).toBeUndefined();
    watch.delete(other);
  });
});
