/**
 * One message for many: what can be done once for all who get it is done once.
 *
 * @see RFC 6455 §5.4, §5.6; RFC 7692 §7.2.1
 */
import { assertCompress } from '../connection/writing/sender.ts';
import { type BytesLike, toBytes, WsFrame } from '../protocol/frame.ts';
import { isFragment } from '../protocol/message-assembler.ts';
import { WS_OPCODE_BINARY, WS_OPCODE_TEXT, type WsOpcode } from '../protocol/opcode.ts';
import { encodeUtf8 } from '../protocol/utf8.ts';
import { EncodedFrame } from '../stream/encoded-frame.ts';

/** What can be sent to many: a whole message as a frame, text, or bytes. */
export type Message = WsFrame | string | BytesLike;

/** How a {@link PreparedFrame} is sent. */
export interface PreparedFrameOptions {
  /** Whether it is compressed where permessage-deflate was agreed on. Default: what the frame says, or the connection's policy. */
  readonly compress?: boolean | undefined;
}

/**
 * A message that is encoded once, and compressed once for each set of parameters that permessage-deflate was agreed on
 * with, however many server connections it is sent on. All of them send the same memory.
 *
 * It is a {@link WsFrame} and is taken wherever one is: by `write`, `sendFrame`, `broadcast`. On a client's connection,
 * where each frame must be masked with a key of its own, and behind extensions that change it, it is a frame like any
 * other. A message of more than `WS_MAX_FRAME_SIZE` is compressed for each connection, a piece at a time, so that no
 * message stops the event loop.
 */
export class PreparedFrame extends EncodedFrame {
  /**
   * @param message text, bytes, or a frame that is a whole message; copied
   * @throws TypeError for anything else, or a `compress` that is no boolean
   */
  constructor(message: Message, options: PreparedFrameOptions = {}) {
    assertCompress(options.compress);
    const { opcode, payload, compress } = readMessage(message);
    super(opcode, payload, { compress: options.compress ?? compress });
  }

  /** Prepares a text message. @throws TypeError for what is no string */
  static override text(message: string): PreparedFrame {
    if (typeof message !== 'string') throw new TypeError('A text message must be a string');
    return new PreparedFrame(message);
  }

  /** Prepares a binary message. @throws TypeError for what is no bytes */
  static override binary(data: BytesLike): PreparedFrame {
    return new PreparedFrame(toBytes(data));
  }
}

/**
 * Gives what can be sent to many: the message itself where it is prepared as it is to be sent.
 *
 * @throws TypeError for what is no whole message, or a `compress` that is no boolean
 */
export function prepare(message: Message, compress?: boolean | undefined): PreparedFrame {
  const isReady = message instanceof PreparedFrame && (compress === undefined || compress === message.compress);
  return isReady ? message : new PreparedFrame(message, { compress });
}

interface ReadMessage {
  readonly opcode: WsOpcode;
  readonly payload: Uint8Array;
  readonly compress?: boolean | undefined;
}

function readMessage(message: Message): ReadMessage {
  if (typeof message === 'string') return { opcode: WS_OPCODE_TEXT, payload: encodeUtf8(message) };
  if (!(message instanceof WsFrame)) return { opcode: WS_OPCODE_BINARY, payload: toBytes(message) };
  const isWhole = !message.isControl() && !isFragment(message) && message.rsv === 0;
  if (!isWhole) throw new TypeError('Only a whole message can be prepared: no fragment, control frame or reserved bit');
  return message;
}
