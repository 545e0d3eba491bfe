/**
 * The knobs of a connection: unit, default and reason of each, checked once, at the door.
 */
const MIB = 1_048_576;

/** Finds dead peers. Any byte in and any progress out counts as life. */
export interface HeartbeatOptions {
  /** ms of silence after which a ping is sent. Default 30,000: below the 60 s after which proxies drop idle connections. */
  readonly intervalMs?: number | undefined;
  /** ms without any life after that ping, after which the connection is cut (1006). Default 30,000. */
  readonly timeoutMs?: number | undefined;
}

/** What every connection takes, in either role. */
export interface ConnectionOptions {
  /**
   * The largest reassembled message in bytes, inclusive; a larger one is refused with 1009 as soon as it is announced.
   * Default 16 MiB: what most peers send fits, and a thousand hostile peers cannot fill a server. `Infinity` is allowed;
   * what memory has no room for is refused likewise.
   */
  readonly maxMessageBytes?: number | undefined;
  /** The largest payload of one frame in bytes, inclusive; 1009 beyond it. Default `Infinity`: messages are limited, not frames. */
  readonly maxFrameBytes?: number | undefined;
  /**
   * Bytes that came and were not read, overhead counted, before the socket is no longer read. Default 256 KiB: four reads
   * of a socket, enough to keep a busy reader supplied.
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * Bytes that may wait to be sent, overhead counted, beyond which the connection is failed with 1013 instead of taking
   * more: whoever awaits what he sends never comes near it. Default 64 MiB: a burst of eighty thousand small messages,
   * or of four of `maxMessageBytes`. A message is taken whole, however large, where less than that waits. `Infinity` is allowed.
   */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * Messages, and control frames, that may come in a second; a second's worth may come at once. A peer that is faster is
   * not read for a while. Default `Infinity`: backpressure holds it back anyway; a rate is for what is cheap to send and
   * dear to serve.
   */
  readonly maxMessagesPerSecond?: number | undefined;
  /** Bytes on the wire that may come in a second, likewise. Default `Infinity`. */
  readonly maxBytesPerSecond?: number | undefined;
  /**
   * ms that bytes may wait without any of them leaving, after which the connection is cut (1006). Default 60,000: the
   * system takes bytes in steps of up to 64 KiB, so who reads a kilobyte a second stays, and a peer that pings and never reads does not. `Infinity` waits for ever.
   */
  readonly writeTimeoutMs?: number | undefined;
  /**
   * ms without any part of a message either way, after which the connection is closed with 1001. Pings are no messages.
   * Default `Infinity`: what is idle costs little, and `heartbeat` finds what is dead.
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * ms that a closing handshake may take without any progress before the socket is destroyed (1006). Default 10,000.
   * After half of it, a close that nobody reads up to is answered all the same.
   */
  readonly closeTimeoutMs?: number | undefined;
  /** Whether pings are answered by themselves. Default `true`; with `false` they are delivered, and answering is yours. */
  readonly autoPong?: boolean | undefined;
  /** Whether ping, pong and close frames are delivered too, after they were handled. Default `false`. */
  readonly controlFrames?: boolean | undefined;
  /** Whether text is checked to be UTF-8, which RFC 6455 §8.1 demands. Default `true`. */
  readonly validateUtf8?: boolean | undefined;
  /** Whether lengths in more bytes than needed are taken, which RFC 6455 §5.2 forbids. Default `false`. */
  readonly allowNonMinimalLengths?: boolean | undefined;
  /** `false`, or how dead peers are found. Default: on for servers, `false` for clients and bare connections. */
  readonly heartbeat?: HeartbeatOptions | boolean | undefined;
}

/** What a server knows of the request that became a connection. */
export interface WsRequest {
  /** The request target: path and query. */
  readonly url: string;
  /** The request's header fields, lower-case names, as Node's `IncomingMessage.headers` has them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly remoteAddress: string | undefined;
  /** The subprotocols that were offered, in the client's order of preference. */
  readonly protocols: readonly string[];
  readonly httpVersion: string;
}

/** The request as the functions see it that judge a handshake: `authorize`, `origins`, `selectProtocol`, `responseHeaders`. */
export interface PendingRequest extends WsRequest {
  /**
   * Aborts when nobody waits for the answer any more: the client has gone (an `AbortError`), the time is over, or the
   * server was stopped (a `HandshakeError`). So a query can be cancelled; what it then throws is caught. It is made when
   * it is asked for, and does nothing once the connection stands.
   */
  readonly signal: AbortSignal;
}

/** What a client knows of the response that became a connection. */
export interface WsResponse {
  readonly status: number;
  /** The response's header fields, lower-case names, as Node's `IncomingMessage.headers` has them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** {@link ConnectionOptions} with every default in its place. */
export interface ResolvedConnectionOptions {
  readonly maxMessageBytes: number;
  readonly maxFrameBytes: number;
  readonly maxBufferedBytes: number;
  readonly maxQueuedBytes: number;
  readonly maxMessagesPerSecond: number;
  readonly maxBytesPerSecond: number;
  readonly writeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly autoPong: boolean;
  readonly controlFrames: boolean;
  readonly validateUtf8: boolean;
  readonly allowNonMinimalLengths: boolean;
  readonly heartbeat: Readonly<Required<{ intervalMs: number; timeoutMs: number }>> | undefined;
}

const DEFAULT_HEARTBEAT = { intervalMs: 30_000, timeoutMs: 30_000 };
/** The longest delay in ms that a timer of the platform takes. */
export const MAX_TIMER_MS = 2_147_483_647;

/**
 * Puts the defaults in and checks the rest.
 *
 * @throws TypeError for a value of the wrong type, RangeError for one out of range
 */
export function resolveConnectionOptions(options: ConnectionOptions = {}): ResolvedConnectionOptions {
  return share({
    maxMessageBytes: byteLimit('maxMessageBytes', options.maxMessageBytes, 16 * MIB),
    maxFrameBytes: byteLimit('maxFrameBytes', options.maxFrameBytes, Number.POSITIVE_INFINITY),
    maxBufferedBytes: byteLimit('maxBufferedBytes', options.maxBufferedBytes, MIB / 4),
    maxQueuedBytes: byteLimit('maxQueuedBytes', options.maxQueuedBytes, 64 * MIB),
    maxMessagesPerSecond: rate('maxMessagesPerSecond', options.maxMessagesPerSecond),
    maxBytesPerSecond: rate('maxBytesPerSecond', options.maxBytesPerSecond),
    writeTimeoutMs: patience('writeTimeoutMs', options.writeTimeoutMs, 60_000),
    idleTimeoutMs: patience('idleTimeoutMs', options.idleTimeoutMs, Number.POSITIVE_INFINITY),
    closeTimeoutMs: milliseconds('closeTimeoutMs', options.closeTimeoutMs, 10_000),
    autoPong: flag('autoPong', options.autoPong, true),
    controlFrames: flag('controlFrames', options.controlFrames, false),
    validateUtf8: flag('validateUtf8', options.validateUtf8, true),
    allowNonMinimalLengths: flag('allowNonMinimalLengths', options.allowNonMinimalLengths, false),
    heartbeat: resolveHeartbeat(options.heartbeat),
  });
}

/** How many are remembered: the connections of a process have few kinds of limits. */
const MAX_SHARED = 8;
const shared: ResolvedConnectionOptions[] = [];

/** Gives equal options as one object, which connections hold for as long as they live. */
function share(options: ResolvedConnectionOptions): ResolvedConnectionOptions {
  const known = shared.find((other) => isEqual(other, options));
  if (known !== undefined) return known;
  shared.unshift(options);
  shared.splice(MAX_SHARED);
  return options;
}

function isEqual(one: ResolvedConnectionOptions, other: ResolvedConnectionOptions): boolean {
  for (const name of Object.keys(one) as (keyof ResolvedConnectionOptions)[]) {
    if (name !== 'heartbeat' && one[name] !== other[name]) return false;
  }
  const [a, b] = [one.heartbeat, other.heartbeat];
  return a?.intervalMs === b?.intervalMs && a?.timeoutMs === b?.timeoutMs;
}

function resolveHeartbeat(value: HeartbeatOptions | boolean | undefined): ResolvedConnectionOptions['heartbeat'] {
  if (value === undefined || value === false) return undefined;
  if (value === true) return DEFAULT_HEARTBEAT;
  if (typeof value !== 'object' || value === null) throw new TypeError('heartbeat must be false, true or an object');
  return {
    intervalMs: milliseconds('heartbeat.intervalMs', value.intervalMs, DEFAULT_HEARTBEAT.intervalMs),
    timeoutMs: milliseconds('heartbeat.timeoutMs', value.timeoutMs, DEFAULT_HEARTBEAT.timeoutMs),
  };
}

/** Checks a limit in bytes: a whole number from 0 on, or `Infinity`. */
export function byteLimit(name: string, value: number | undefined, fallback: number): number {
  return count(name, value, fallback, Number.POSITIVE_INFINITY);
}

/** Checks a number of things: a whole number from 0 to `max`. */
export function count(name: string, value: number | undefined, fallback: number, max: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  const isWhole = Number.isInteger(value) || value === Number.POSITIVE_INFINITY;
  if (!isWhole || value < 0 || value > max) {
    throw new RangeError(`${name} must be a whole number from 0 to ${max}, not ${value}`);
  }
  return value;
}

/** Checks a time in ms: more than 0, and no more than a timer takes (about 24 days). */
export function milliseconds<T>(name: string, value: number | undefined, fallback: T): number | T {
  if (value === undefined) return fallback;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  if (!(value > 0 && value <= MAX_TIMER_MS)) {
    throw new RangeError(`${name} must be more than 0 and at most ${MAX_TIMER_MS} ms, not ${value}`);
  }
  return value;
}

/** Checks a time in ms as {@link milliseconds} does, or `Infinity` for no limit. */
export function patience(name: string, value: number | undefined, fallback: number): number {
  return value === Number.POSITIVE_INFINITY ? value : milliseconds(name, value, fallback);
}

/** Checks a number of things a second: more than 0, or `Infinity`, which is the default, for no limit. */
export function rate(name: string, value: number | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  if (!(value > 0)) throw new RangeError(`${name} must be more than 0, not ${value}`);
  return value;
}

/** Checks a switch. */
export function flag(name: string, value: boolean | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false`);
  return value;
}
