import { describe, expect, it } from 'vitest';
import { LogFollower, PAGE_LENGTH } from '../../../lib/fanout/backplane/log-follower.ts';
import { MemoryLog } from '../../../lib/fanout/backplane/memory-log.ts';

function setUp(history: { maxMessages?: number } = {}) {
  const log = new MemoryLog(history);
  const entered: string[] = [];
  let behind = 0;
  const follower = new LogFollower(log, 'x', {
    entered: ({ bytes }) => entered.push(`${bytes}`),
    behind: () => behind++,
  });
  const append = (text: string) => log.append('x', Buffer.from(text));
  return { log, follower, entered, append, behind: () => behind };
}

const fresh = (): boolean => false;

describe('a follower of a log', () => {
  it('begins at its end, and enters what is told, in order', async () => {
    const { follower, entered, append } = setUp();
    append('before');
    expect(follower.hasBegun).toBe(false);
    await follower.begin();
    await follower.catchUp(fresh);
    for (const text of ['a', 'b']) follower.appended(append(text));
    expect(entered).toEqual(['a', 'b']);
    expect(follower.hasBegun).toBe(true);
  });

  it('reads what came before it was told anything, however much, and enters nothing twice', async () => {
    const { follower, entered, append } = setUp({ maxMessages: 5000 });
    await follower.begin();
    const entries = Array.from({ length: PAGE_LENGTH + 3 }, (_, index) => append(`${index}`));
    await follower.catchUp(fresh);
    for (const entry of entries.slice(-5)) follower.appended(entry);
    expect(entered).toEqual(entries.map((_, index) => `${index}`));
  });

  it('reads again what is told while it reads', async () => {
    const { follower, entered, append } = setUp();
    await follower.begin();
    append('a');
    const caughtUp = follower.catchUp(fresh);
    follower.appended(append('b'));
    await caughtUp;
    follower.appended(append('c'));
    expect(entered).toEqual(['a', 'b', 'c']);
  });

  it('trusts nothing behind a missing link before it has read again', async () => {
    const { follower, entered, append, behind } = setUp();
    await follower.begin();
    await follower.catchUp(fresh);
    append('not told');
    follower.appended(append('a'));
    follower.appended(append('b'));
    expect(behind()).toBe(1);
    expect(entered).toEqual([]);
    await follower.catchUp(fresh);
    follower.appended(append('c'));
    expect(entered).toEqual(['not told', 'a', 'b', 'c']);
  });

  it('goes on behind what is gone', async () => {
    const { follower, entered, append } = setUp({ maxMessages: 2 });
    await follower.begin();
    for (const text of 'abcde') append(text);
    await follower.catchUp(fresh);
    expect(entered).toEqual(['d', 'e']);
  });

  it('stops where somebody else is at it', async () => {
    const { follower, entered, append } = setUp();
    await follower.begin();
    append('a');
    await follower.catchUp(() => true);
    expect(entered).toEqual([]);
  });

  it('enters nothing while it is paused', async () => {
    const { follower, entered, append } = setUp();
    await follower.begin();
    await follower.catchUp(fresh);
    follower.pause();
    follower.appended(append('a'));
    expect(entered).toEqual([]);
  });

  it('tells when it has come to a place, or when it stops', async () => {
    const { follower, append } = setUp();
    await follower.begin();
    await follower.catchUp(fresh);
    const [a, b] = [append('a'), append('b')];
    const story: string[] = [];
    const reached = [a, b].map(({ id }, index) => follower.reach(id).then(() => story.push(`${index}`)));
    follower.appended(a);
    await reached[0];
    expect(story).toEqual(['0']);
    await follower.reach(a.id);
    follower.stop();
    await reached[1];
  });
});
