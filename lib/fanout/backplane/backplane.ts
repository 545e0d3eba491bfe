/**
 * What joins topics of the same name: those of this process at once, and those of others through a broker.
 *
 * The guarantees, whatever the broker does:
 * - **Order.** What one process publishes under a name is delivered in that order, everywhere.
 * - **At most once.** Nothing is delivered twice. Without history, what is published while a process or its broker is
 *   away may never reach it; how much that was is counted and told as `'lost'`, when its publisher is next heard.
 * - **History.** With a log, everybody is given the same messages in the same order, each with its id; who was away is
 *   given what it missed, as far as the log reaches.
 * - **Bounds.** What waits for the broker is bounded in bytes; beyond that, and where the policy says so, it is refused:
 *   `publish` gives `false`, and `'refused'` says why.
 *
 * Nothing here throws, rejects or emits `'error'` for what a broker does.
 */
import { EventEmitter } from 'node:events';
import { WsError } from '../../errors.ts';
import { milliseconds } from '../../options.ts';
import { type Message, type PreparedFrame, prepare } from '../prepared-frame.ts';
import { callOut } from '../uncaught.ts';
import type { BackplaneEvents, BackplaneStats } from './backplane-events.ts';
import {
  assertName,
  type BackplaneOptions,
  type ResolvedBackplaneSettings,
  resolveSettings,
} from './backplane-options.ts';
import type { Broker } from './broker.ts';
import { type BackplaneListener, Channel, type ChannelHost } from './channel.ts';
import type { Latecomer, ReplayOptions } from './log-replay.ts';
import { MemoryBroker } from './memory-broker.ts';
import { MemoryLog } from './memory-log.ts';
import { queuedSize } from './publish-queue.ts';

/** Where more than this waits for the broker, streams that are published are held back. */
const HIGH_WATER_BYTES = 1_048_576;

/** How many names that nobody listens to are remembered, so that what is published there stays in order. */
const MAX_IDLE_CHANNELS = 1000;

/** A listener's place on a backplane: what `subscribe` gives. */
export interface BackplaneSubscription {
  /**
   * A promise that is kept when what is published elsewhere from now on will come; or when that will never be. Asked for
   * again while the broker is away, it is kept when that is so again. It never rejects.
   */
  readonly ready: Promise<void>;
  /** Publishes under the same name, to all but this listener; with history, to this one too, when the log has it. */
  publish(message: Message): Promise<boolean>;
  /** @internal Kept when all that the log has by now has been given to those who listen. */
  caughtUp(): Promise<void>;
  /** @internal gives a latecomer what it missed, and joins it */
  replay(from: ReplayOptions, latecomer: Latecomer): Promise<void>;
  unsubscribe(): void;
  [Symbol.dispose](): void;
}

/** Joins all topics, and all else that listens, by name. Share one in a process. */
export class Backplane extends EventEmitter<BackplaneEvents> {
  readonly #broker: Broker | undefined;
  readonly #settings: ResolvedBackplaneSettings;
  readonly #channels = new Map<string, Channel>();
  readonly #idle = new Set<Channel>();
  readonly #tally = { ...{ connects: 0, disconnects: 0, published: 0, refused: 0 }, queuedMessages: 0, queuedBytes: 0 };
  readonly #came = { received: 0, duplicates: 0, lost: 0, malformed: 0 };
  readonly #host: ChannelHost;
  #isConnected = false;
  /** Told to be away, once. */
  #isAway = false;
  #closing: Promise<void> | undefined;
  #waiting: (() => void)[] = [];
  #onDrained: (() => void) | undefined;

  /** @throws TypeError, RangeError for options that cannot be */
  constructor(options: BackplaneOptions = {}) {
    super();
    this.#settings = resolveSettings(options);
    const { broker, history } = options;
    if (broker !== undefined && history !== undefined)
      throw new TypeError("A broker's history is an option of its own");
    this.#broker = history === undefined ? broker : new MemoryBroker(new MemoryLog(history));
    this.#host = this.#createHost();
    this.#broker?.start({
      connected: () => this.#connected(),
      disconnected: (error) => this.#disconnected(error),
      message: (name, bytes) => this.#channels.get(name)?.message(bytes),
      appended: (name, entry) => this.#channels.get(name)?.appended(entry),
      malformed: (name, reason) => this.#host.malformed(name, reason),
    });
  }

  /** Whether the broker can be reached. Without one there is nothing that could be away. */
  get isConnected(): boolean {
    return this.#isConnected || (this.#broker === undefined && this.#closing === undefined);
  }

  /** Whether messages have ids, and may be asked for later. */
  get hasHistory(): boolean {
    return this.#broker?.log !== undefined;
  }

  get stats(): BackplaneStats {
    return { isConnected: this.isConnected, ...this.#tally, ...this.#came, names: this.#channels.size };
  }

  /**
   * Publishes a message to all who listen to a name.
   *
   * @returns a promise of whether the broker has taken it: `false` where it was refused, or where that is not known. It
   * does not reject for what a broker does, and need not be awaited
   * @throws TypeError for what is no message, or no name; as a rejection
   */
  async publish(name: string, message: Message): Promise<boolean> {
    return this.#publish(name, prepare(message));
  }

  /**
   * Listens to a name.
   *
   * @throws TypeError for a name that is none, or a listener that is none
   */
  subscribe(name: string, listener: BackplaneListener): BackplaneSubscription {
    if (typeof listener !== 'function') throw new TypeError('The listener must be a function');
    const channel = this.#channel(name);
    const own: BackplaneListener = (message, delivery) => listener(message, delivery);
    if (this.#closing === undefined) channel.subscribe(own);
    else channel.close(closedError);
    const unsubscribe = (): void => channel.unsubscribe(own);
    return {
      get ready() {
        return channel.joined();
      },
      publish: async (message) => this.#publish(name, prepare(message), own),
      caughtUp: () => channel.caughtUp(),
      replay: (from, latecomer) => channel.replay(from, latecomer),
      unsubscribe,
      [Symbol.dispose]: unsubscribe,
    };
  }

  /**
   * @internal Waits until the broker has taken enough of what waits for it. Without history nobody waits for a broker
   * that is away: this process goes on by itself.
   *
   * @returns undefined where there is nothing to wait for
   */
  room(): Promise<void> | undefined {
    if (!this.#isFull || !(this.#isConnected || this.hasHistory) || this.#closing !== undefined) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Ends it: gives the broker what waits, where it is there, and lets go of everything.
   *
   * @returns a promise that never rejects for what a broker does
   */
  close({ deadlineMs = 2000 }: { readonly deadlineMs?: number | undefined } = {}): Promise<void> {
    const patience = milliseconds('deadlineMs', deadlineMs, 2000);
    this.#closing ??= this.#close(patience);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #publish(name: string, frame: PreparedFrame, author?: BackplaneListener): Promise<boolean> {
    if (this.#closing !== undefined) {
      this.#host.published();
      this.#host.refused(name, closedError(), 1);
      return Promise.resolve(false);
    }
    return this.#channel(name).publish(frame, author);
  }

  #channel(name: string): Channel {
    const known = this.#channels.get(name);
    if (known !== undefined) {
      this.#idle.delete(known);
      return known;
    }
    assertName(name);
    const channel = new Channel(name, this.#host, this.#broker);
    this.#channels.set(name, channel);
    return channel;
  }

  /** Names come and go; what is published under one that nobody listens to here is remembered for a while. */
  #rest(channel: Channel): void {
    this.#idle.add(channel);
    if (this.#idle.size <= MAX_IDLE_CHANNELS) return;
    for (const oldest of this.#idle) {
      this.#idle.delete(oldest);
      if (oldest.isIdle) this.#channels.delete(oldest.name);
      break;
    }
  }

  #createHost(): ChannelHost {
    const { maxMessageBytes, maxPublishers } = this.#settings;
    const isConnected = (): boolean => this.#isConnected;
    return {
      get isConnected() {
        return isConnected();
      },
      ...{ maxMessageBytes, maxPublishers },
      objection: (length) => this.#objection(length),
      queued: (messages, bytes) => this.#queued(messages, bytes),
      published: () => void this.#tally.published++,
      refused: (name, error, messages) => {
        this.#tally.refused += messages;
        callOut(() => this.emit('refused', { name, messages, error }));
      },
      received: () => void this.#came.received++,
      duplicate: () => void this.#came.duplicates++,
      lost: (name, publisher, messages) => {
        this.#came.lost += messages;
        callOut(() => this.emit('lost', { name, publisher, messages }));
      },
      malformed: (name, reason) => {
        this.#came.malformed++;
        callOut(() => this.emit('malformed', { name, reason }));
      },
      subscribeFailed: (name, cause) => {
        const error = new WsError('WS_ERR_BACKPLANE_REFUSED', `Cannot subscribe to ${name}`, { cause });
        callOut(() => this.emit('subscribeFailed', { name, error }));
      },
      idle: (channel) => this.#rest(channel),
    };
  }

  #objection(length: number): WsError | undefined {
    const { whileAway, maxQueuedBytes } = this.#settings;
    if (!this.#isConnected && whileAway === 'reject') return awayError();
    if (this.#tally.queuedBytes + queuedSize(length) <= maxQueuedBytes) return undefined;
    return new WsError('WS_ERR_BACKPLANE_FULL', `More than ${maxQueuedBytes} bytes would wait for the broker`);
  }

  #queued(messages: number, bytes: number): void {
    this.#tally.queuedMessages += messages;
    this.#tally.queuedBytes += bytes;
    if (this.#tally.queuedMessages === 0) this.#onDrained?.();
    if (!this.#isFull) this.#makeRoom();
  }

  get #isFull(): boolean {
    return this.#tally.queuedBytes > Math.min(HIGH_WATER_BYTES, this.#settings.maxQueuedBytes / 2);
  }

  #makeRoom(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #connected(): void {
    if (this.#isConnected) return;
    this.#isConnected = true;
    this.#isAway = false;
    this.#tally.connects++;
    for (const channel of this.#channels.values()) channel.connected();
    callOut(() => this.emit('connected'));
  }

  #disconnected(error: Error | undefined): void {
    if (this.#isAway) return;
    this.#isAway = true;
    if (this.#isConnected) this.#tally.disconnects++;
    this.#isConnected = false;
    for (const channel of this.#channels.values()) {
      channel.disconnected();
      if (this.#settings.whileAway === 'reject') channel.refuseAll(awayError);
    }
    this.#onDrained?.();
    if (!this.hasHistory) this.#makeRoom();
    callOut(() => this.emit('disconnected', error));
  }

  async #close(deadlineMs: number): Promise<void> {
    if (this.#isConnected && this.#tally.queuedMessages > 0) await this.#drain(deadlineMs);
    for (const channel of this.#channels.values()) channel.close(closedError);
    this.#channels.clear();
    this.#makeRoom();
    this.#isConnected = false;
    await this.#broker?.close();
  }

  #drain(deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, deadlineMs);
      this.#onDrained = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const closedError = (): WsError => new WsError('WS_ERR_BACKPLANE_CLOSED', 'The backplane is closed');

const awayError = (): WsError => new WsError('WS_ERR_BACKPLANE_AWAY', 'The broker cannot be reached');
