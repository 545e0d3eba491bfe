import { describe, expect, it } from 'vitest';
import type { BrokerLog, LogEntry } from '../../../lib/fanout/backplane/broker.ts';
import { LogFollower, PAGE_LENGTH } from '../../../lib/fanout/backplane/log-follower.ts';
import { type Latecomer, LogReplay, type ReplayOptions } from '../../../lib/fanout/backplane/log-replay.ts';
import { MemoryLog } from '../../../lib/fanout/backplane/memory-log.ts';

/** A follower of a log, and latecomers who get what it enters when they have joined. */
async function setUp(maxMessages = 100_000) {
  const log = new MemoryLog({ maxMessages });
  const joined: ((text: string) => void)[] = [];
  const enter = ({ bytes }: LogEntry): void => {
    for (const give of joined) give(`${bytes}`);
  };
  const follower = new LogFollower(log, 'x', { entered: enter, behind: () => {} });
  await follower.begin();
  await follower.catchUp(() => false);
  const state = { number: 0 };
  /** Appends, and tells the follower, now or later. */
  const publish = (count: number): LogEntry[] =>
    Array.from({ length: count }, () => log.append('x', Buffer.from(`${state.number++}`)));
  const tell = (entries: readonly LogEntry[]): void => {
    for (const entry of entries) follower.appended(entry);
  };
  const create = (
    from: ReplayOptions,
    over: (got: string[]) => Partial<Latecomer> = () => ({}),
    source: BrokerLog = log,
  ) => {
    const got: string[] = [];
    const latecomer: Latecomer = {
      ...{ hasLeft: false, hasRoom: true, room: async () => {} },
      missed: () => got.push('gap'),
      give: ({ bytes }) => got.push(`${bytes}`),
      join: () => joined.push((text) => got.push(text)),
    };
    Object.defineProperties(latecomer, Object.getOwnPropertyDescriptors(over(got)));
    return { got, latecomer, replay: new LogReplay(source, 'x', from, latecomer) };
  };
  return { log, follower, publish, tell, create };
}

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `${from + i}`);

describe('a replay', () => {
  it('gives all behind a place, and then what comes', async () => {
    const { follower, publish, tell, create } = await setUp();
    const entries = publish(5);
    tell(entries);
    const { got, replay } = create({ after: entries[1]!.id });
    await replay.run(follower);
    tell(publish(2));
    expect(got).toEqual(numbers(2, 7));
  });

  it.each([
    [{ last: 2 }, numbers(3, 5)],
    [{ last: 0 }, []],
    [{ last: 99 }, numbers(0, 5)],
    [{}, numbers(0, 5)],
  ])('gives %o of five', async (from, expected) => {
    const { follower, publish, tell, create } = await setUp();
    tell(publish(5));
    const { got, replay } = create(from);
    await replay.run(follower);
    expect(got).toEqual(expected);
  });

  it('leaves nothing out and gives nothing twice while more and more is published', async () => {
    const { follower, publish, tell, create, log } = await setUp();
    tell(publish(PAGE_LENGTH * 2));
    let reads = 0;
    const busy: BrokerLog = {
      newest: (channel) => log.newest(channel),
      placeBefore: (channel, messages) => log.placeBefore(channel, messages),
      compare: (one, other) => log.compare(one, other),
      read: async (channel, after, limit) => {
        reads++;
        // At first the others are always a little ahead of what was read; in the end they are behind it.
        const untold = reads < 8 ? [] : publish(2);
        const page = await log.read(channel, after, limit);
        if (reads < 8) tell(publish(3));
        setImmediate(() => tell(untold));
        return page;
      },
    };
    const { got, replay } = create({}, undefined, busy);
    await replay.run(follower);
    await new Promise(setImmediate);
    tell(publish(3));
    expect(reads).toBe(8);
    expect(got).toEqual(numbers(0, got.length));
    expect(got.length).toBeGreaterThan(PAGE_LENGTH * 2 + 10);
  });

  it('stops at the place of the others: what is behind it comes with them', async () => {
    const { follower, publish, tell, create } = await setUp();
    tell(publish(2));
    const untold = publish(2);
    const { got, replay } = create({});
    await replay.run(follower);
    expect(got).toEqual(numbers(0, 2));
    tell(untold);
    expect(got).toEqual(numbers(0, 4));
  });

  it('waits for the others where it has been ahead of them', async () => {
    const { follower, publish, tell, create } = await setUp();
    const entries = publish(4);
    tell(entries.slice(0, 1));
    const { got, replay } = create({ after: entries[2]!.id });
    const done = replay.run(follower);
    await new Promise(setImmediate);
    tell(entries.slice(1));
    await done;
    tell(publish(1));
    expect(got).toEqual(['3', '4']);
  });

  it('tells of a gap, and gives the newest behind it', async () => {
    const { follower, publish, tell, create } = await setUp(3);
    const entries = publish(8);
    tell(entries);
    for (const after of [entries[0]!.id, 'nonsense']) {
      const { got, replay } = create({ after, last: 2 });
      await replay.run(follower);
      expect(got).toEqual(['gap', '6', '7']);
    }
  });

  it('gives no more than there is room for', async () => {
    const { follower, publish, tell, create } = await setUp();
    tell(publish(10));
    const state = { taken: 0, waits: 0 };
    const { got, replay } = create({}, (got) => ({
      get hasRoom() {
        return got.length - state.taken < 3;
      },
      room: async () => {
        state.waits++;
        state.taken = got.length;
      },
    }));
    await replay.run(follower);
    expect(got).toEqual(numbers(0, 10));
    expect(state.waits).toBe(3);
  });

  it('ends where nobody is there to be given anything', async () => {
    const { follower, publish, tell, create } = await setUp();
    tell(publish(10));
    const { got, replay } = create({}, (got) => ({
      get hasLeft() {
        return got.length === 4;
      },
    }));
    await replay.run(follower);
    tell(publish(1));
    expect(got).toEqual(numbers(0, 4));
  });

  it('rejects where the log cannot be read, and goes on from there when it can', async () => {
    const { follower, publish, tell, create, log } = await setUp();
    tell(publish(PAGE_LENGTH + 10));
    let reads = 0;
    const broken = Object.assign(Object.create(log) as BrokerLog, {
      newest: (channel: string) => log.newest(channel),
      placeBefore: (channel: string, messages: number) => log.placeBefore(channel, messages),
      compare: (one: string, other: string) => log.compare(one, other),
      read: async (...args: Parameters<BrokerLog['read']>) => {
        if (++reads === 2) throw new Error('away');
        return log.read(...args);
      },
    });
    const { got, replay } = create({}, undefined, broken);
    await expect(replay.run(follower)).rejects.toThrow('away');
    await replay.run(follower);
    expect(got).toEqual(numbers(0, PAGE_LENGTH + 10));
  });
});
