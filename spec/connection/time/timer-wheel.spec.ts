import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Slot, TimerWheel, type Waiting, type WheelDrive } from '../../../lib/connection/time/timer-wheel.ts';

/** A world in which time passes when it is told to, and which notes what is asked of it. */
class World implements WheelDrive {
  readonly wheel: TimerWheel = new TimerWheel(this);
  time = 0;
  armedFor: number | undefined;
  armings = 0;
  isHeld = false;

  now(): number {
    return this.time;
  }

  arm(ms: number): void {
    this.armedFor = this.time + ms;
    this.armings++;
  }

  disarm(): void {
    this.armedFor = undefined;
  }

  hold(isHeld: boolean): void {
    this.isHeld = isHeld;
  }

  /** Lets time pass, and turns the wheel whenever it has asked for that. */
  pass(ms: number): void {
    const end = this.time + ms;
    while (this.armedFor !== undefined && this.armedFor <= end) {
      this.time = Math.max(this.time, this.armedFor);
      this.armedFor = undefined;
      this.wheel.turn();
    }
    this.time = end;
  }
}

class Entry implements Waiting {
  readonly holdsProcess: boolean;
  slot: Slot | undefined;
  place: number = 0;
  elapsedAt: number[] = [];
  readonly #world: World;
  readonly #then: () => void;

  constructor(world: World, then: () => void = () => {}, holdsProcess = false) {
    this.#world = world;
    this.#then = then;
    this.holdsProcess = holdsProcess;
  }

  elapsed(): void {
    this.elapsedAt.push(this.#world.time);
    this.#then();
  }
}

describe('a wait', () => {
  it.each([false, true])('that is given up leaves no slot for long, while another goes on: %s', (hasOther) => {
    const world = new World();
    if (hasOther) world.wheel.add(new Entry(world), 1e9);
    let most = 0;
    for (let turn = 0; turn < 1000; turn++) {
      const entry = new Entry(world);
      world.wheel.add(entry, 10_000);
      world.pass(300);
      world.wheel.delete(entry);
      most = Math.max(most, world.wheel.slotCount);
    }
    expect(most).toBeLessThan(100);
    expect([world.wheel.size, world.wheel.slotCount > 0]).toEqual([hasOther ? 1 : 0, hasOther]);
  });

  it('is over once, never too early and at most a thirty-second too late, whatever else waits', () => {
    const delays = fc.array(fc.record({ at: fc.nat(5000), ms: fc.double({ min: 0.5, max: 1e6, noNaN: true }) }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(delays, (all) => {
        const world = new World();
        const begun = all
          .sort((a, b) => a.at - b.at)
          .map(({ at, ms }) => {
            world.pass(at - world.time);
            const entry = new Entry(world);
            world.wheel.add(entry, ms);
            return { entry, begunAt: world.time, ms };
          });
        world.pass(2e6);
        for (const { entry, begunAt, ms } of begun) {
          expect(entry.elapsedAt).toHaveLength(1);
          expect(entry.elapsedAt[0]! - begunAt).toBeGreaterThanOrEqual(ms);
          expect(entry.elapsedAt[0]! - begunAt).toBeLessThanOrEqual(ms + Math.max(1, ms / 32));
        }
        expect([world.wheel.size, world.armedFor]).toEqual([0, undefined]);
      }),
    );
  });

  it('is not over when it is ended, whichever of many that is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.boolean()), { maxLength: 100 }), (all) => {
        const world = new World();
        const entries = all.map(([ms, isEnded]) => {
          const entry = new Entry(world);
          world.wheel.add(entry, ms);
          return { entry, isEnded };
        });
        for (const { entry, isEnded } of entries) if (isEnded) world.wheel.delete(entry);
        expect(world.wheel.size).toBe(entries.filter(({ isEnded }) => !isEnded).length);
        world.pass(1000);
        for (const { entry, isEnded } of entries) expect(entry.elapsedAt).toHaveLength(isEnded ? 0 : 1);
      }),
    );
  });

  it('begins anew where it was begun already', () => {
    const world = new World();
    const entry = new Entry(world);
    world.wheel.add(entry, 10);
    world.pass(8);
    world.wheel.add(entry, 10);
    world.pass(9);
    expect([entry.elapsedAt, world.wheel.size]).toEqual([[], 1]);
    world.pass(1);
    expect(entry.elapsedAt).toEqual([18]);
  });

  it('may be begun by what is told that it is over, and ended twice', () => {
    const world = new World();
    const entry: Entry = new Entry(world, () => entry.elapsedAt.length < 3 && world.wheel.add(entry, 5));
    world.wheel.add(entry, 5);
    world.pass(100);
    expect(entry.elapsedAt).toEqual([5, 10, 15]);
    world.wheel.delete(entry);
    world.wheel.delete(entry);
    expect(world.wheel.size).toBe(0);
  });

  it('that ends another one which is due as well spares that one', () => {
    const world = new World();
    const entries: Entry[] = [];
    for (let index = 0; index < 5; index++) {
      const endAll = (): void => {
        for (const other of entries) world.wheel.delete(other);
      };
      entries.push(new Entry(world, endAll));
      world.wheel.add(entries[index]!, 7);
    }
    world.pass(100);
    expect(entries.flatMap(({ elapsedAt }) => elapsedAt)).toEqual([7]);
  });

  it('that throws takes nothing from the others: they are told at once after it', () => {
    const world = new World();
    const entries = [1, 2, 3, 4].map((ms) => {
      const entry = new Entry(world, () => {
        throw new Error(`no ${ms}`);
      });
      world.wheel.add(entry, Math.ceil(ms / 2));
      return entry;
    });
    for (let turn = 0; turn < 4; turn++) expect(() => world.pass(10)).toThrow(/no \d/);
    world.pass(10);
    expect(entries.every(({ elapsedAt }) => elapsedAt.length === 1)).toBe(true);
    expect([world.wheel.size, world.armedFor]).toEqual([0, undefined]);
  });

  it('is over when the timer that was set for it comes a little early by the clock', () => {
    const world = new World();
    const entry = new Entry(world);
    world.wheel.add(entry, 20);
    world.time = 19.2;
    world.wheel.turn();
    expect(entry.elapsedAt).toEqual([19.2]);
  });
});

describe('the one timer', () => {
  it('is set anew only for what is due earlier than all else, and is gone when nothing waits', () => {
    const world = new World();
    const late = new Entry(world);
    world.wheel.add(late, 30_000);
    for (let count = 0; count < 1000; count++) world.wheel.add(new Entry(world), 30_000 + count);
    expect(world.armings).toBe(1);
    const early = new Entry(world);
    world.wheel.add(early, 10);
    expect([world.armings, world.armedFor]).toEqual([2, 10]);
    world.pass(100_000);
    expect([world.wheel.size, world.armedFor]).toEqual([0, undefined]);
    // One turn for the early one, and a few for a thousand that are due within a second.
    expect(world.armings).toBeLessThan(10);
    world.wheel.add(late, 5);
    world.wheel.delete(late);
    expect(world.armedFor).toBeUndefined();
  });

  it('keeps the process alive while something waits that wants that, and no longer', () => {
    const world = new World();
    const idle = new Entry(world);
    const holders = [new Entry(world, undefined, true), new Entry(world, undefined, true)];
    world.wheel.add(idle, 50);
    expect(world.isHeld).toBe(false);
    for (const holder of holders) world.wheel.add(holder, 10);
    expect(world.isHeld).toBe(true);
    world.wheel.delete(holders[0]!);
    expect(world.isHeld).toBe(true);
    world.pass(20);
    expect([world.isHeld, world.wheel.size]).toEqual([false, 1]);
  });
});

describe('the wheel of this process', () => {
  const run = (script: string): string => {
    const url = new URL('../../../lib/connection/time/wheel-timer.ts', import.meta.url).href;
    const built = url.replace('/lib/', '/dist/').replace(/\.ts$/, '.js');
    const source = `import { WheelTimer } from '${built}'; import { wheel } from '${built.replace('wheel-timer', 'timer-wheel')}';\n${script}`;
    const cwd = fileURLToPath(new URL('../../..', import.meta.url));
    return spawnSync(process.execPath, ['--input-type=module', '-e', source], { cwd, encoding: 'utf8' }).stdout;
  };

  it('lets the process end where only a watch over connections is left', () => {
    const entry = '{ holdsProcess: false, elapsed() { console.log("elapsed"); } }';
    expect(run(`wheel.add(${entry}, 60_000); console.log('end');`)).toBe('end\n');
  });

  it('keeps it alive for a time limit of its own, whichever was there first', () => {
    const idle = 'wheel.add({ holdsProcess: false, elapsed() {} }, 10);';
    const limit = 'new WheelTimer(() => console.log("over")).start(30);';
    expect(run(idle + limit)).toBe('over\n');
    expect(run(limit + idle)).toBe('over\n');
  });
});
