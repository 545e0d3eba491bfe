import { describe, expect, it, vi } from 'vitest';
import type { BackplaneListener } from '../../../lib/fanout/backplane/channel.ts';
import { encodeEnvelope } from '../../../lib/fanout/backplane/envelope.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { TestHub } from '../../support/test-broker.ts';

const publisher = Buffer.from('0123456789abcdef', 'hex');
const envelope = (n: number): Buffer => encodeEnvelope(publisher, n, WsFrame.text(`${n}`));

/** Notes the texts that come. */
function listen(): { texts: string[]; listener: BackplaneListener } {
  const texts: string[] = [];
  return { texts, listener: (message) => texts.push(message.payloadText()) };
}

describe('a name on a backplane', () => {
  it('is subscribed to once for all who listen in this process, and until the last one has gone', async () => {
    const { backplane, broker } = new TestHub().join();
    const [one, other] = [backplane.subscribe('x', () => {}), backplane.subscribe('x', () => {})];
    await Promise.all([one.ready, other.ready]);
    one.unsubscribe();
    await vi.waitFor(() => expect(backplane.stats.queuedMessages).toBe(0));
    expect(broker.story.filter((line) => line.includes('subscribe'))).toEqual(['subscribe x']);
    other[Symbol.dispose]();
    await vi.waitFor(() => expect(broker.story).toContain('unsubscribe x'));
  });

  it('delivers what others publish, in order and once, and counts what comes again', async () => {
    const hub = new TestHub();
    const { backplane } = hub.join();
    const { texts, listener } = listen();
    await backplane.subscribe('x', listener).ready;
    for (const n of [1, 2, 2, 1, 3]) hub.send('x', envelope(n));
    expect(texts).toEqual(['1', '2', '3']);
    expect(backplane.stats).toMatchObject({ received: 3, duplicates: 2, lost: 0 });
  });

  it('counts what is missing, and tells whose it is', async () => {
    const hub = new TestHub();
    const { backplane } = hub.join();
    const losses: unknown[] = [];
    backplane.on('lost', (loss) => losses.push(loss));
    const { texts, listener } = listen();
    await backplane.subscribe('x', listener).ready;
    for (const n of [4, 5, 9, 6]) hub.send('x', envelope(n));
    expect(texts).toEqual(['4', '5', '9']);
    expect(losses).toEqual([{ name: 'x', publisher: '0123456789abcdef', messages: 3 }]);
    expect(backplane.stats).toMatchObject({ received: 3, duplicates: 1, lost: 3 });
  });

  it('ignores what is none of ours, and tells of it', async () => {
    const hub = new TestHub();
    const { backplane, broker } = hub.join({ maxMessageBytes: 10 });
    const told: unknown[] = [];
    backplane.on('malformed', (what) => told.push(what));
    const { texts, listener } = listen();
    await backplane.subscribe('x', listener).ready;
    hub.send('x', Buffer.from('hello'));
    hub.send('x', encodeEnvelope(publisher, 1, WsFrame.text('more than ten')));
    broker.handlers?.malformed('x', 'what the adapter says');
    hub.send('x', envelope(2));
    expect(texts).toEqual(['2']);
    expect(told).toEqual([
      { name: 'x', reason: '5 bytes are too few' },
      { name: 'x', reason: '29 bytes are too many' },
      { name: 'x', reason: 'what the adapter says' },
    ]);
    expect(backplane.stats.malformed).toBe(3);
  });

  it('does not hear what comes for a name that nobody listens to', async () => {
    const { backplane, broker } = new TestHub().join();
    await backplane.publish('x', 'known');
    broker.handlers?.message('x', envelope(1));
    broker.handlers?.message('never heard of', envelope(1));
    expect(backplane.stats).toMatchObject({ received: 0, names: 1 });
  });

  it('does not miss what was published while nobody listened', async () => {
    const hub = new TestHub();
    const { backplane } = hub.join();
    const { texts, listener } = listen();
    const first = backplane.subscribe('x', listener);
    await first.ready;
    hub.send('x', envelope(1));
    first.unsubscribe();
    await vi.waitFor(() => expect(hub.brokers[0]!.subscribed.size).toBe(0));
    hub.send('x', envelope(2));
    await backplane.subscribe('x', listener).ready;
    hub.send('x', envelope(3));
    expect(texts).toEqual(['1', '3']);
    expect(backplane.stats.lost).toBe(0);
  });

  it('delivers what a listener answers behind what it answers, to everybody', async () => {
    const hub = new TestHub();
    const [one, other] = [hub.join(), hub.join()];
    const [here, there] = [listen(), listen()];
    one.backplane.subscribe('x', (message) => {
      if (message.payloadText() === 'question') void one.backplane.publish('x', 'answer');
    });
    one.backplane.subscribe('x', here.listener);
    await other.backplane.subscribe('x', there.listener).ready;
    await one.backplane.publish('x', 'question');
    await vi.waitFor(() => expect(there.texts).toHaveLength(2));
    expect([here.texts, there.texts]).toEqual([
      ['question', 'answer'],
      ['question', 'answer'],
    ]);
  });

  it('keeps a listener that throws from nobody else', async () => {
    const { backplane } = new TestHub().join();
    const { texts, listener } = listen();
    backplane.subscribe('x', () => {
      throw new Error("the application's");
    });
    backplane.subscribe('x', listener);
    const nextTick = vi.spyOn(process, 'nextTick').mockImplementationOnce(() => {});
    const taken = backplane.publish('x', 'a');
    expect(nextTick.mock.calls[0]?.[0]).toThrow("the application's");
    nextTick.mockRestore();
    expect(await taken).toBe(true);
    expect(texts).toEqual(['a']);
  });
});

describe('a name with a log', () => {
  it('gives everybody the same in the same order, with its id, also who has published it', async () => {
    const hub = new TestHub({});
    const seen: string[][] = [];
    const processes = [hub.join(), hub.join(), hub.join()].map(({ backplane }, index) => {
      const lines: string[] = [];
      seen.push(lines);
      const own = `${index}`;
      return backplane.subscribe('x', (message, { id, isLocal }) => {
        expect(isLocal).toBe(message.payloadText().startsWith(own));
        lines.push(`${id} ${message.payloadText()}`);
      });
    });
    await Promise.all(processes.map(({ ready }) => ready));
    await Promise.all(processes.map(({ publish }, index) => publish(`${index}a`)));
    await Promise.all(processes.map(({ publish }, index) => publish(`${index}b`)));
    expect(seen[0]).toHaveLength(6);
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  });

  it('misses nothing while the broker is away, and nothing that was not told', async () => {
    const hub = new TestHub({});
    const [one, other] = [hub.join(), hub.join()];
    const { texts, listener } = listen();
    await one.backplane.subscribe('x', listener).ready;
    await other.backplane.publish('x', 'a');
    one.broker.cut();
    await other.backplane.publish('x', 'b');
    one.broker.restore();
    await vi.waitFor(() => expect(texts).toEqual(['a', 'b']));
    one.broker.isDeaf = true;
    await other.backplane.publish('x', 'c');
    one.broker.isDeaf = false;
    await other.backplane.publish('x', 'd');
    await vi.waitFor(() => expect(texts).toEqual(['a', 'b', 'c', 'd']));
    expect(one.backplane.stats).toMatchObject({ lost: 0, duplicates: 0, received: 4 });
  });

  it('counts what the log had let go of before it could be read', async () => {
    const hub = new TestHub({ maxMessages: 2 });
    const [one, other] = [hub.join(), hub.join()];
    const { texts, listener } = listen();
    await one.backplane.subscribe('x', listener).ready;
    await other.backplane.publish('x', 'a');
    one.broker.cut();
    for (const text of 'bcdef') await other.backplane.publish('x', text);
    one.broker.restore();
    await vi.waitFor(() => expect(texts).toEqual(['a', 'e', 'f']));
    expect(one.backplane.stats.lost).toBe(3);
  });

  it('gives again what was under way when the broker went, and it is there once', async () => {
    const hub = new TestHub({});
    const { backplane, broker } = hub.join();
    const { texts, listener } = listen();
    await backplane.subscribe('x', listener).ready;
    broker.onPublish = (_batch, publish) => {
      // It has been appended, and nobody will know.
      publish();
      broker.onPublish = undefined;
      broker.cut();
      return new Promise(() => {});
    };
    const taken = backplane.publish('x', 'a');
    await new Promise(setImmediate);
    broker.restore();
    expect(await taken).toBe(true);
    await vi.waitFor(() => expect(texts).toEqual(['a']));
    expect((await hub.log!.read('x', undefined, 10)).entries).toHaveLength(1);
  });
});
