/**
 * What a topic tells of its members: by events, and on diagnostics channels.
 *
 * Law: it is told at the end of the turn, when all members have been given what was published: a listener that throws
 * keeps nothing from anybody, and is an uncaught exception of its own. A topic that was destroyed emits nothing more.
 */
import type { Writable } from 'node:stream';
import { publishLimit, TypedChannel } from '../../connection/diagnostics.ts';
import type { WsConnection } from '../../connection/ws-connection.ts';
import type { DropReason, LeaveReason, TopicMember } from './topic-member.ts';

/** What a member was not given, in one turn. */
export interface Drop {
  readonly messages: number;
  /** Their bytes, overhead counted. */
  readonly bytes: number;
  readonly reason: DropReason;
}

/** `wspipe:drop`: a topic left out what a member was too slow for, or what waited for one that has left. */
export interface DropMessage extends Drop {
  /** The topic's name. */
  readonly topic: string;
  readonly connection: WsConnection;
}

const dropChannel: TypedChannel<DropMessage> = new TypedChannel('wspipe:drop');

/** A topic, as far as it tells. */
interface Teller extends Writable {
  readonly name: string;
}

interface Sum {
  messages: number;
  bytes: number;
  readonly reason: DropReason;
}

export class TopicNews {
  readonly #topic: Teller;
  /** Drops of this turn, one sum for each member and reason. */
  #drops: Map<TopicMember, Sum> | undefined;

  constructor(topic: Teller) {
    this.#topic = topic;
  }

  joined(member: TopicMember): void {
    this.#tell('join', member);
  }

  left(member: TopicMember, reason: LeaveReason, limit: string | undefined): void {
    if (limit !== undefined) publishLimit(member.connection, limit);
    this.#tell('leave', member, reason);
  }

  dropped(member: TopicMember, bytes: number, reason: DropReason): void {
    if (!dropChannel.hasSubscribers && this.#topic.listenerCount('drop') === 0) return;
    if (this.#drops === undefined) {
      this.#drops = new Map();
      process.nextTick(() => this.#tellDrops());
    }
    const known = this.#drops.get(member);
    if (known?.reason === reason) {
      known.messages += 1;
      known.bytes += bytes;
      return;
    }
    if (known !== undefined) this.#tellDrop(member, known);
    this.#drops.set(member, { messages: 1, bytes, reason });
  }

  #tellDrops(): void {
    const drops = this.#drops ?? [];
    this.#drops = undefined;
    for (const [member, drop] of drops) this.#tellDrop(member, drop);
  }

  #tellDrop(member: TopicMember, drop: Drop): void {
    const { connection } = member;
    if (dropChannel.hasSubscribers) dropChannel.publish({ topic: this.#topic.name, connection, ...drop });
    if (!this.#topic.destroyed) this.#topic.emit('drop', member, drop);
  }

  #tell(event: string, member: TopicMember, reason?: LeaveReason | undefined): void {
    if (this.#topic.listenerCount(event) === 0) return;
    process.nextTick(() => this.#topic.destroyed || this.#topic.emit(event, member, reason));
  }
}
