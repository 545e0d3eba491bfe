import { once } from 'node:events';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { PreparedFrame } from '../../../lib/fanout/prepared-frame.ts';
import { Topic } from '../../../lib/fanout/topic/topic.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import { turns } from '../../support/endpoints.ts';
import { type IdleLink, idleLink } from '../../support/links.ts';

const KIB = 1024;

/** A topic with members who have room. */
function topicOf(count: number, topic: Topic = new Topic()): { topic: Topic; links: IdleLink[] } {
  const links = Array.from({ length: count }, () => idleLink());
  for (const { ours } of links) topic.add(ours);
  return { topic, links };
}

/** Adds a member who has none. */
function addStalled(topic: Topic): IdleLink {
  const link = idleLink();
  link.stall();
  topic.add(link.ours);
  return link;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `${index}`);

describe('Topic', () => {
  it('publishes text, bytes and frames to all members, in order, and tells how many', async () => {
    const { topic, links } = topicOf(3);
    const messages = ['text', Buffer.from('bytes'), WsFrame.text('frame'), new PreparedFrame('prepared')];
    for (const message of messages) expect(await topic.publish(message)).toBe(3);
    for (const { startReading } of links) {
      const peer = startReading();
      for (const payload of ['text', 'bytes', 'frame', 'prepared']) {
        expect((await peer.recvFrame())?.payloadText()).toBe(payload);
      }
    }
    expect(topic.stats).toMatchObject({ members: 3, published: 4, delivered: 12, dropped: 0, queuedBytes: 0 });
  });

  it('is a set of its members', () => {
    const { topic, links } = topicOf(2);
    const [one, other] = links.map(({ ours }) => ours);
    const member = topic.add(one!);
    expect(topic.add(one!)).toBe(member);
    expect([topic.size, topic.has(one!), topic.has(idleLink().ours)]).toEqual([2, true, false]);
    expect([...topic.members].map(({ connection }) => connection)).toEqual([one, other]);
    expect([topic.delete(one!), topic.delete(one!), member.leave()]).toEqual([true, false, false]);
    expect([topic.size, topic.has(one!), member.hasLeft, one!.isOpen()]).toEqual([1, false, true, true]);
  });

  it('leaves out whom it is told to, and whom the filter does not pick', async () => {
    const { topic, links } = topicOf(4);
    const [a, b, c, d] = links.map(({ ours }) => ours);
    expect(await topic.publish('not a', { except: a })).toBe(3);
    expect(await topic.publish('only d', { except: new Set([a!, b!]), filter: (conn) => conn !== c })).toBe(1);
    expect(await topic.publish('end')).toBe(4);
    expect(await links[0]!.texts(1)).toEqual(['end']);
    expect(await links[1]!.texts(2)).toEqual(['not a', 'end']);
    expect(await links[3]!.texts(3)).toEqual(['not a', 'only d', 'end']);
    expect(d!.isOpen()).toBe(true);
  });

  it('publishes nothing where the caller is wrong', async () => {
    const { topic } = topicOf(1);
    const fail = (): boolean => {
      throw new Error('no idea');
    };
    await expect(topic.publish('x', { filter: fail })).rejects.toThrow('no idea');
    await expect(topic.publish('x', { filter: true as never })).rejects.toThrow(TypeError);
    await expect(topic.publish('x', { except: 5 as never })).rejects.toThrow(TypeError);
    await expect(topic.publish('x', { compress: 1 as never })).rejects.toThrow(TypeError);
    await expect(topic.publish(5 as never)).rejects.toThrow(TypeError);
    await expect(topic.publish(WsFrame.ping())).rejects.toThrow(TypeError);
    await expect(topic.publish(new WsFrame(1, Buffer.of(65), { isFinal: false }))).rejects.toThrow(TypeError);
    expect(() => topic.add({} as never)).toThrow(TypeError);
    expect(() => topic.add(idleLink().ours, { slow: 'maybe' as never })).toThrow(TypeError);
    expect(() => new Topic({ maxQueuedMessages: -1 })).toThrow(RangeError);
    expect(topic.stats).toMatchObject({ published: 0, members: 1 });
  });

  it('sends the others at once while one is slow, and the slow one in order when it reads', async () => {
    const { topic, links } = topicOf(1);
    const slow = addStalled(topic);
    for (const text of numbers(50)) expect(await topic.publish(text)).toBe(2);
    expect(await links[0]!.texts(50)).toEqual(numbers(50));
    // One is with its connection, which has no room behind it.
    expect(topic.stats).toMatchObject({ published: 50, delivered: 50, queuedMessages: 49 });
    expect(await slow.texts(50)).toEqual(numbers(50));
    await turns();
    expect(topic.stats).toMatchObject({ delivered: 100, dropped: 0, queuedMessages: 0, queuedBytes: 0 });
  });

  it('drop-oldest: gives a slow member the latest', async () => {
    const topic = new Topic({ slow: 'drop-oldest', maxQueuedMessages: 2 });
    const slow = addStalled(topic);
    for (const text of numbers(10)) expect(await topic.publish(text)).toBe(1);
    const [member] = topic.members;
    expect(member).toMatchObject({ queuedMessages: 2, dropped: 7, slow: 'drop-oldest' });
    expect(await slow.texts(3)).toEqual(['0', '8', '9']);
    expect(topic.stats).toMatchObject({ dropped: 7, closed: 0 });
  });

  it('drop-newest: gives a slow member the oldest', async () => {
    const topic = new Topic({ slow: 'drop-newest', maxQueuedMessages: 2 });
    const slow = addStalled(topic);
    const reached = await Promise.all(numbers(10).map((text) => topic.publish(text)));
    expect(reached).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(await slow.texts(3)).toEqual(['0', '1', '2']);
  });

  it('close: closes a slow member with 1013 behind what it was given', async () => {
    const topic = new Topic({ maxQueuedBytes: 4 * KIB });
    const slow = addStalled(topic);
    const left = once(topic, 'leave');
    for (const text of numbers(20)) await topic.publish(text);
    const [member, reason] = await left;
    expect([member.connection, reason]).toEqual([slow.ours, 'slow']);
    expect(topic.stats).toMatchObject({ members: 0, closed: 1, queuedBytes: 0 });
    expect(await slow.texts(5)).toEqual(['0']);
    expect(await slow.startReading().closeInfo).toMatchObject({ code: 1013, wasClean: true });
  });

  it('wait: holds the publisher, who holds nobody else', async () => {
    const { topic, links } = topicOf(1, new Topic({ slow: 'wait' }));
    const slow = addStalled(topic);
    const told: string[] = [];
    const publishing = ['a', 'b'].map((text) => topic.publish(text).then((count) => told.push(`${text} ${count}`)));
    expect(await links[0]!.texts(2)).toEqual(['a', 'b']);
    expect(told).toEqual([]);
    expect(await slow.texts(2)).toEqual(['a', 'b']);
    await Promise.all(publishing);
    expect(told).toEqual(['a 2', 'b 2']);
  });

  it('wait: is closed with 1013 where the publisher does not wait', async () => {
    const topic = new Topic({ slow: 'wait', maxQueuedMessages: 5 });
    const slow = addStalled(topic);
    const published = numbers(10).map((text) => topic.publish(text));
    expect(await Promise.all(published)).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
    expect(await slow.texts(10)).toEqual(['0']);
    expect(await slow.ours.closeInfo).toMatchObject({ code: 1013, initiator: 'local' });
  });

  it('treats each member by options of its own, which may change', async () => {
    const topic = new Topic({ slow: 'drop-newest', maxQueuedMessages: 1 });
    const [strict, patient] = [idleLink(), idleLink()];
    for (const { stall } of [strict, patient]) stall();
    topic.add(strict.ours);
    topic.add(patient.ours, { maxQueuedMessages: 100 });
    for (const text of ['0', '1', '2', '3']) await topic.publish(text);
    topic.add(strict.ours, { maxQueuedMessages: 2 });
    await topic.publish('4');
    expect(await strict.texts(3)).toEqual(['0', '1', '4']);
    expect(await patient.texts(5)).toEqual(numbers(5));
  });

  it('tells of those who come, who leave, and what was dropped', async () => {
    const topic = new Topic({ slow: 'drop-oldest', maxQueuedMessages: 1 });
    const told: unknown[][] = [];
    for (const name of ['join', 'leave', 'drop']) topic.on(name, (_member, what) => told.push([name, what]));
    const slow = addStalled(topic);
    for (const text of numbers(4)) void topic.publish(text);
    await turns(1);
    slow.ours.forceClose();
    await slow.ours.closeInfo;
    await turns(1);
    expect(told).toEqual([
      ['join', undefined],
      ['drop', { messages: 2, bytes: 2 * 513, reason: 'full' }],
      // What its connection had no room behind, and what waited.
      ['drop', { messages: 2, bytes: 2 * 513, reason: 'left' }],
      ['leave', 'closed'],
    ]);
    expect(topic.stats).toMatchObject({ dropped: 4, delivered: 0, published: 4 });
  });
});

describe('a stream that is piped into a topic', () => {
  it('is published whole and in order, no faster than the slowest of those who are waited for', async () => {
    const { topic, links } = topicOf(2, new Topic({ slow: 'wait' }));
    const slow = addStalled(topic);
    let produced = 0;
    const source = Readable.from(
      numbers(500)
        .map((text) => text.padEnd(KIB))
        .values(),
    );
    source.on('data', () => produced++);
    const piping = pipeline(source, topic);
    await turns(20);
    expect(produced).toBeLessThan(5);
    expect(topic.stats.queuedMessages).toBeLessThan(3);
    const read = await Promise.all([slow, ...links].map(({ texts }) => texts(500)));
    for (const texts of read) expect(texts.map((text) => text.trim())).toEqual(numbers(500));
    await piping;
    expect(links.every(({ ours }) => ours.isOpen())).toBe(true);
    expect(topic.size).toBe(0);
  });

  it('is not held by those who are not waited for', async () => {
    const topic = new Topic({ slow: 'drop-oldest', maxQueuedMessages: 10 });
    const slow = addStalled(topic);
    await pipeline(numbers(100), topic);
    // What waits is still sent, and then the member leaves.
    expect([topic.size, topic.destroyed]).toEqual([1, false]);
    const closed = once(topic, 'close');
    expect(await slow.texts(11)).toEqual(['0', ...numbers(100).slice(90)]);
    await closed;
    expect([topic.size, slow.ours.isOpen()]).toEqual([0, true]);
  });

  it('tells `write` and `drain` as any Writable does', async () => {
    const topic = new Topic({ slow: 'wait' });
    const slow = addStalled(topic);
    expect([topic.write('a'), topic.write('b')]).toEqual([true, false]);
    const drained = once(topic, 'drain');
    expect(await slow.texts(2)).toEqual(['a', 'b']);
    await drained;
    expect(topic.write('c')).toBe(true);
    topic.end('d');
    expect(await slow.texts(2)).toEqual(['c', 'd']);
    await finished(topic);
  });

  it('keeps one order for `write` and `publish`, also while somebody is waited for', async () => {
    const topic = new Topic({ slow: 'wait' });
    const slow = addStalled(topic);
    for (const text of numbers(20)) {
      if (Number(text) % 2 === 0) topic.write(text);
      else void topic.publish(text);
    }
    expect(await slow.texts(20)).toEqual(numbers(20));
  });

  it('ends it with what is no message, and lets the members go', async () => {
    const { topic, links } = topicOf(1);
    await expect(pipeline([5], topic)).rejects.toThrow(TypeError);
    expect([topic.destroyed, topic.size, links[0]!.ours.isOpen()]).toEqual([true, 0, true]);
    const other = topicOf(1);
    other.topic.end(5);
    await expect(once(other.topic, 'close')).rejects.toThrow(TypeError);
    expect([other.topic.destroyed, other.topic.size]).toEqual([true, 0]);
  });
});

describe('the end of a topic', () => {
  it('lets members go, who stay open', async () => {
    const { topic, links } = topicOf(3);
    const left: unknown[] = [];
    topic.on('leave', (_member, reason) => left.push(reason));
    topic.end('the last');
    await once(topic, 'close');
    expect(left).toEqual(['ended', 'ended', 'ended']);
    for (const { texts } of links) expect(await texts(1)).toEqual(['the last']);
    expect(links.every(({ ours }) => ours.isOpen())).toBe(true);
    expect(await topic.publish('late')).toBe(0);
    expect(topic.add(links[0]!.ours).hasLeft).toBe(true);
    expect(topic.size).toBe(0);
  });

  it('destroyed, releases who waits, counts what is lost, and emits nothing more but its own end', async () => {
    const topic = new Topic({ slow: 'wait' });
    addStalled(topic);
    await turns(1);
    const emitted: unknown[] = [];
    for (const name of ['leave', 'drop', 'finish', 'drain', 'error']) topic.on(name, () => emitted.push(name));
    const publishing = ['a', 'b'].map((text) => topic.publish(text));
    topic.write('c');
    const closed = once(topic, 'close');
    topic.destroy();
    expect(topic.write('d')).toBe(false);
    expect(await Promise.all(publishing)).toEqual([1, 1]);
    await closed;
    await turns();
    expect(emitted).toEqual([]);
    expect(topic.stats).toMatchObject({ members: 0, queuedMessages: 0, queuedBytes: 0, dropped: 2 });
  });

  it('needs no listener for errors', async () => {
    const { topic } = topicOf(1);
    topic.destroy(new Error('enough'));
    await turns();
    const ended = new Topic();
    ended.end();
    ended.write('late');
    await turns();
    expect([topic.destroyed, ended.destroyed]).toEqual([true, true]);
  });

  it('takes a connection that is over for one that has left', async () => {
    const { ours } = idleLink();
    ours.forceClose();
    const topic = new Topic();
    expect(topic.add(ours).hasLeft).toBe(true);
    expect(topic.size).toBe(0);
  });
});
