import { describe, expect, it, vi } from 'vitest';
import { unwatchDeparture, watchDeparture } from '../../../lib/fanout/topic/departures.ts';
import { idleLink } from '../../support/links.ts';

describe('watchDeparture', () => {
  it('tells all who watch that the connection is over, and those who do not any more nothing', async () => {
    const { ours } = idleLink();
    const watchers = [0, 1, 2].map(() => ({ connectionOver: vi.fn() }));
    for (const watcher of watchers) watchDeparture(ours, watcher);
    unwatchDeparture(ours, watchers[1]!);
    ours.forceClose();
    await ours.closeInfo;
    expect(watchers.map(({ connectionOver }) => connectionOver.mock.calls.length)).toEqual([1, 0, 1]);
  });

  it('leaves no listener on the connection, and asks for its end once, however often', () => {
    const { ours } = idleLink();
    const before = ours.eventNames().map((name) => [name, ours.listenerCount(name)]);
    const asked = vi.spyOn(ours, 'closeInfo', 'get');
    for (let turn = 0; turn < 1000; turn++) {
      const watcher = { connectionOver: () => {} };
      watchDeparture(ours, watcher);
      if (turn % 2 === 0) unwatchDeparture(ours, watcher);
    }
    expect(asked).toHaveBeenCalledOnce();
    expect(ours.eventNames().map((name) => [name, ours.listenerCount(name)])).toEqual(before);
  });

  it('has nothing to take back where nobody watches', () => {
    expect(() => unwatchDeparture(idleLink().ours, { connectionOver: () => {} })).not.toThrow();
  });
});
