/**
 * What wspipe publishes on `node:diagnostics_channel`, for monitoring that needs no hand in the program. What nobody
 * subscribes to costs a look at a flag, and is never made.
 *
 * Law: a channel only tells. Nothing depends on whether somebody listens, and a subscriber that throws is an uncaught
 * exception of its own, as Node has it.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { Duplex } from 'node:stream';
import type { HandshakeError, ProtocolError, ViolationCode } from '../errors.ts';
import type { WsRequest } from '../options.ts';
import type { WsRole } from '../protocol/header-rules.ts';
import type { CloseInfo } from './closer.ts';
import { isTracing, traceClosed, traceOpen } from './road/frame-trace.ts';
import type { WsConnection } from './ws-connection.ts';

/**
 * `wspipe:handshake-start`: a handshake begins; `wspipe:handshake-end`, with the same object: it is over. That is what
 * it takes to make a span of it.
 */
export interface HandshakeMessage {
  readonly role: WsRole;
  /** On a client the URL that was asked for, without user and password; on a server the target of the request. */
  readonly url: string;
  /** On a server. */
  readonly request?: WsRequest | undefined;
  /** At the end, ms since the beginning. */
  durationMs?: number | undefined;
  /** At the end, where it succeeded. */
  connection?: WsConnection | undefined;
  /** At the end, why it did not succeed; undefined on a server whose peer has gone meanwhile. */
  error?: Error | undefined;
}

/** `wspipe:ping`: a pong has answered a ping of ours. */
export interface PingMessage {
  readonly connection: WsConnection;
  readonly roundTripMs: number;
}

/** `wspipe:retry`: a client that connects again and again waits before the next time. */
export interface RetryMessage {
  /** The URL, without user and password; undefined where the function that makes it has failed. */
  readonly url: string | undefined;
  /** How many times in a row it has not succeeded, or not for long. */
  readonly attempt: number;
  readonly delayMs: number;
  /** Why there was no connection, or how the last one ended. */
  readonly error?: Error | undefined;
  readonly closeInfo?: CloseInfo | undefined;
}

/** `wspipe:refused`: a handshake was refused, and answered. */
export interface RefusedMessage {
  readonly error: HandshakeError;
  /** `undefined` where no request could be read. */
  readonly request: WsRequest | undefined;
}

/** `wspipe:open`: a connection stands. */
export interface OpenMessage {
  readonly connection: WsConnection;
}

/** `wspipe:closed`: a connection is over. */
export interface ClosedMessage {
  readonly connection: WsConnection;
  readonly info: CloseInfo;
}

/** `wspipe:violation`: a peer broke the RFC, or a limit of a size. */
export interface ViolationMessage {
  readonly connection: WsConnection;
  readonly error: ProtocolError;
}

/** `wspipe:limit`: a limit or a time limit was reached. */
export interface LimitMessage {
  /** The name of the option that says where it is. */
  readonly limit: string;
  /** Where a connection reached it. */
  readonly connection?: WsConnection | undefined;
  /** Where a handshake reached it: how it was answered, and the request where one could be read. */
  readonly error?: HandshakeError | undefined;
  readonly request?: WsRequest | undefined;
}

/** `wspipe:handler-error`: a handler given to `serve()` threw. */
export interface HandlerErrorMessage {
  readonly connection: WsConnection;
  readonly error: unknown;
}

/** A channel of which the messages are known. */
export class TypedChannel<T extends object> {
  readonly #channel: Channel;

  constructor(name: string) {
    this.#channel = channel(name);
  }

  /** Whether it is worth to make a message. */
  get hasSubscribers(): boolean {
    return this.#channel.hasSubscribers;
  }

  publish(message: T): void {
    this.#channel.publish(message);
  }
}

export const handshakeStartChannel: TypedChannel<HandshakeMessage> = new TypedChannel('wspipe:handshake-start');
export const handshakeEndChannel: TypedChannel<HandshakeMessage> = new TypedChannel('wspipe:handshake-end');
export const pingChannel: TypedChannel<PingMessage> = new TypedChannel('wspipe:ping');
export const retryChannel: TypedChannel<RetryMessage> = new TypedChannel('wspipe:retry');
export const refusedChannel: TypedChannel<RefusedMessage> = new TypedChannel('wspipe:refused');
export const openChannel: TypedChannel<OpenMessage> = new TypedChannel('wspipe:open');
export const closedChannel: TypedChannel<ClosedMessage> = new TypedChannel('wspipe:closed');
export const violationChannel: TypedChannel<ViolationMessage> = new TypedChannel('wspipe:violation');
export const limitChannel: TypedChannel<LimitMessage> = new TypedChannel('wspipe:limit');
export const handlerErrorChannel: TypedChannel<HandlerErrorMessage> = new TypedChannel('wspipe:handler-error');

/** How a handshake has ended. */
export type HandshakeOutcome = Pick<HandshakeMessage, 'connection' | 'error'>;

/**
 * Tells that a handshake begins.
 *
 * @param about what it is about; asked only where somebody subscribes
 * @returns tells how it has ended; `undefined` where nobody wants to know
 */
export function publishHandshake(
  about: () => Pick<HandshakeMessage, 'role' | 'url' | 'request'>,
): ((outcome: HandshakeOutcome) => void) | undefined {
  if (!handshakeStartChannel.hasSubscribers && !handshakeEndChannel.hasSubscribers) return undefined;
  const startedAt = performance.now();
  const message: HandshakeMessage = { ...about(), durationMs: undefined, connection: undefined, error: undefined };
  handshakeStartChannel.publish(message);
  return (outcome) => {
    handshakeEndChannel.publish(Object.assign(message, outcome, { durationMs: performance.now() - startedAt }));
  };
}

/** Tells that a connection stands. */
export function publishOpen(connection: WsConnection, socket: Duplex): void {
  if (isTracing) traceOpen(connection, socket);
  if (openChannel.hasSubscribers) openChannel.publish({ connection });
}

/** Tells how long a pong took. */
export function publishPing(stream: Duplex, roundTripMs: number): void {
  if (pingChannel.hasSubscribers) pingChannel.publish({ connection: stream as WsConnection, roundTripMs });
}

/** The violations that are limits of the caller's, and the options that say where they are. */
const LIMITS: Partial<Record<ViolationCode, string>> = {
  WS_ERR_MESSAGE_TOO_LARGE: 'maxMessageBytes',
  WS_ERR_FRAME_TOO_LARGE: 'maxFrameBytes',
  WS_ERR_INFLATED_RATIO: 'maxInflatedRatio',
};

/** Tells of a peer that broke a rule, and of the limit where the rule was one of size. */
export function publishViolation(stream: Duplex, error: ProtocolError): void {
  const connection = stream as WsConnection;
  if (violationChannel.hasSubscribers) violationChannel.publish({ connection, error });
  const limit = LIMITS[error.code];
  if (limit !== undefined) publishLimit(stream, limit);
}

/** Tells of a limit that a connection has reached. */
export function publishLimit(stream: Duplex, limit: string): void {
  if (limitChannel.hasSubscribers) limitChannel.publish({ limit, connection: stream as WsConnection });
}

/** Tells what became of a connection. */
export function publishClosed(stream: Duplex, info: CloseInfo): void {
  if (isTracing) traceClosed(stream as WsConnection, info);
  if (closedChannel.hasSubscribers) closedChannel.publish({ connection: stream as WsConnection, info });
}
