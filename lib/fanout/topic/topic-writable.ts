/**
 * The Writable that a topic is, with the types of its events. It is the same class as Node's, so this costs nothing.
 */
import { type Readable, Writable, type WritableOptions } from 'node:stream';
import type { ListenerOf } from '../../connection/faces/frame-duplex.ts';
import type { LeaveReason, TopicMember } from './topic-member.ts';
import type { Drop } from './topic-news.ts';

/** The events of a {@link Topic}: its own, told at the end of the turn, and those of every Writable. None needs a listener. */
export interface TopicEvents {
  /** A connection has become a member. */
  readonly join: [member: TopicMember];
  /** A member has left. */
  readonly leave: [member: TopicMember, reason: LeaveReason];
  /** A member was not given what was published: one sum for each turn and reason. */
  readonly drop: [member: TopicMember, drop: Drop];
  /** `write()` has given `false`, and those who were waited for have caught up. */
  readonly drain: [];
  /** It was ended: members leave as soon as nothing waits for them. */
  readonly finish: [];
  /** It was destroyed with an error: a caller's mistake in `write()`, or what a source in a pipeline met. */
  readonly error: [error: Error];
  /** It is over, and has no members. */
  readonly close: [];
  /** Somebody pipes into it, or does so no longer. */
  readonly pipe: [source: Readable];
  readonly unpipe: [source: Readable];
  /** A listener is added, or was taken away. */
  readonly newListener: [event: string | symbol, listener: (...args: never[]) => void];
  readonly removeListener: [event: string | symbol, listener: (...args: never[]) => void];
}

type Events = TopicEvents;

/** A Writable that knows its events. */
export interface TopicWritable extends Writable {
  on<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  once<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  off<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  addListener<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  removeListener<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  prependListener<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
  prependOnceListener<E>(event: E | keyof Events, listener: ListenerOf<Events, E>): this;
}

/** The class itself, with what is static. */
type TopicWritableClass = Pick<typeof Writable, keyof typeof Writable> &
  (new (
    options?: WritableOptions,
  ) => TopicWritable);

export const TopicWritable: TopicWritableClass = Writable as unknown as TopicWritableClass;
