import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { LimitMessage } from '../../../lib/connection/diagnostics.ts';
import type { TopicMember } from '../../../lib/fanout/topic/topic-member.ts';
import { type Drop, type DropMessage, TopicNews } from '../../../lib/fanout/topic/topic-news.ts';
import { listenTo } from '../../support/channels.ts';
import { idleLink } from '../../support/links.ts';

class NamedWritable extends Writable {
  readonly name: string = 'news';
}

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
const memberOf = (): TopicMember => ({ connection: idleLink().ours }) as TopicMember;

function listening(): { topic: NamedWritable; news: TopicNews; told: unknown[][] } {
  const topic = new NamedWritable();
  const told: unknown[][] = [];
  for (const name of ['join', 'leave', 'drop']) topic.on(name, (...args: unknown[]) => told.push([name, ...args]));
  return { topic, news: new TopicNews(topic), told };
}

describe('TopicNews', () => {
  it('tells at the end of the turn, in order', async () => {
    const { news, told } = listening();
    const member = memberOf();
    news.joined(member);
    news.left(member, 'deleted', undefined);
    expect(told).toEqual([]);
    await tick();
    expect(told).toEqual([
      ['join', member, undefined],
      ['leave', member, 'deleted'],
    ]);
  });

  it('adds up what a member was not given in one turn, for one reason', async () => {
    const { news, told } = listening();
    const [one, other] = [memberOf(), memberOf()];
    news.dropped(one, 10, 'full');
    news.dropped(other, 1, 'full');
    news.dropped(one, 20, 'full');
    news.dropped(one, 5, 'left');
    await tick();
    const drops = told.map(([, member, drop]) => [member === one, drop]);
    expect(drops).toEqual([
      [true, { messages: 2, bytes: 30, reason: 'full' }],
      [true, { messages: 1, bytes: 5, reason: 'left' }],
      [false, { messages: 1, bytes: 1, reason: 'full' }],
    ]);
    news.dropped(one, 7, 'full');
    await tick();
    expect(told.at(-1)![2]).toEqual({ messages: 1, bytes: 7, reason: 'full' } satisfies Drop);
  });

  it('emits nothing once the topic is destroyed, and still says on the channel what was dropped', async () => {
    const heard = listenTo<DropMessage>('wspipe:drop');
    const { topic, news, told } = listening();
    const member = memberOf();
    news.joined(member);
    news.dropped(member, 10, 'left');
    topic.destroy();
    await tick();
    expect(told).toEqual([]);
    const { connection } = member;
    expect(heard).toEqual([{ topic: 'news', connection, messages: 1, bytes: 10, reason: 'left' }]);
  });

  it('tells on the channel of limits where a member is closed for one', () => {
    const heard = listenTo<LimitMessage>('wspipe:limit');
    const { news } = listening();
    const member = memberOf();
    news.left(member, 'slow', 'maxQueuedBytes');
    news.left(member, 'closed', undefined);
    expect(heard).toEqual([{ limit: 'maxQueuedBytes', connection: member.connection }]);
  });
});
