/**
 * One to many: a Writable of messages to which connections are added.
 *
 * ```
 *                   ┌─ member: [queue] ─▶ connection
 *  write, publish ──┼─ member: [queue] ─▶ connection
 *                   └─ member: [queue] ─▶ connection
 * ```
 *
 * Two laws. A message is encoded once and given to every member in the turn in which it is published; whoever has no
 * room has it waiting in a queue of its own, and holds nobody else up. And nothing is lost in silence: each message that
 * a member was not given is counted, for the member and for the topic, and told of.
 */
import { WsConnection } from '../../connection/ws-connection.ts';
import type { ConnectionFilter } from '../broadcast.ts';
import { type Message, prepare } from '../prepared-frame.ts';
import { Publication } from './publication.ts';
import { TopicLink, wantsCatchUp } from './topic-link.ts';
import { type DropReason, type LeaveReason, type MemberHandlers, TopicMember } from './topic-member.ts';
import { TopicNews } from './topic-news.ts';
import {
  type ResolvedMemberOptions,
  resolveMemberOptions,
  resolveName,
  type TopicAddOptions,
  type TopicOptions,
} from './topic-options.ts';
import { TopicWritable } from './topic-writable.ts';

/** What a Writable tells of a write. */
type WriteCallback = (error?: Error | null) => void;

/** Who gets a message, and how. */
export interface PublishOptions {
  /** Those who do not get it: most often the one from whom it came. */
  readonly except?: WsConnection | Iterable<WsConnection> | undefined;
  /** Picks those who get it; called for all members before anything is sent. */
  readonly filter?: ConnectionFilter | undefined;
  /** Whether it is compressed where permessage-deflate was agreed on. Default: what a frame says, or the connection's policy. */
  readonly compress?: boolean | undefined;
}

/** What a topic has done so far. */
export interface TopicStats {
  readonly members: number;
  /** Messages that were published. */
  readonly published: number;
  /** Messages that connections have taken: one published to three members counts three times. */
  readonly delivered: number;
  /** Messages that members were not given, and their bytes, overhead counted. */
  readonly dropped: number;
  readonly droppedBytes: number;
  /** Members whose connections were closed for being slow. */
  readonly closed: number;
  /** What waits in the queues of all members; a message that waits in three queues counts three times, and is held once. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
}

/**
 * A topic: publishes messages to the connections that are its members. `pipeline(source, topic)` publishes a stream.
 *
 * {@link TopicEvents | Events}, told at the end of the turn: `'join'` (member), `'leave'` (member, reason), `'drop'`
 * (member, what). No `'error'` listener is needed.
 */
export class Topic extends TopicWritable {
  /** What it is called in events and diagnostics. */
  readonly name: string;
  readonly #defaults: ResolvedMemberOptions;
  readonly #members: Map<WsConnection, TopicMember> = new Map();
  readonly #news: TopicNews;
  readonly #handlers: MemberHandlers;
  readonly #link: TopicLink | undefined;
  readonly #counts = {
    published: 0,
    delivered: 0,
    dropped: 0,
    droppedBytes: 0,
    closed: 0,
    queuedMessages: 0,
    queuedBytes: 0,
  };

  /** @throws TypeError, RangeError for an option that cannot be */
  constructor(options: TopicOptions = {}) {
    // One message waited for and one behind it. It destroys itself when it has ended and the last member has left.
    super({ objectMode: true, highWaterMark: 2, decodeStrings: false, autoDestroy: false });
    this.#defaults = resolveMemberOptions(options);
    this.name = resolveName(options.name);
    this.#news = new TopicNews(this);
    this.#handlers = this.#createHandlers();
    this.#link = this.#createLink(options);
    // As on a connection: no stream of ours ends the process for want of a listener.
    this.on('error', ignore).on('finish', this.#closeWhenEmpty);
  }

  /** How many members there are. */
  get size(): number {
    return this.#members.size;
  }

  /** The members, in the order in which they came. */
  get members(): IterableIterator<TopicMember> {
    return this.#members.values();
  }

  /** What it has done so far: a copy. */
  get stats(): TopicStats {
    return { members: this.#members.size, ...this.#counts };
  }

  has(connection: WsConnection): boolean {
    return this.#members.has(connection);
  }

  /**
   * Adds a connection, which gets what is published from now on, and leaves by itself when it is over. It may be in any
   * number of topics.
   *
   * With a backplane that has history, it may first be given what it missed: then it is given, in one order and without a
   * gap, what came behind the id of the last message that it saw, and what comes.
   *
   * @param options what differs from the topic's. For one that is a member already, they hold from now on
   * @returns its membership; one that has left already where the connection, or the topic, is over
   * @throws TypeError, RangeError
   */
  add(connection: WsConnection, options?: TopicAddOptions | undefined): TopicMember {
    if (!(connection instanceof WsConnection)) throw new TypeError('The members of a topic are WsConnections');
    const resolved = options === undefined ? this.#defaults : resolveMemberOptions(options, this.#defaults);
    const isLate = wantsCatchUp(options, this.#link);
    const known = this.#members.get(connection);
    if (known !== undefined) {
      if (options !== undefined) known.change(resolved);
      return known;
    }
    const member = new TopicMember(connection, resolved, this.#handlers);
    member.join();
    if (member.hasLeft) return member;
    this.#members.set(connection, member);
    if (isLate) this.#link?.catchUp(member, options!);
    this.#news.joined(member);
    return member;
  }

  /** Lets a connection go; what waits for it is dropped. It stays open. @returns whether it was a member */
  delete(connection: WsConnection): boolean {
    return this.#members.get(connection)?.leave() ?? false;
  }

  /**
   * Publishes a message: text, bytes, or a frame that is a whole message. It is given at once to all members who have
   * room, and waits for the others as their policy says.
   *
   * @returns a promise of the number of members that it was sent to or waits for, kept when members with the policy
   * `'wait'` have it and have room for more; 0 when the topic has ended
   * @throws TypeError for what is no message, or an option that cannot be; what `filter` throws; as a rejection
   */
  async publish(message: Message, options?: PublishOptions | undefined): Promise<number> {
    const frame = prepare(message, options?.compress);
    const chosen = options === undefined ? this.#members.values() : this.#choose(options);
    if (!this.writable) return 0;
    if (this.#link?.isLogged) return (await this.#link.publish(frame)) ? this.size : 0;
    const publication = new Publication(this.#link?.shape(frame) ?? frame);
    this.#send(publication, chosen);
    void this.#link?.publish(frame);
    await new Promise<void>((resolve) => publication.whenReleased(resolve));
    return publication.reach;
  }

  /**
   * Writes as `Writable.write` does: publishes to all members, at once. It is `false` while members with the policy
   * `'wait'` are waited for.
   */
  override write(chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
    const done = (typeof encoding === 'function' ? encoding : callback) as WriteCallback | undefined;
    if (!this.writable) return super.write(chunk, 'utf8', done!);
    let publication: Publication;
    try {
      publication = this.#publish(chunk as Message);
    } catch (error) {
      if (done !== undefined) process.nextTick(done, error);
      this.destroy(error as Error);
      return false;
    }
    // It has been sent. What the stream holds is the wait for those who are behind.
    return super.write(publication, 'utf8', done!);
  }

  /** @internal */
  override _write(chunk: unknown, _encoding: BufferEncoding, callback: WriteCallback): void {
    try {
      // What `end(message)` writes comes here as it is.
      const publication = chunk instanceof Publication ? chunk : this.#publish(chunk as Message);
      publication.whenReleased(callback);
    } catch (error) {
      callback(error as Error);
      this.destroy(error as Error);
    }
  }

  /** @internal Members leave, and when the last one has what waits for it, the topic is closed. */
  override _final(callback: WriteCallback): void {
    const leave = (): void => {
      this.#link?.close();
      for (const member of this.#members.values()) member.topicEnded(false);
      callback();
    };
    if (this.#link?.isPending) void this.#link.settled().then(leave);
    else leave();
  }

  /** @internal Lets all members go at once; what waits for them is dropped. */
  override _destroy(error: Error | null, callback: WriteCallback): void {
    this.#link?.close();
    for (const member of this.#members.values()) member.topicEnded(true);
    callback(error);
  }

  #publish(message: Message): Publication {
    const frame = prepare(message);
    const link = this.#link;
    const publication = new Publication(link?.shape(frame) ?? frame);
    if (!link?.isLogged) this.#send(publication, this.#members.values());
    void link?.publish(frame);
    link?.hold(publication);
    return publication;
  }

  #send(publication: Publication, members: Iterable<TopicMember>): void {
    this.#counts.published += 1;
    let reach = 0;
    for (const member of members) if (!member.isLate && member.take(publication)) reach++;
    publication.reach = reach;
  }

  #choose({ except, filter }: PublishOptions): Iterable<TopicMember> {
    if (filter !== undefined && typeof filter !== 'function') throw new TypeError('filter must be a function');
    if (this.#link?.isLogged && (except ?? filter) !== undefined) {
      throw new TypeError(
        'What everybody may ask for later cannot be kept from anybody: no except or filter with history',
      );
    }
    const left = except instanceof WsConnection ? [except] : (except ?? []);
    const excluded = new Set(left);
    return [...this.#members.values()].filter(
      ({ connection }) => !excluded.has(connection) && (filter === undefined || filter(connection)),
    );
  }

  #closeWhenEmpty(): void {
    if (this.writableFinished && this.#members.size === 0) this.destroy();
  }

  #createLink({ backplane, format }: TopicOptions): TopicLink | undefined {
    if (format !== undefined && typeof format !== 'function') throw new TypeError('format must be a function');
    if (backplane === undefined && format !== undefined) throw new TypeError('format is for topics on a backplane');
    if (backplane === undefined) return undefined;
    return new TopicLink(this.name, backplane, format, (frame) =>
      this.#send(new Publication(frame), this.#members.values()),
    );
  }

  #createHandlers(): MemberHandlers {
    const counts = this.#counts;
    const topic = this;
    return {
      get isEnding() {
        return topic.destroyed || (topic.writableEnded && !topic.#link?.isPending);
      },
      memberDelivered: () => {
        counts.delivered += 1;
      },
      memberQueued: (messages, bytes) => {
        counts.queuedMessages += messages;
        counts.queuedBytes += bytes;
      },
      memberDropped: (member, publication, reason) => this.#dropped(member, publication, reason),
      memberLeft: (member, reason, limit) => this.#left(member, reason, limit),
    };
  }

  #dropped(member: TopicMember, { size }: Publication, reason: DropReason): void {
    this.#counts.dropped += 1;
    this.#counts.droppedBytes += size;
    this.#news.dropped(member, size, reason);
  }

  #left(member: TopicMember, reason: LeaveReason, limit: string | undefined): void {
    this.#members.delete(member.connection);
    if (reason === 'slow') this.#counts.closed += 1;
    this.#news.left(member, reason, limit);
    this.#closeWhenEmpty();
  }
}

function ignore(): void {}
