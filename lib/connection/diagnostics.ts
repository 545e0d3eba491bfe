/**
 * What wspipe publishes on `node:diagnostics_channel`, for monitoring that needs no hand in the program. What nobody
 * subscribes to costs a look at a flag, and is never made.
 *
 * Law: a channel only tells. Nothing depends on whether somebody listens, and a subscriber that throws is an uncaught
 * exception of its own, as Node has it.
 */
import { type Channel, channel } from 'node:diagnostics_channel';
import type { Duplex } from 'node:stream';
import type { HandshakeError, ProtocolError } from '../errors.ts';
import type { WsRequest } from '../options.ts';
import type { CloseInfo } from './closer.ts';
import type { WsConnection } from './ws-connection.ts';

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

export const refusedChannel: TypedChannel<RefusedMessage> = new TypedChannel('wspipe:refused');
export const openChannel: TypedChannel<OpenMessage> = new TypedChannel('wspipe:open');
export const closedChannel: TypedChannel<ClosedMessage> = new TypedChannel('wspipe:closed');
export const violationChannel: TypedChannel<ViolationMessage> = new TypedChannel('wspipe:violation');
export const limitChannel: TypedChannel<LimitMessage> = new TypedChannel('wspipe:limit');
export const handlerErrorChannel: TypedChannel<HandlerErrorMessage> = new TypedChannel('wspipe:handler-error');

/** Tells of a peer that broke a rule, and of the limit where the rule was one of size. */
export function publishViolation(stream: Duplex, error: ProtocolError): void {
  const connection = stream as WsConnection;
  if (violationChannel.hasSubscribers) violationChannel.publish({ connection, error });
  if (error.code === 'WS_ERR_MESSAGE_TOO_LARGE') publishLimit(stream, 'maxMessageBytes');
  if (error.code === 'WS_ERR_FRAME_TOO_LARGE') publishLimit(stream, 'maxFrameBytes');
}

/** Tells of a limit that a connection has reached. */
export function publishLimit(stream: Duplex, limit: string): void {
  if (limitChannel.hasSubscribers) limitChannel.publish({ limit, connection: stream as WsConnection });
}

/** Tells what became of a connection. */
export function publishClosed(stream: Duplex, info: CloseInfo): void {
  if (closedChannel.hasSubscribers) closedChannel.publish({ connection: stream as WsConnection, info });
}
