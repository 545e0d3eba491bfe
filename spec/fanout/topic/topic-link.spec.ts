import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Backplane } from '../../../lib/fanout/backplane/backplane.ts';
import { Topic } from '../../../lib/fanout/topic/topic.ts';
import type { TopicOptions } from '../../../lib/fanout/topic/topic-options.ts';
import { type IdleLink, idleLink } from '../../support/links.ts';
import { TestHub } from '../../support/test-broker.ts';

function topicOn(backplane: Backplane, options: TopicOptions = {}): Topic {
  const topic = new Topic({ name: 'x', backplane, ...options });
  onTestFinished(() => void topic.destroy());
  return topic;
}

function member(topic: Topic, options?: Parameters<Topic['add']>[1]): IdleLink {
  const link = idleLink();
  topic.add(link.ours, options);
  return link;
}

/** A topic whose members see the id of each message. */
const withIds: TopicOptions = { format: (message, { id }) => `${id} ${message.payloadText()}` };
const idOf = (text: string): string => text.split(' ')[0]!;
const bodies = (texts: readonly string[]): string[] => texts.map((text) => text.split(' ')[1]!);

describe('topics on a backplane', () => {
  it('of one name are one, in a process and over a broker', async () => {
    const hub = new TestHub();
    const [one, other] = [hub.join().backplane, hub.join().backplane];
    const topics = [topicOn(one), topicOn(one), topicOn(other), topicOn(other, { name: 'y' })];
    const members = topics.map((topic) => member(topic));
    await vi.waitFor(() => expect(hub.brokers.every(({ subscribed }) => subscribed.has('x'))).toBe(true));
    expect(await topics[0]!.publish('a')).toBe(1);
    topics[2]!.write('b');
    for (const link of members.slice(0, 3)) expect(await link.texts(2)).toEqual(['a', 'b']);
    await topics[3]!.publish('c');
    expect(await members[3]!.texts(1)).toEqual(['c']);
  });

  it('pass on neither what is for some only, nor who they are: except and filter are for the members here', async () => {
    const backplane = new Backplane();
    const [topic, twin] = [topicOn(backplane), topicOn(backplane)];
    const [left, got, there] = [member(topic), member(topic), member(twin)];
    expect(await topic.publish('a', { except: left.ours })).toBe(1);
    await topic.publish('b');
    expect(await got.texts(2)).toEqual(['a', 'b']);
    expect(await there.texts(2)).toEqual(['a', 'b']);
    expect(await left.texts(1)).toEqual(['b']);
  });

  it('send what format makes of a message, made once for all members', async () => {
    const backplane = new Backplane();
    const format = vi.fn((message, { id, isLocal }) => `${id} ${isLocal} ${message.payloadText()}`);
    const topic = topicOn(backplane, { format });
    const members = [member(topic), member(topic)];
    await topic.publish('a');
    await backplane.publish('x', 'b');
    for (const link of members) expect(await link.texts(2)).toEqual(['undefined true a', 'undefined true b']);
    expect(format).toHaveBeenCalledTimes(2);
  });

  it('let go of the backplane when they end', async () => {
    const { backplane, broker } = new TestHub().join();
    const [ended, destroyed] = [topicOn(backplane), topicOn(backplane)];
    await vi.waitFor(() => expect(broker.subscribed.has('x')).toBe(true));
    ended.end();
    destroyed.destroy();
    await vi.waitFor(() => expect(broker.subscribed.has('x')).toBe(false));
  });

  it('hold a stream back while much waits for the broker', async () => {
    const { backplane, broker } = new TestHub().join({ maxQueuedBytes: 1000 });
    const topic = topicOn(backplane);
    const answers: ((isTaken: boolean) => void)[] = [];
    broker.onPublish = () => new Promise((resolve) => answers.push(resolve));
    let written = 0;
    for (const text of 'abc') topic.write(text, () => written++);
    await new Promise(setImmediate);
    const before = written;
    expect(before).toBeLessThan(3);
    answers[0]!(true);
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    answers[1]!(true);
    await vi.waitFor(() => expect(written).toBe(3));
  });

  it.each([
    [{ backplane: {} }],
    [{ backplane: new Backplane(), format: 'json' }],
    [{ format: () => '' }],
    [{ backplane: new Backplane(), name: '' }],
  ])('refuse %o', (options) => {
    expect(() => new Topic({ name: 'x', ...(options as TopicOptions) })).toThrow(TypeError);
  });
});

describe('topics with history', () => {
  const create = async (history = {}): Promise<Topic> => {
    const backplane = new Backplane({ history });
    onTestFinished(() => backplane.close());
    return topicOn(backplane, withIds);
  };

  it('give everything through the log, with its id', async () => {
    const topic = await create();
    const link = member(topic);
    expect(await topic.publish('a')).toBe(1);
    topic.write('b');
    const texts = await link.texts(2);
    expect(bodies(texts)).toEqual(['a', 'b']);
    expect(new Set(texts.map(idOf)).size).toBe(2);
    expect(texts.map(idOf)).not.toContain('undefined');
  });

  it('give a member what came behind the id that it saw, and then what comes', async () => {
    const topic = await create();
    const first = member(topic);
    await topic.publish('a');
    await topic.publish('b');
    const [, seen = ''] = await first.texts(2);
    topic.delete(first.ours);
    for (const text of 'cde') await topic.publish(text);
    const onGap = vi.fn();
    const again = member(topic, { after: idOf(seen), onGap });
    for (const text of 'fg') await topic.publish(text);
    expect(bodies(await again.texts(5))).toEqual(['c', 'd', 'e', 'f', 'g']);
    expect(onGap).not.toHaveBeenCalled();
  });

  it('give a newcomer the last few', async () => {
    const topic = await create();
    for (const text of 'abcd') await topic.publish(text);
    const link = member(topic, { last: 2 });
    expect(bodies(await link.texts(2))).toEqual(['c', 'd']);
    await topic.publish('e');
    expect(bodies(await link.texts(1))).toEqual(['e']);
  });

  it('tell a member whose last message is too old, or is none, before they send what there is', async () => {
    const topic = await create({ maxMessages: 3 });
    const first = member(topic);
    await topic.publish('a');
    const [seen = ''] = await first.texts(1);
    topic.delete(first.ours);
    for (const text of 'bcdefg') await topic.publish(text);
    for (const after of [idOf(seen), '<script>']) {
      const link = idleLink();
      topic.add(link.ours, { after, last: 2, onGap: () => void link.ours.sendText('- gap') });
      expect(bodies(await link.texts(3))).toEqual(['gap', 'f', 'g']);
    }
  });

  it('give a slow member no more than it takes, whatever its policy', async () => {
    const topic = await create();
    const text = 'x'.repeat(1000);
    for (let i = 0; i < 40; i++) await topic.publish(text);
    const link = member(topic, { last: 40, slow: 'close', maxQueuedBytes: 2000 });
    await new Promise(setImmediate);
    expect([...topic.members][0]?.queuedMessages).toBeLessThan(2);
    expect(await link.texts(40)).toHaveLength(40);
    expect(topic.stats).toMatchObject({ closed: 0, dropped: 0, members: 1 });
  });

  it('let a latecomer go while it is still being given what it missed', async () => {
    const topic = await create();
    for (let i = 0; i < 5; i++) await topic.publish('x'.repeat(3000));
    const link = member(topic, { last: 5 });
    await new Promise(setImmediate);
    link.ours.forceClose();
    await vi.waitFor(() => expect(topic.size).toBe(0));
  });

  it('go on where the log could not be read for a while', async () => {
    const hub = new TestHub({});
    const { backplane, broker } = hub.join();
    const topic = topicOn(backplane, withIds);
    for (const text of 'abc') await topic.publish(text);
    broker.cut();
    const link = member(topic, { last: 2 });
    await new Promise(setImmediate);
    broker.restore();
    expect(bodies(await link.texts(2))).toEqual(['b', 'c']);
    await topic.publish('d');
    expect(bodies(await link.texts(1))).toEqual(['d']);
  });

  it('join a latecomer with a gap where the log cannot be read at all', async () => {
    const hub = new TestHub({});
    const { backplane, broker } = hub.join();
    const topic = topicOn(backplane, withIds);
    await topic.publish('a');
    vi.spyOn(hub.log!, 'placeBefore').mockRejectedValue(new Error('broken'));
    const onGap = vi.fn();
    const link = member(topic, { last: 2, onGap });
    await vi.waitFor(() => expect(onGap).toHaveBeenCalledTimes(1));
    await vi.waitFor(() => expect(broker.subscribed.has('x')).toBe(true));
    await topic.publish('b');
    expect(bodies(await link.texts(1))).toEqual(['b']);
  });

  it('end when members have been given all that was published', async () => {
    const topic = await create();
    const link = member(topic);
    for (const text of 'abc') topic.write(text);
    topic.end('d');
    expect(bodies(await link.texts(4))).toEqual(['a', 'b', 'c', 'd']);
    await vi.waitFor(() => expect(topic.destroyed).toBe(true));
    expect(topic.size).toBe(0);
  });

  it('end though the log cannot be read any more', async () => {
    const hub = new TestHub({});
    const { backplane } = hub.join();
    const topic = topicOn(backplane);
    member(topic);
    await topic.publish('a');
    vi.spyOn(hub.log!, 'newest').mockRejectedValue(new Error('broken'));
    topic.end();
    await vi.waitFor(() => expect(topic.destroyed).toBe(true));
  });

  it('cannot keep from anybody what everybody may ask for later', async () => {
    const topic = await create();
    const link = member(topic);
    await expect(topic.publish('a', { except: link.ours })).rejects.toThrow(TypeError);
    await expect(topic.publish('a', { filter: () => true })).rejects.toThrow(TypeError);
  });

  it.each([{ after: 7 }, { last: '7' }, { after: '1', onGap: 7 }])('refuse to add with %o', async (options) => {
    const topic = await create();
    expect(() => topic.add(idleLink().ours, options as object)).toThrow(TypeError);
    expect(() => new Topic().add(idleLink().ours, { last: 1 })).toThrow(TypeError);
  });
});
