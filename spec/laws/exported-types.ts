/**
 * The types that the package exports. They leave no trace at run time: that this file compiles is their test.
 */
import type * as wspipe from '../../lib/index.ts';

export type Pinned = [
  wspipe.BytesLike,
  wspipe.CloseInfo,
  wspipe.ConnectionOptions,
  wspipe.ConnectOptions,
  wspipe.DeflatePoolOptions,
  wspipe.EstablishedOptions,
  wspipe.ExtensionOptions,
  wspipe.ExtensionParam,
  wspipe.ExtensionStages,
  wspipe.FrameDecoderOptions,
  wspipe.FrameDeflaterOptions,
  wspipe.FrameEncoderOptions,
  wspipe.FrameInflaterOptions,
  wspipe.HandshakeErrorCode,
  wspipe.HeartbeatOptions,
  wspipe.MessageOptions,
  wspipe.PerMessageDeflateOptions,
  wspipe.SendOptions,
  wspipe.ServerOptions,
  wspipe.UpgradeOptions,
  wspipe.ViolationCode,
  wspipe.WsCloseCode,
  wspipe.WsExtension,
  wspipe.WsFrameOptions,
  wspipe.WsNegotiatedExtensions,
  wspipe.WsOpcode,
  wspipe.WsRequest,
  wspipe.WsResponse,
  wspipe.WsRole,
  wspipe.WsState,
];
