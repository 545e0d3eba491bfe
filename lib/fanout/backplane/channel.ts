/**
 * One name on a backplane, as this process has it: its subscribers here, what it has to publish, and one subscription at
 * the broker for all of them, for as long as there are any.
 *
 * Without a log, subscribers here are given what is published here at once, whatever the broker does, and what others
 * publish as it comes. With a log everybody, here too, is given what the log has, in its order.
 */
import { WsError } from '../../errors.ts';
import type { PreparedFrame } from '../prepared-frame.ts';
import { callOut } from '../uncaught.ts';
import type { Broker, LogEntry } from './broker.ts';
import { createPublisherId, decodeEnvelope, ENVELOPE_LENGTH, encodeEnvelope } from './envelope.ts';
import { LogFollower } from './log-follower.ts';
import { type Latecomer, LogReplay, type ReplayOptions } from './log-replay.ts';
import { PublishQueue, type QueueHandlers } from './publish-queue.ts';
import { PublisherLedger } from './publisher-ledger.ts';
import { SubscriptionKeeper } from './subscription-keeper.ts';

/** What is known of a message, beside what it says. */
export interface Delivery {
  /** Where there is history: its place, behind which a member may come again. */
  readonly id: string | undefined;
  /** Whether it was published through this backplane object, and did not come from elsewhere. */
  readonly isLocal: boolean;
}

/** Is given each message of a name. */
export type BackplaneListener = (message: PreparedFrame, delivery: Delivery) => void;

/** What a channel asks of its backplane, and tells it. */
export interface ChannelHost {
  /** Whether the broker is there. */
  readonly isConnected: boolean;
  readonly maxMessageBytes: number;
  readonly maxPublishers: number;
  /** @returns why a message of this length cannot be queued now */
  objection(length: number): WsError | undefined;
  queued(messages: number, bytes: number): void;
  published(): void;
  refused(name: string, error: WsError, messages: number): void;
  received(): void;
  duplicate(): void;
  lost(name: string, publisher: string, messages: number): void;
  malformed(name: string, reason: string): void;
  subscribeFailed(name: string, error: unknown): void;
  /** Nobody listens and nothing waits: it may be forgotten. */
  idle(channel: Channel): void;
}

/** How often a log is read again from where it could not be read, before that is given up. */
const MAX_REPLAYS = 10;

const LOCAL: Delivery = { id: undefined, isLocal: true };
const REMOTE: Delivery = { id: undefined, isLocal: false };

export class Channel {
  readonly name: string;
  readonly #host: ChannelHost;
  readonly #broker: Broker | undefined;
  readonly #publisher = createPublisherId();
  readonly #publisherName = this.#publisher.toString('hex');
  readonly #queue: PublishQueue;
  readonly #keeper: SubscriptionKeeper;
  readonly #listeners = new Set<BackplaneListener>();
  #ledger: PublisherLedger;
  #follower: LogFollower | undefined;
  #sequence = 0;
  /** What is being delivered, and what is to be behind it. */
  readonly #due: (() => void)[] = [];

  constructor(name: string, host: ChannelHost, broker: Broker | undefined) {
    this.name = name;
    this.#host = host;
    this.#broker = broker;
    this.#ledger = new PublisherLedger(host.maxPublishers);
    this.#follower = this.#createFollower();
    this.#queue = new PublishQueue(this.#queueHandlers());
    this.#keeper = new SubscriptionKeeper({
      join: (isStale) => this.#join(isStale),
      part: () => this.#part(),
      failed: (error) => host.subscribeFailed(name, error),
      isConnected: () => host.isConnected,
      isWanted: () => this.#listeners.size > 0,
    });
  }

  /** Whether it can be forgotten: nobody listens, and nothing waits. */
  get isIdle(): boolean {
    return this.#listeners.size === 0 && this.#queue.isEmpty && this.#keeper.isIdle;
  }

  /** After the end it does nothing. */
  subscribe(listener: BackplaneListener): void {
    this.#listeners.add(listener);
    this.#keeper.align();
  }

  unsubscribe(listener: BackplaneListener): void {
    this.#listeners.delete(listener);
    this.#keeper.align();
    this.#restIfIdle();
  }

  /** Kept when what is published from now on will come; or, at the end, when it will not. */
  joined(): Promise<void> {
    return this.#broker === undefined ? Promise.resolve() : this.#keeper.joined();
  }

  /**
   * Publishes a message.
   *
   * @param author has it already
   * @returns a promise of whether the broker has taken it; it never rejects
   */
  publish(frame: PreparedFrame, author?: BackplaneListener | undefined): Promise<boolean> {
    this.#host.published();
    // First elsewhere: who is given it here may publish an answer at once, and that comes behind it.
    const taken = this.#publishElsewhere(frame);
    if (this.#follower === undefined) this.#deliver(frame, LOCAL, author);
    this.#restIfIdle();
    return taken;
  }

  /** Kept when all that the log has by now has been given to those who listen. */
  async caughtUp(): Promise<void> {
    try {
      const newest = await this.#broker?.log?.newest(this.name);
      if (newest !== undefined) await this.#follower?.reach(newest);
    } catch {
      // It cannot be read: nobody knows what there is.
    }
  }

  /** Gives a latecomer what it missed, and joins it to those who get what comes. */
  async replay(from: ReplayOptions, latecomer: Latecomer): Promise<void> {
    const log = this.#broker?.log;
    const replay = log === undefined ? undefined : new LogReplay(log, this.name, from, latecomer);
    for (let attempts = 0; attempts < MAX_REPLAYS; attempts++) {
      await this.joined();
      const follower = this.#follower;
      if (replay === undefined || follower === undefined) break;
      try {
        return await replay.run(follower);
      } catch {
        // When it is joined again, the log can be read again.
        this.#keeper.rejoin();
      }
    }
    if (replay !== undefined) latecomer.missed();
    latecomer.join();
  }

  connected(): void {
    this.#keeper.align();
    this.#queue.flush();
  }

  disconnected(): void {
    this.#keeper.disconnected();
    this.#follower?.pause();
    this.#queue.disconnected();
  }

  /** Gives up what waits to be published. */
  refuseAll(createError: () => WsError): void {
    this.#queue.refuseAll(createError);
  }

  /** The end. */
  close(createError: () => WsError): void {
    this.#listeners.clear();
    this.#keeper.close();
    this.#follower?.stop();
    this.#queue.refuseAll(createError);
  }

  /** The broker has brought something. */
  message(bytes: Uint8Array): void {
    if (this.#listeners.size > 0) this.#open(bytes, undefined);
  }

  /** The log has something more. */
  appended(entry: LogEntry): void {
    this.#follower?.appended(entry);
  }

  #publishElsewhere(frame: PreparedFrame): Promise<boolean> {
    if (this.#broker === undefined) return Promise.resolve(true);
    const error = this.#objection(frame.payload.length);
    if (error === undefined) {
      this.#sequence += 1;
      return this.#queue.push(encodeEnvelope(this.#publisher, this.#sequence, frame));
    }
    this.#host.refused(this.name, error, 1);
    return Promise.resolve(false);
  }

  #objection(length: number): WsError | undefined {
    const brokers = this.#broker?.maxMessageBytes ?? Number.POSITIVE_INFINITY;
    const max = Math.min(this.#host.maxMessageBytes, brokers - ENVELOPE_LENGTH);
    if (length <= max) return this.#host.objection(length);
    return new WsError('WS_ERR_BACKPLANE_TOO_LARGE', `A message of ${length} bytes is larger than ${max}`);
  }

  #queueHandlers(): QueueHandlers {
    const host = this.#host;
    // Who listens to a log must know where in it he is, before he writes there.
    const isReady = (): boolean => this.#listeners.size === 0 || (this.#follower?.hasBegun ?? true);
    return {
      isConnected: () => host.isConnected && isReady(),
      send: (batch) => this.#broker?.publish(this.name, batch) ?? Promise.resolve(true),
      queued: (messages, bytes) => host.queued(messages, bytes),
      drained: () => this.#restIfIdle(),
      refused: (error, messages) => host.refused(this.name, error, messages),
    };
  }

  #createFollower(): LogFollower | undefined {
    const log = this.#broker?.log;
    if (log === undefined) return undefined;
    return new LogFollower(log, this.name, {
      entered: ({ id, bytes }) => this.#open(bytes, id),
      behind: () => this.#keeper.rejoin(),
    });
  }

  async #join(isStale: () => boolean): Promise<void> {
    const follower = this.#follower;
    await follower?.begin();
    if (isStale()) return;
    this.#queue.flush();
    await this.#broker?.subscribe(this.name);
    if (follower === undefined) this.#tellPosition(isStale);
    else await follower.catchUp(isStale);
  }

  /** So those who were away learn how much they have missed, also where nothing more comes. */
  #tellPosition(isStale: () => boolean): void {
    if (isStale() || this.#host.objection(0) !== undefined) return;
    void this.#queue.push(encodeEnvelope(this.#publisher, this.#sequence), false);
  }

  async #part(): Promise<void> {
    this.#follower?.stop();
    this.#follower = this.#createFollower();
    // What is published while nobody listens is not missed.
    this.#ledger = new PublisherLedger(this.#host.maxPublishers);
    await this.#broker?.unsubscribe(this.name);
    // The keeper is done with it in a moment.
    queueMicrotask(() => this.#restIfIdle());
  }

  #restIfIdle(): void {
    if (this.isIdle) this.#host.idle(this);
  }

  /** Takes what came out of its envelope, and judges its place in what its publisher has said. */
  #open(bytes: Uint8Array, id: string | undefined): void {
    const isTooLarge = bytes.length - ENVELOPE_LENGTH > this.#host.maxMessageBytes;
    const envelope = isTooLarge ? `${bytes.length} bytes are too many` : decodeEnvelope(bytes);
    if (typeof envelope === 'string') {
      this.#host.malformed(this.name, envelope);
      return;
    }
    const { publisher, sequence, frame } = envelope;
    const isLocal = publisher === this.#publisherName;
    if (isLocal && id === undefined) return;
    const missing = frame ? this.#ledger.enter(publisher, sequence) : this.#ledger.learn(publisher, sequence);
    if (missing > 0) this.#host.lost(this.name, publisher, missing);
    if (frame === undefined) return;
    if (missing < 0) this.#host.duplicate();
    else {
      this.#host.received();
      this.#deliver(frame, id === undefined ? REMOTE : { id, isLocal });
    }
  }

  /** What is published while something is delivered comes behind it, for everybody. */
  #deliver(frame: PreparedFrame, delivery: Delivery, except?: BackplaneListener | undefined): void {
    this.#due.push(() => {
      for (const listener of this.#listeners) {
        if (listener !== except) callOut(() => listener(frame, delivery));
      }
    });
    if (this.#due.length > 1) return;
    for (let give = this.#due[0]; give !== undefined; give = this.#due[0]) {
      give();
      this.#due.shift();
    }
  }
}
