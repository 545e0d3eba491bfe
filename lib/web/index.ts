/**
 * `wspipe/web`: WebSocket on WHATWG streams. The frame streams run everywhere; `WebSocketStream` and `WebSocketError`
 * are the browser's own in a page that has them, and stand on sockets on Node, Bun and Deno. No static import leads to a
 * `node:` module.
 */
import { chooseClass } from './platform.ts';
import { WebSocketError as OwnWebSocketError } from './web-socket-error.ts';
import { WebSocketStream as OwnWebSocketStream } from './web-socket-stream.ts';

export { FrameDecoderStream, type FrameDecoderStreamOptions } from './frame-decoder-stream.ts';
export { FrameEncoderStream, type FrameEncoderStreamOptions } from './frame-encoder-stream.ts';
export type { StreamMessage, StreamMessageInit } from './message-streams.ts';
export type { WebSocketStreamOptions } from './stream-arguments.ts';
export type { WebSocketCloseInfo } from './web-socket-error.ts';
export type { WebSocketClosedInfo, WebSocketOpenInfo } from './web-socket-stream.ts';

/** The platform's own class in a page that has one, else {@link OwnWebSocketStream | ours}. */
export const WebSocketStream: typeof OwnWebSocketStream = chooseClass('WebSocketStream', OwnWebSocketStream);
export type WebSocketStream = OwnWebSocketStream;

/** The platform's own class in a page that has one, else {@link OwnWebSocketError | ours}. */
export const WebSocketError: typeof OwnWebSocketError = chooseClass('WebSocketError', OwnWebSocketError);
export type WebSocketError = OwnWebSocketError;
