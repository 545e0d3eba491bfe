/**
 * The knobs of a topic and of its members: unit, default and reason of each, checked once, at the door.
 */
import { count } from '../../options.ts';
import type { QueueBounds } from './member-queue.ts';
import type { CatchUpOptions, TopicLinkOptions } from './topic-link.ts';

const MIB = 1_048_576;

const POLICIES = ['wait', 'drop-oldest', 'drop-newest', 'close'] as const;

/**
 * What becomes of a member that takes less than is published: `'wait'` holds the publisher back, `'drop-oldest'` and
 * `'drop-newest'` leave messages out, `'close'` closes its connection with 1013.
 */
export type SlowPolicy = (typeof POLICIES)[number];

/** How a topic treats a member. */
export interface TopicMemberOptions {
  /**
   * What becomes of the member when it is slow. Default `'close'`: so every member gets everything in order, or is told,
   * and nobody holds the others back; what it missed is asked for when it comes again.
   */
  readonly slow?: SlowPolicy | undefined;
  /**
   * Bytes that may wait for the member beside what its connection holds, 512 a message counted for overhead. Default
   * 1 MiB: a burst of a thousand small messages; a thousand slow members hold at most a gigabyte, and far less where
   * they wait for the same messages, which are held once. One message always fits where none waits. `Infinity` is allowed.
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * Messages that may wait for the member, at least 1. Default `Infinity`: the bytes are the bound. With 1 and
   * `'drop-oldest'`, who is slow gets the latest value and never an old one.
   */
  readonly maxQueuedMessages?: number | undefined;
}

/** The options of a topic: its name, and how it treats members that are added without options of their own. */
export interface TopicOptions extends TopicMemberOptions, TopicLinkOptions {
  /** What it is called in events and diagnostics, and on a backplane. Default `''`, which no topic on a backplane may have. */
  readonly name?: string | undefined;
}

/** What `topic.add` takes: how the member is treated, and what it is given of what it missed. */
export interface TopicAddOptions extends TopicMemberOptions, CatchUpOptions {}

/** {@link TopicMemberOptions} with every default in its place. */
export interface ResolvedMemberOptions extends QueueBounds {
  readonly slow: SlowPolicy;
}

const DEFAULTS: ResolvedMemberOptions = {
  slow: 'close',
  maxQueuedBytes: MIB,
  maxQueuedMessages: Number.POSITIVE_INFINITY,
};

/**
 * Puts the defaults in and checks the rest.
 *
 * @param defaults what is not said: the topic's
 * @throws TypeError for a value of the wrong type, RangeError for one out of range
 */
export function resolveMemberOptions(
  options: TopicMemberOptions,
  defaults: ResolvedMemberOptions = DEFAULTS,
): ResolvedMemberOptions {
  if (typeof options !== 'object' || options === null) throw new TypeError('The options must be an object');
  const { slow = defaults.slow } = options;
  if (!POLICIES.includes(slow)) throw new TypeError(`slow must be one of ${POLICIES.join(', ')}`);
  const max = Number.POSITIVE_INFINITY;
  const maxQueuedBytes = count('maxQueuedBytes', options.maxQueuedBytes, defaults.maxQueuedBytes, max);
  const maxQueuedMessages = count('maxQueuedMessages', options.maxQueuedMessages, defaults.maxQueuedMessages, max);
  if (maxQueuedMessages < 1) throw new RangeError('maxQueuedMessages must be at least 1');
  return { slow, maxQueuedBytes, maxQueuedMessages };
}

/** Checks the name of a topic. @throws TypeError */
export function resolveName(name: string | undefined): string {
  if (name !== undefined && typeof name !== 'string') throw new TypeError('name must be a string');
  return name ?? '';
}
