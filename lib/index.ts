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
export type { WsConnectionEvents } from './connection/faces/frame-duplex.ts';
export type { FragmentsOptions } from './connection/faces/stream-access.ts';
export type { WebMessage, WebStreams } from './connection/faces/web-face.ts';
export type { FrameIterator } from './connection/reading/frame-iterator.ts';
export type { MessageIterator, MessagesOptions } from './connection/reading/message-iterator.ts';
export type { WsMessage, WsMessageType } from './connection/reading/ws-message.ts';
export type { ConnectionStats, TrafficStats } from './connection/road/traffic-stats.ts';
export type { MessageOptions, PingOptions, SendOptions, WaitOptions } from './connection/wait-options.ts';
export type { OutgoingMessage } from './connection/writing/outgoing-message.ts';
export { WsConnection } from './connection/ws-connection.ts';
export { DeflatePool, type DeflatePoolOptions } from './deflate/deflate-pool.ts';
export { FrameDeflater, type FrameDeflaterOptions } from './deflate/frame-deflater.ts';
export { FrameInflater, type FrameInflaterOptions } from './deflate/frame-inflater.ts';
export { createPerMessageDeflate, type PerMessageDeflateOptions } from './deflate/per-message-deflate.ts';
export type { BackoffFunction, BackoffOptions } from './endpoint/client/backoff.ts';
export { connect } from './endpoint/client/connect.ts';
export { type ConnectionIterator, connectForever } from './endpoint/client/connect-forever.ts';
export type { ConnectForeverOptions, Fresh, Retry } from './endpoint/client/forever-options.ts';
export type { Setback } from './endpoint/client/setback.ts';
export type { ConnectOptions, HandshakeLimits, ServerOptions, UpgradeOptions } from './endpoint/endpoint-options.ts';
export type { ExtensionOptions } from './endpoint/extension-options.ts';
export { createPair, type PairEndOptions, type PairOptions, type WsPair } from './endpoint/pair.ts';
export type { AttachableServer } from './endpoint/server/attachment.ts';
export type { ServerStats } from './endpoint/server/lobby.ts';
export type { ConnectionHandler } from './endpoint/server/serve.ts';
export {
  type ServerCloseOptions,
  WsServer,
  type WsServerEvents,
  wsServer,
} from './endpoint/server/ws-server.ts';
export { type Refusal, type RefuseOptions, refuse } from './endpoint/upgrade/refusal.ts';
export { wsUpgrade } from './endpoint/upgrade/upgrade.ts';
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
export { Backplane, type BackplaneSubscription } from './fanout/backplane/backplane.ts';
export type { BackplaneEvents, BackplaneStats } from './fanout/backplane/backplane-events.ts';
export type { BackplaneOptions, BackplaneSettings } from './fanout/backplane/backplane-options.ts';
export type { Broker, BrokerHandlers, BrokerLog, LogEntry, LogPage } from './fanout/backplane/broker.ts';
export type { BackplaneListener, Delivery } from './fanout/backplane/channel.ts';
export type { HistoryOptions, MemoryHistoryOptions } from './fanout/backplane/memory-log.ts';
export type { ConnectionFilter } from './fanout/broadcast.ts';
export { type Message, PreparedFrame, type PreparedFrameOptions } from './fanout/prepared-frame.ts';
export { type PublishOptions, Topic, type TopicStats } from './fanout/topic/topic.ts';
export type { CatchUpOptions, MessageFormat, TopicLinkOptions } from './fanout/topic/topic-link.ts';
export type { DropReason, LeaveReason, TopicMember } from './fanout/topic/topic-member.ts';
export type { Drop, DropMessage } from './fanout/topic/topic-news.ts';
export type { SlowPolicy, TopicAddOptions, TopicMemberOptions, TopicOptions } from './fanout/topic/topic-options.ts';
export type { TopicEvents } from './fanout/topic/topic-writable.ts';
export {
  acceptExtensions,
  confirmExtensions,
  type ExtensionAcceptance,
  type NegotiableExtension,
  type NegotiatedExtensions,
  offerExtensions,
} from './handshake/extension-negotiation.ts';
export type { ExtensionOffer, ExtensionParam } from './handshake/field-grammar.ts';
export type { ConnectionOptions, HeartbeatOptions, PendingRequest, WsRequest, WsResponse } from './options.ts';
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
