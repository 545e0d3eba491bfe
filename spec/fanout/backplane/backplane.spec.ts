import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Backplane } from '../../../lib/fanout/backplane/backplane.ts';
import { PreparedFrame } from '../../../lib/fanout/prepared-frame.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { TestHub } from '../../support/test-broker.ts';

const texts = (backplane: Backplane, name = 'x'): { texts: string[]; ready: Promise<void> } => {
  const found: string[] = [];
  const subscription = backplane.subscribe(name, (message) => found.push(message.payloadText()));
  return { texts: found, ready: subscription.ready };
};

const codes = (backplane: Backplane): string[] => {
  const found: string[] = [];
  backplane.on('refused', ({ error, messages }) => found.push(`${error.code} ${messages}`));
  return found;
};

describe('a backplane without a broker', () => {
  it('joins those of one process who share it, at once', async () => {
    const backplane = new Backplane();
    const [x, too, y] = [texts(backplane), texts(backplane), texts(backplane, 'y')];
    const taken = backplane.publish('x', 'a');
    expect([x.texts, too.texts, y.texts]).toEqual([['a'], ['a'], []]);
    expect(await taken).toBe(true);
    await x.ready;
    expect(backplane.isConnected).toBe(true);
    expect(backplane.hasHistory).toBe(false);
    expect(backplane.stats).toMatchObject({ published: 1, refused: 0, isConnected: true, names: 2 });
  });

  it('takes text, bytes and frames, and gives them as frames', async () => {
    const backplane = new Backplane();
    const found: PreparedFrame[] = [];
    backplane.subscribe('x', (message) => found.push(message));
    const prepared = new PreparedFrame('prepared');
    for (const message of ['text', Buffer.from('bytes'), WsFrame.binary(Buffer.from('frame')), prepared]) {
      await backplane.publish('x', message);
    }
    expect(found.map(({ opcode }) => opcode)).toEqual([1, 2, 2, 1]);
    expect(found[3]).toBe(prepared);
  });

  it('gives what a listener publishes to all but that listener', async () => {
    const backplane = new Backplane();
    const other = texts(backplane);
    const own: string[] = [];
    const subscription = backplane.subscribe('x', (message) => own.push(message.payloadText()));
    await subscription.publish('a');
    expect([own, other.texts]).toEqual([[], ['a']]);
  });

  it('with history gives everybody an id, and refuses the history of a broker twice', async () => {
    const backplane = new Backplane({ history: { maxMessages: 2 } });
    expect(backplane.hasHistory).toBe(true);
    const ids: (string | undefined)[] = [];
    await backplane.subscribe('x', (_message, { id }) => ids.push(id)).ready;
    await backplane.publish('x', 'a');
    await backplane.publish('x', 'b');
    expect(new Set(ids).size).toBe(2);
    await backplane.close();
    const { broker } = new TestHub().join();
    expect(() => new Backplane({ broker, history: {} })).toThrow(TypeError);
  });

  it('is over when it is closed', async () => {
    const backplane = new Backplane();
    const x = texts(backplane);
    await backplane.close();
    await backplane[Symbol.asyncDispose]();
    const refused = codes(backplane);
    expect(await backplane.publish('x', 'a')).toBe(false);
    expect(x.texts).toEqual([]);
    expect(refused).toEqual(['WS_ERR_BACKPLANE_CLOSED 1']);
    expect(backplane.isConnected).toBe(false);
    await backplane.subscribe('x', () => {}).ready;
  });
});

describe('a backplane over a broker', () => {
  it('delivers here at once, and elsewhere through the broker', async () => {
    const hub = new TestHub();
    const [one, other] = [hub.join(), hub.join()];
    const [here, there] = [texts(one.backplane), texts(other.backplane)];
    await Promise.all([here.ready, there.ready]);
    const taken = one.backplane.publish('x', 'a');
    expect(here.texts).toEqual(['a']);
    expect(await taken).toBe(true);
    expect([here.texts, there.texts]).toEqual([['a'], ['a']]);
  });

  it('tells when the broker comes and goes, once each', async () => {
    const { backplane, broker } = new TestHub().join();
    const story: string[] = [];
    backplane.on('connected', () => story.push('connected'));
    backplane.on('disconnected', (error) => story.push(`disconnected ${error?.message}`));
    broker.restore();
    broker.cut(new Error('cut'));
    broker.cut(new Error('still'));
    expect(backplane.isConnected).toBe(false);
    broker.restore();
    expect(story).toEqual(['disconnected cut', 'connected']);
    expect(backplane.stats).toMatchObject({ connects: 2, disconnects: 1, isConnected: true });
  });

  it('tells of a broker that was never there', () => {
    const { broker } = new TestHub().join();
    const story: unknown[] = [];
    const backplane = new Backplane({ broker });
    onTestFinished(() => backplane.close());
    backplane.on('disconnected', (error) => story.push(error?.message));
    broker.cut(new Error('nobody there'));
    expect(story).toEqual(['nobody there']);
    expect(backplane.stats.disconnects).toBe(0);
  });

  it('goes on here while the broker is away, and gives it what waits when it is back', async () => {
    const hub = new TestHub();
    const [one, other] = [hub.join(), hub.join()];
    const [here, there] = [texts(one.backplane), texts(other.backplane)];
    await Promise.all([here.ready, there.ready]);
    one.broker.cut();
    const taken = ['a', 'b'].map((text) => one.backplane.publish('x', text));
    expect(here.texts).toEqual(['a', 'b']);
    expect(one.backplane.stats).toMatchObject({ queuedMessages: 2 });
    one.broker.restore();
    expect(await Promise.all(taken)).toEqual([true, true]);
    expect(there.texts).toEqual(['a', 'b']);
    expect(one.backplane.stats).toMatchObject({ queuedMessages: 0, queuedBytes: 0, refused: 0 });
  });

  it('counts what it missed while it was away as soon as its publisher is back, though nothing more comes', async () => {
    const hub = new TestHub();
    const [one, other] = [hub.join(), hub.join()];
    const [here, there] = [texts(one.backplane), texts(other.backplane)];
    await Promise.all([here.ready, there.ready]);
    await one.backplane.publish('x', 'a');
    other.broker.cut();
    await one.backplane.publish('x', 'b');
    await one.backplane.publish('x', 'c');
    other.broker.restore();
    await vi.waitFor(() => expect(other.broker.subscribed.has('x')).toBe(true));
    expect(other.backplane.stats.lost).toBe(0);
    one.broker.cut();
    one.broker.restore();
    await vi.waitFor(() => expect(other.backplane.stats.lost).toBe(2));
    await one.backplane.publish('x', 'd');
    expect(there.texts).toEqual(['a', 'd']);
    expect(other.backplane.stats.lost).toBe(2);
  });

  it("with 'reject' refuses what is published while the broker is away, and what was under way", async () => {
    const hub = new TestHub();
    const { backplane, broker } = hub.join({ whileAway: 'reject' });
    const here = texts(backplane);
    await here.ready;
    const refused = codes(backplane);
    broker.onPublish = () => new Promise(() => {});
    const underWay = [backplane.publish('x', 'a'), backplane.publish('x', 'b')];
    broker.cut();
    expect(await Promise.all(underWay)).toEqual([false, false]);
    expect(await backplane.publish('x', 'c')).toBe(false);
    expect(here.texts).toEqual(['a', 'b', 'c']);
    expect(refused).toEqual(['WS_ERR_BACKPLANE_AWAY 2', 'WS_ERR_BACKPLANE_AWAY 1']);
    broker.onPublish = undefined;
    broker.restore();
    expect(await backplane.publish('x', 'd')).toBe(true);
    expect(backplane.stats).toMatchObject({ published: 4, refused: 3 });
    await vi.waitFor(() => expect(backplane.stats).toMatchObject({ queuedMessages: 0, queuedBytes: 0 }));
  });

  it('refuses what would be more than the bound, and what is too large', async () => {
    const hub = new TestHub();
    const { backplane, broker } = hub.join({ maxQueuedBytes: 1000, maxMessageBytes: 500 });
    const refused = codes(backplane);
    broker.cut();
    const taken = ['a', 'b', 'c', 'd'].map((text) => backplane.publish('x', text));
    expect(await backplane.publish('x', 'e'.repeat(501))).toBe(false);
    broker.maxMessageBytes = 100;
    expect(await backplane.publish('x', 'e'.repeat(90))).toBe(false);
    expect(await taken[3]).toBe(false);
    expect(refused).toEqual([
      'WS_ERR_BACKPLANE_FULL 1',
      'WS_ERR_BACKPLANE_TOO_LARGE 1',
      'WS_ERR_BACKPLANE_TOO_LARGE 1',
    ]);
    expect(backplane.stats.queuedBytes).toBeLessThanOrEqual(1000);
    broker.restore();
    expect(await Promise.all(taken.slice(0, 3))).toEqual([true, true, true]);
  });

  it('holds streams back while much waits for the broker, but not for one that is away', async () => {
    const { backplane, broker } = new TestHub().join({ maxQueuedBytes: 1000 });
    expect(backplane.room()).toBeUndefined();
    const answers: ((isTaken: boolean) => void)[] = [];
    broker.onPublish = () => new Promise((resolve) => answers.push(resolve));
    void backplane.publish('x', 'a');
    void backplane.publish('x', 'b');
    const room = backplane.room();
    expect(room).toBeInstanceOf(Promise);
    answers[0]!(true);
    await room;
    void backplane.publish('x', 'c');
    void backplane.publish('x', 'd');
    const again = backplane.room();
    broker.cut();
    await again;
    expect(backplane.room()).toBeUndefined();
  });

  it('tells where it may not subscribe, and tries again', async () => {
    const { backplane, broker } = new TestHub().join();
    const failures: unknown[] = [];
    backplane.on('subscribeFailed', ({ name, error }) => failures.push([name, error.code, error.cause]));
    broker.onSubscribe = async () => {
      broker.onSubscribe = undefined;
      throw new Error('not you');
    };
    await texts(backplane).ready;
    expect(failures).toEqual([['x', 'WS_ERR_BACKPLANE_REFUSED', new Error('not you')]]);
  });

  it('remembers names that nobody listens to, but not for ever', async () => {
    const { backplane } = new TestHub().join();
    const kept = texts(backplane, 'kept');
    await kept.ready;
    for (let i = 0; i < 1100; i++) await backplane.publish(`room ${i}`, 'a');
    expect(backplane.stats.names).toBe(1001);
    await backplane.publish('room 1099', 'b');
    expect(backplane.stats.names).toBe(1001);
  });

  it('gives the broker what waits before it is closed, but not for ever', async () => {
    const hub = new TestHub();
    const first = hub.join();
    const taken = first.backplane.publish('x', 'a');
    await first.backplane.close();
    expect(await taken).toBe(true);

    const second = hub.join();
    second.broker.onPublish = () => new Promise(() => {});
    const never = second.backplane.publish('x', 'b');
    await second.backplane.close({ deadlineMs: 5 });
    expect(await never).toBe(false);
    expect(second.broker.story).toContain('close');

    const third = hub.join();
    third.broker.onPublish = () => new Promise(() => {});
    const cut = third.backplane.publish('x', 'c');
    const closed = third.backplane.close();
    third.broker.cut();
    await closed;
    expect(await cut).toBe(false);
  });
});

it.each([
  ['', 'a'],
  ['x', 7],
  ['x', WsFrame.ping()],
])('rejects the mistakes of the caller: %j, %j', async (name, message) => {
  await expect(new Backplane().publish(name, message as string)).rejects.toThrow(TypeError);
});

it('throws for a listener or a deadline that is none', () => {
  const backplane = new Backplane();
  expect(() => backplane.subscribe('x', 7 as unknown as () => void)).toThrow(TypeError);
  expect(() => backplane.subscribe('', () => {})).toThrow(TypeError);
  expect(() => backplane.close({ deadlineMs: -1 })).toThrow(RangeError);
});
