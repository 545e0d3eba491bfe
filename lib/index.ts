/**
 * The public surface of wspipe.
 */
export type { CloseInfo } from './connection/closer.ts';
export type { EstablishedOptions, WsMessageLike } from './connection/connection-arguments.ts';
export type {
  ClosedMessage,
  HandlerErrorMessage,
  HandshakeMessage,
  LimitMessage,
  OpenMessage,
  PingMessage,
  RefusedMessage,
  RetryMessage,
  ViolationMessage,
} from './connection/diagnostics.ts';
export type { FrameIterator } from './connection/frame-iterator.ts';
export type { MessageIterator, MessagesOptions } from './connection/message-iterator.ts';
export type { OutgoingMessage } from './connection/outgoing-message.ts';
export type { FragmentsOptions } from './connection/stream-access.ts';
export type { ConnectionStats, TrafficStats } from './connection/traffic-stats.ts';
export type { MessageOptions, PingOptions, SendOptions, WaitOptions } from './connection/wait-options.ts';
export type { WebMessage, WebStreams } from './connection/web-face.ts';
export { WsConnection } from './connection/ws-connection.ts';
export type { WsMessage, WsMessageType } from './connection/ws-message.ts';
export { DeflatePool, type DeflatePoolOptions } from './deflate/deflate-pool.ts';
export { FrameDeflater, type FrameDeflaterOptions } from './deflate/frame-deflater.ts';
export { FrameInflater, type FrameInflaterOptions } from './deflate/frame-inflater.ts';
export { createPerMessageDeflate, type PerMessageDeflateOptions } from './deflate/per-message-deflate.ts';
export type { AttachableServer } from './endpoint/attachment.ts';
export type { BackoffFunction, BackoffOptions } from './endpoint/backoff.ts';
export { connect } from './endpoint/connect.ts';
export { type ConnectionIterator, connectForever } from './endpoint/connect-forever.ts';
export type { ConnectOptions, HandshakeLimits, ServerOptions, UpgradeOptions } from './endpoint/endpoint-options.ts';
export type { ExtensionOptions } from './endpoint/extension-options.ts';
export type { ConnectForeverOptions, Fresh, Retry } from './endpoint/forever-options.ts';
export type { ServerStats } from './endpoint/lobby.ts';
export { createPair, type PairEndOptions, type PairOptions, type WsPair } from './endpoint/pair.ts';
export { type Refusal, type RefuseOptions, refuse } from './endpoint/refusal.ts';
export type { ConnectionHandler } from './endpoint/serve.ts';
export type { Setback } from './endpoint/setback.ts';
export { wsUpgrade } from './endpoint/upgrade.ts';
export {
  type ServerCloseOptions,
  WsServer,
  type WsServerEvents,
  wsServer,
} from './endpoint/ws-server.ts';
export {
  ClosedError,
  HandshakeError,
  type HandshakeErrorCode,
  ProtocolError,
  VIOLATIONS,
  type Violation,
  type ViolationCode,
  WsError,
} from './errors.ts';
export { Backplane, type BackplaneSubscription } from './fanout/backplane.ts';
export type { BackplaneEvents, BackplaneStats } from './fanout/backplane-events.ts';
export type { BackplaneOptions, BackplaneSettings } from './fanout/backplane-options.ts';
export type { ConnectionFilter } from './fanout/broadcast.ts';
export type { Broker, BrokerHandlers, BrokerLog, LogEntry, LogPage } from './fanout/broker.ts';
export type { BackplaneListener, Delivery } from './fanout/channel.ts';
export type { HistoryOptions, MemoryHistoryOptions } from './fanout/memory-log.ts';
export { type Message, PreparedFrame, type PreparedFrameOptions } from './fanout/prepared-frame.ts';
export { type PublishOptions, Topic, type TopicStats } from './fanout/topic.ts';
export type { CatchUpOptions, MessageFormat, TopicLinkOptions } from './fanout/topic-link.ts';
export type { DropReason, LeaveReason, TopicMember } from './fanout/topic-member.ts';
export type { Drop, DropMessage } from './fanout/topic-news.ts';
export type { SlowPolicy, TopicAddOptions, TopicMemberOptions, TopicOptions } from './fanout/topic-options.ts';
export {
  acceptExtensions,
  confirmExtensions,
  type ExtensionAcceptance,
  type NegotiableExtension,
  type NegotiatedExtensions,
  offerExtensions,
} from './handshake/extension-negotiation.ts';
export type { ExtensionOffer, ExtensionParam } from './handshake/field-grammar.ts';
export type { ConnectionOptions, HeartbeatOptions, WsRequest, WsResponse } from './options.ts';
export * from './protocol/close-code.ts';
export {
  WS_STATE_CLOSED,
  WS_STATE_CLOSING,
  WS_STATE_CONNECTING,
  WS_STATE_OPEN,
  type WsState,
} from './protocol/closing.ts';
export { type BytesLike, WsFrame, type WsFrameOptions } from './protocol/frame.ts';
export type { WsRole } from './protocol/header-rules.ts';
export {
  WS_OPCODE_BINARY,
  WS_OPCODE_CLOSE,
  WS_OPCODE_CONTINUATION,
  WS_OPCODE_PING,
  WS_OPCODE_PONG,
  WS_OPCODE_TEXT,
  type WsOpcode,
} from './protocol/opcode.ts';
export { WS_HEADER_BUFFER, WS_MAX_FRAME_SIZE, WS_RECV_BUFFER, WS_SEND_BUFFER } from './protocol/sizes.ts';
export { FrameDecoder, type FrameDecoderOptions } from './stream/frame-decoder.ts';
export { FrameEncoder, type FrameEncoderOptions } from './stream/frame-encoder.ts';
export type { ExtensionStages, WsExtension, WsNegotiatedExtensions } from './stream/ws-extension.ts';
