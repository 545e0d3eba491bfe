/**
 * What is written to a connection, and what a handshake hands over to it.
 */
import type { ConnectionOptions, WsRequest, WsResponse } from '../options.ts';
import type { BytesLike, WsFrame } from '../protocol/frame.ts';
import type { WsNegotiatedExtensions } from '../stream/ws-extension.ts';

/** What is written: a frame, a text message, or a binary one. */
export type WsMessageLike = WsFrame | string | BytesLike;

/** What the handshake hands over beside the socket. */
export interface EstablishedOptions<Context = unknown> extends ConnectionOptions {
  /** Bytes that came behind the handshake and were already read. */
  readonly head?: BytesLike | undefined;
  /** The chosen subprotocol. Default `''`: none. */
  readonly protocol?: string | undefined;
  /** The extensions that `acceptExtensions` or `confirmExtensions` has negotiated. Default: none. */
  readonly extensions?: WsNegotiatedExtensions | undefined;
  /** What the server knows of the request. */
  readonly request?: WsRequest | undefined;
  /** What the client knows of the response. */
  readonly response?: WsResponse | undefined;
  /** What `authorize` returned. */
  readonly context?: Context | undefined;
}
