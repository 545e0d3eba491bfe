/**
 * A connection in a topic: sent to at once while it has room, and with a queue of its own, within bounds, while it has
 * not. It holds up nobody but, by its policy, the publisher.
 */
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WS_CLOSE_TRY_AGAIN_LATER } from '../../protocol/close-code.ts';
import { type Departing, unwatchDeparture, watchDeparture } from './departures.ts';
import { MemberQueue } from './member-queue.ts';
import type { Publication } from './publication.ts';
import type { ResolvedMemberOptions, SlowPolicy } from './topic-options.ts';

/**
 * Why a member left: it was deleted, its connection was over, it was closed for being slow, or the topic had ended.
 */
export type LeaveReason = 'deleted' | 'closed' | 'slow' | 'ended';

/**
 * Why a message did not reach a member: its queue was full, it left before its turn, or somebody else's message of raw
 * fragments was under way on its connection.
 */
export type DropReason = 'full' | 'left' | 'interleaved';

/** What a topic is told by its members. */
export interface MemberHandlers {
  /** Whether a member leaves when nothing waits for it any more. */
  readonly isEnding: boolean;
  memberDelivered(): void;
  /** More waits, or less. */
  memberQueued(messages: number, bytes: number): void;
  memberDropped(member: TopicMember, publication: Publication, reason: DropReason): void;
  memberLeft(member: TopicMember, reason: LeaveReason, limit?: string | undefined): void;
}

/** A connection's membership in a topic: what `topic.add` gives. */
export class TopicMember implements Departing {
  readonly connection: WsConnection;
  /** @internal Whether it is still being given what it missed, and not yet what is published. */
  isLate = false;
  readonly #handlers: MemberHandlers;
  readonly #queue: MemberQueue<Publication> = new MemberQueue();
  #options: ResolvedMemberOptions;
  /** Whether what comes has to wait: something has not settled, or is just being taken from the queue. */
  #isBusy = false;
  /** What the connection has taken and has no room behind. */
  #underWay: Publication | undefined;
  #hasLeft = false;
  #delivered = 0;
  #dropped = 0;

  /** @internal `topic.add(connection)` makes it */
  constructor(connection: WsConnection, options: ResolvedMemberOptions, handlers: MemberHandlers) {
    this.connection = connection;
    this.#options = options;
    this.#handlers = handlers;
  }

  /** Whether it has left the topic. */
  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  /** What becomes of it when it is slow. */
  get slow(): SlowPolicy {
    return this.#options.slow;
  }

  /** Messages that its connection has taken. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Messages that were published while it was a member and that its connection was never given. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Messages that wait in its queue. */
  get queuedMessages(): number {
    return this.#queue.length;
  }

  /** What they take in bytes, overhead counted. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Leaves the topic; what waits is dropped. @returns whether it was a member */
  leave(): boolean {
    return this.#leave('deleted');
  }

  [Symbol.dispose](): void {
    this.leave();
  }

  /** @internal */
  join(): void {
    if (!this.connection.isOpen() || this.#handlers.isEnding) this.#hasLeft = true;
    else watchDeparture(this.connection, this);
  }

  /** @internal for what is published from now on */
  change(options: ResolvedMemberOptions): void {
    this.#options = options;
  }

  /** @internal */
  connectionOver(): void {
    this.#leave('closed');
  }

  /** @internal the topic takes no more: leaves as soon as nothing waits, or now */
  topicEnded(isNow: boolean): void {
    if (isNow || !this.#isBusy) this.#leave('ended');
  }

  /**
   * @internal
   *
   * @param isHeld whether the publisher waits until the member has it and has room for more
   * @returns whether it was sent, or waits
   */
  take(publication: Publication, isHeld: boolean = this.#options.slow === 'wait'): boolean {
    if (this.#isBusy) return this.#enqueue(publication, isHeld);
    const size = this.#post(publication);
    if (typeof size !== 'object') return this.#posted(publication, size);
    this.#isBusy = true;
    this.#await(publication, size);
    if (isHeld) publication.holdFor(this);
    return true;
  }

  #enqueue(publication: Publication, isHeld: boolean): boolean {
    const options = this.#options;
    const queue = this.#queue;
    if (!queue.fits(publication, options) && !this.#makeRoom(publication)) return false;
    queue.push(publication);
    this.#handlers.memberQueued(1, publication.size);
    if (isHeld) publication.holdFor(this);
    return true;
  }

  /** Does what the policy says where the queue is full. @returns whether the message may be added */
  #makeRoom(publication: Publication): boolean {
    const { slow } = this.#options;
    if (slow === 'drop-oldest') {
      while (!this.#queue.fits(publication, this.#options)) this.#drop(this.#unqueue()!, 'full');
      return true;
    }
    this.#drop(publication, 'full');
    if (slow !== 'drop-newest') this.#giveUp();
    return false;
  }

  /** The peer broke no rule: it was too slow for what there was to say. */
  #giveUp(): void {
    const { maxQueuedMessages } = this.#options;
    const limit = this.#queue.length >= maxQueuedMessages ? 'maxQueuedMessages' : 'maxQueuedBytes';
    this.#leave('slow', limit);
    void this.connection.close(WS_CLOSE_TRY_AGAIN_LATER, 'too slow for what is published');
  }

  /** @returns as `sendAtOnce`; `undefined` where it cannot be sent now */
  #post({ frame }: Publication): number | Promise<number> | undefined {
    try {
      return this.connection.sendAtOnce(frame);
    } catch {
      return undefined;
    }
  }

  /** It is known what became of a message. @returns whether the connection took it */
  #posted(publication: Publication, size: number | undefined): boolean {
    if (size !== undefined && size > 0) {
      this.#delivered += 1;
      this.#handlers.memberDelivered();
      return true;
    }
    this.#drop(publication, size === undefined ? 'interleaved' : 'left');
    if (size === 0) this.#leave('closed');
    return false;
  }

  #await(publication: Publication, size: Promise<number>): void {
    this.#underWay = publication;
    void size.then((bytes) => this.#settled(publication, bytes));
  }

  #settled(publication: Publication, size: number): void {
    this.#underWay = undefined;
    this.#posted(publication, size);
    publication.release(this);
    if (!this.#hasLeft) this.#sendWaiting();
  }

  /** Sends what waits, as far as there is room. What is published meanwhile waits behind it. */
  #sendWaiting(): void {
    for (let next = this.#unqueue(); next !== undefined; next = this.#unqueue()) {
      const size = this.#post(next);
      if (typeof size === 'object') {
        this.#await(next, size);
        return;
      }
      this.#posted(next, size);
      next.release(this);
    }
    this.#isBusy = false;
    if (this.#handlers.isEnding) this.#leave('ended');
  }

  #unqueue(): Publication | undefined {
    const next = this.#queue.shift();
    if (next !== undefined) this.#handlers.memberQueued(-1, -next.size);
    return next;
  }

  #drop(publication: Publication, reason: DropReason): void {
    this.#dropped += 1;
    publication.release(this);
    this.#handlers.memberDropped(this, publication, reason);
  }

  #leave(reason: LeaveReason, limit?: string | undefined): boolean {
    if (this.#hasLeft) return false;
    this.#hasLeft = true;
    unwatchDeparture(this.connection, this);
    this.#underWay?.release(this);
    for (let next = this.#unqueue(); next !== undefined; next = this.#unqueue()) this.#drop(next, 'left');
    this.#handlers.memberLeft(this, reason, limit);
    return true;
  }
}
