import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { createPair } from '../../../lib/endpoint/pair.ts';
import { Topic } from '../../../lib/fanout/topic/topic.ts';
import { TopicWritable } from '../../../lib/fanout/topic/topic-writable.ts';

describe('TopicWritable', () => {
  it("is Node's own class", () => {
    expect(TopicWritable).toBe(Writable);
  });

  it('says what the events of a topic carry', async () => {
    const topic = new Topic();
    const told: string[] = [];
    topic
      .on('join', (member) => told.push(`join ${member.hasLeft}`))
      .on('leave', (member, reason) => told.push(`leave ${member.hasLeft} ${reason}`))
      .on('finish', () => told.push('finish'))
      .on('close', () => told.push('close'));
    const { client, server } = createPair();
    topic.add(server);
    await vi.waitFor(() => expect(told).toEqual(['join false']));
    topic.end();
    await new Promise((resolve) => topic.once('close', resolve));
    expect(told).toEqual(['join false', 'leave true ended', 'finish', 'close']);
    client.forceClose();
    server.forceClose();
  });
});
