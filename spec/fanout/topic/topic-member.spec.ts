import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { PreparedFrame } from '../../../lib/fanout/prepared-frame.ts';
import { Publication } from '../../../lib/fanout/topic/publication.ts';
import { type DropReason, type LeaveReason, TopicMember } from '../../../lib/fanout/topic/topic-member.ts';
import type { SlowPolicy } from '../../../lib/fanout/topic/topic-options.ts';
import { turns } from '../../support/endpoints.ts';

const OVERHEAD = 512;

/** What a member knows of a connection: it takes one message at a time when it is slow, and says when there is room. */
class FakeConnection {
  readonly sent: string[] = [];
  readonly closeInfo = new Promise<never>(() => {});
  isSlow = false;
  closedWith: number | undefined;
  #settle: ((size: number) => void) | undefined;

  isOpen(): boolean {
    return this.closedWith === undefined;
  }

  sendAtOnce(frame: PreparedFrame): number | Promise<number> {
    if (this.#settle !== undefined) throw new Error('a member waits until there is room');
    if (!this.isOpen()) return 0;
    if (frame.payloadText() === 'interleaved') throw new TypeError('inside a message');
    this.sent.push(frame.payloadText());
    if (!this.isSlow) return 1;
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** There is room for more. */
  async drain(): Promise<void> {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(1);
    await turns(1);
  }

  close(code: number): void {
    this.closedWith = code;
  }
}

interface Bench {
  readonly connection: FakeConnection;
  readonly member: TopicMember;
  readonly told: {
    dropped: string[];
    reasons: DropReason[];
    left?: [LeaveReason, string?];
    bytes: number;
    messages: number;
  };
  publish(text: string): Publication;
}

function bench(slow: SlowPolicy, maxQueuedBytes: number, maxQueuedMessages: number = Number.POSITIVE_INFINITY): Bench {
  const connection = new FakeConnection();
  const told: Bench['told'] = { dropped: [], reasons: [], bytes: 0, messages: 0 };
  const options = { slow, maxQueuedBytes, maxQueuedMessages };
  const member = new TopicMember(connection as unknown as WsConnection, options, {
    isEnding: false,
    memberDelivered: () => {},
    memberQueued: (messages, bytes) => {
      told.messages += messages;
      told.bytes += bytes;
    },
    memberDropped: (_member, { frame }, reason) => {
      told.dropped.push(frame.payloadText());
      told.reasons.push(reason);
    },
    memberLeft: (_member, reason, limit) => {
      told.left = limit === undefined ? [reason] : [reason, limit];
    },
  });
  member.join();
  const publish = (text: string): Publication => {
    const publication = new Publication(PreparedFrame.text(text));
    publication.reach = member.hasLeft ? 0 : Number(member.take(publication));
    return publication;
  };
  return { connection, member, told, publish };
}

/** What becomes of a member, written down as plainly as can be. */
class NaiveMember {
  readonly sent: string[] = [];
  readonly dropped: string[] = [];
  readonly slow: SlowPolicy;
  readonly maxBytes: number;
  readonly maxMessages: number;
  isSlow = false;
  isClosed = false;
  #isFull = false;
  #queue: string[] = [];

  constructor(slow: SlowPolicy, maxBytes: number, maxMessages: number) {
    this.slow = slow;
    this.maxBytes = maxBytes;
    this.maxMessages = maxMessages;
  }

  get bytes(): number {
    return this.#queue.reduce((sum, text) => sum + text.length + OVERHEAD, 0);
  }

  get length(): number {
    return this.#queue.length;
  }

  publish(text: string): void {
    if (this.isClosed) return;
    if (!this.#isFull) {
      this.sent.push(text);
      this.#isFull = this.isSlow;
      return;
    }
    const fits = (): boolean =>
      this.length === 0 ||
      (this.length + 1 <= this.maxMessages && this.bytes + text.length + OVERHEAD <= this.maxBytes);
    if (this.slow === 'drop-oldest') while (!fits()) this.dropped.push(this.#queue.shift()!);
    if (fits()) this.#queue.push(text);
    else {
      this.dropped.push(text);
      if (this.slow === 'drop-newest') return;
      this.isClosed = true;
      this.dropped.push(...this.#queue.splice(0));
    }
  }

  drain(): void {
    if (!this.#isFull || this.isClosed) return;
    this.#isFull = false;
    while (!this.#isFull && this.length > 0) {
      this.sent.push(this.#queue.shift()!);
      this.#isFull = this.isSlow;
    }
  }
}

const anyStep = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('publish' as const), length: fc.nat(900) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drain' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('slow' as const), isSlow: fc.boolean() }) },
);

describe('TopicMember', () => {
  it.each(['wait', 'drop-oldest', 'drop-newest', 'close'] as const)(
    '%s: sends, keeps and drops what a naive member does, whatever is published and taken when',
    async (slow) => {
      const bounds = fc.tuple(fc.integer({ min: 0, max: 6000 }), fc.integer({ min: 1, max: 12 }));
      await fc.assert(
        fc.asyncProperty(bounds, fc.array(anyStep, { maxLength: 60 }), async ([maxBytes, maxMessages], steps) => {
          const { connection, member, told, publish } = bench(slow, maxBytes, maxMessages);
          const naive = new NaiveMember(slow, maxBytes, maxMessages);
          let published = 0;
          for (const step of steps) {
            if (step.kind === 'slow') {
              connection.isSlow = step.isSlow;
              naive.isSlow = step.isSlow;
            } else if (step.kind === 'drain') {
              await connection.drain();
              naive.drain();
            } else {
              const text = `${published++} `.padEnd(step.length, '.');
              publish(text);
              naive.publish(text);
            }
            expect(connection.sent).toEqual(naive.sent);
            expect(told.dropped).toEqual(naive.dropped);
            expect([member.queuedMessages, member.queuedBytes]).toEqual([naive.length, naive.bytes]);
            expect([told.messages, told.bytes]).toEqual([naive.length, naive.bytes]);
            expect(member.hasLeft).toBe(naive.isClosed);
            expect(connection.closedWith).toBe(naive.isClosed ? 1013 : undefined);
          }
          expect(member.dropped).toBe(naive.dropped.length);
        }),
        { numRuns: 60 },
      );
    },
  );

  it('holds the publisher until it has the message and has room for more, where it is to be waited for', async () => {
    const { connection, publish } = bench('wait', 10_000);
    connection.isSlow = true;
    const released: string[] = [];
    for (const text of ['a', 'b', 'c']) publish(text).whenReleased(() => released.push(text));
    expect(released).toEqual([]);
    await connection.drain();
    expect([connection.sent, released]).toEqual([['a', 'b'], ['a']]);
    connection.isSlow = false;
    await connection.drain();
    expect([connection.sent, released]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ]);
  });

  it.each(['drop-oldest', 'drop-newest', 'close'] as const)('%s: holds no publisher', (slow) => {
    const { connection, publish } = bench(slow, 10_000);
    connection.isSlow = true;
    const released: string[] = [];
    for (const text of ['a', 'b']) publish(text).whenReleased(() => released.push(text));
    expect(released).toEqual(['a', 'b']);
  });

  it.each(['leaves', 'is over'])('holds nobody any more when it %s, and what waits is dropped', async (how) => {
    const { connection, member, told, publish } = bench('wait', 10_000);
    connection.isSlow = true;
    const released: string[] = [];
    for (const text of ['a', 'b']) publish(text).whenReleased(() => released.push(text));
    if (how === 'leaves') expect([member.leave(), member.leave()]).toEqual([true, false]);
    else member.connectionOver();
    await turns(1);
    expect(released).toEqual(['a', 'b']);
    expect(told).toMatchObject({ dropped: ['b'], reasons: ['left'], bytes: 0, messages: 0 });
    expect(told.left).toEqual([how === 'leaves' ? 'deleted' : 'closed']);
    await connection.drain();
    expect([connection.sent, member.delivered, member.dropped]).toEqual([['a'], 1, 1]);
  });

  it.each([
    ['maxQueuedMessages', 10_000, 1],
    ['maxQueuedBytes', 600, 5],
  ])('is closed with 1013 at %s, and the others are told which it was', (limit, maxBytes, maxMessages) => {
    const { connection, member, told, publish } = bench('close', maxBytes, maxMessages);
    connection.isSlow = true;
    for (const text of ['sent', 'waits', 'too much']) publish(text);
    expect(connection.closedWith).toBe(1013);
    expect(member.hasLeft).toBe(true);
    expect(told).toMatchObject({ left: ['slow', limit], dropped: ['too much', 'waits'], reasons: ['full', 'left'] });
  });

  it('leaves out what cannot stand inside a message of raw fragments, now or when its turn comes (§5.4)', async () => {
    const { connection, told, publish } = bench('close', 10_000);
    expect(publish('interleaved').reach).toBe(0);
    connection.isSlow = true;
    for (const text of ['a', 'interleaved', 'b']) expect(publish(text).reach).toBe(1);
    await connection.drain();
    expect(connection.sent).toEqual(['a', 'b']);
    expect(told).toMatchObject({ dropped: ['interleaved', 'interleaved'], reasons: ['interleaved', 'interleaved'] });
  });

  it('leaves where the connection takes nothing any more', () => {
    const { connection, told, publish } = bench('close', 10_000);
    connection.closedWith = 1000;
    expect(publish('a').reach).toBe(0);
    expect(told).toMatchObject({ left: ['closed'], dropped: ['a'] });
  });
});
