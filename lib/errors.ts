/**
 * Errors say who is at fault. What the peer broke is a {@link ProtocolError}; a handshake that was refused is a
 * {@link HandshakeError}; a connection that ended is a {@link ClosedError}. The caller's own mistakes are plain
 * `TypeError`s and `RangeError`s. Every violation of the RFC is one row of {@link VIOLATIONS}: its close code and its
 * section are written here and nowhere else.
 */

/** A row of {@link VIOLATIONS}. */
export interface Violation {
  /** The close code that answers it. */
  readonly closeCode: number;
  readonly section: string;
  readonly message: string;
}

const violation = (closeCode: number, section: string, message: string): Violation => ({ closeCode, section, message });

/** The codes of all that a peer can break. */
export type ViolationCode =
  | 'WS_ERR_RESERVED_BITS'
  | 'WS_ERR_RESERVED_OPCODE'
  | 'WS_ERR_NON_MINIMAL_LENGTH'
  | 'WS_ERR_LENGTH_MSB'
  | 'WS_ERR_UNMASKED'
  | 'WS_ERR_MASKED'
  | 'WS_ERR_FRAGMENTED_CONTROL'
  | 'WS_ERR_LONG_CONTROL'
  | 'WS_ERR_STRAY_CONTINUATION'
  | 'WS_ERR_INTERLEAVED_MESSAGE'
  | 'WS_ERR_CLOSE_BODY'
  | 'WS_ERR_CLOSE_CODE'
  | 'WS_ERR_CLOSE_REASON'
  | 'WS_ERR_INVALID_UTF8'
  | 'WS_ERR_FRAME_TOO_LARGE'
  | 'WS_ERR_MESSAGE_TOO_LARGE'
  | 'WS_ERR_TRUNCATED'
  | 'WS_ERR_UNEXPECTED_TEXT'
  | 'WS_ERR_EXTENSION'
  | 'WS_ERR_COMPRESSED_CONTINUATION'
  | 'WS_ERR_INVALID_DEFLATE'
  | 'WS_ERR_INFLATED_RATIO';

/** Every way in which a peer can break the protocol or our limits: code → close code, RFC section, message. */
export const VIOLATIONS: Readonly<Record<ViolationCode, Violation>> = {
  WS_ERR_RESERVED_BITS: violation(1002, 'RFC 6455 §5.2', 'a reserved bit is set that no extension has claimed'),
  WS_ERR_RESERVED_OPCODE: violation(1002, 'RFC 6455 §5.2', 'the opcode is reserved'),
  WS_ERR_NON_MINIMAL_LENGTH: violation(1002, 'RFC 6455 §5.2', 'the payload length is not in its shortest form'),
  WS_ERR_LENGTH_MSB: violation(1002, 'RFC 6455 §5.2', 'the most significant bit of a 64-bit length is set'),
  WS_ERR_UNMASKED: violation(1002, 'RFC 6455 §5.1', 'a frame from a client is not masked'),
  WS_ERR_MASKED: violation(1002, 'RFC 6455 §5.1', 'a frame from a server is masked'),
  WS_ERR_FRAGMENTED_CONTROL: violation(1002, 'RFC 6455 §5.5', 'a control frame is fragmented'),
  WS_ERR_LONG_CONTROL: violation(1002, 'RFC 6455 §5.5', 'a control frame has a payload of more than 125 bytes'),
  WS_ERR_STRAY_CONTINUATION: violation(1002, 'RFC 6455 §5.4', 'a continuation frame has no message to continue'),
  WS_ERR_INTERLEAVED_MESSAGE: violation(1002, 'RFC 6455 §5.4', 'a new message begins inside an unfinished one'),
  WS_ERR_CLOSE_BODY: violation(1002, 'RFC 6455 §5.5.1', 'the body of a close frame is one byte long'),
  WS_ERR_CLOSE_CODE: violation(1002, 'RFC 6455 §7.4', 'the close code may not appear on the wire'),
  WS_ERR_CLOSE_REASON: violation(1007, 'RFC 6455 §5.5.1', 'the reason in a close frame is not UTF-8'),
  WS_ERR_INVALID_UTF8: violation(1007, 'RFC 6455 §8.1', 'a text message is not UTF-8'),
  WS_ERR_FRAME_TOO_LARGE: violation(1009, 'RFC 6455 §10.4', 'a frame is larger than maxFrameBytes'),
  WS_ERR_MESSAGE_TOO_LARGE: violation(1009, 'RFC 6455 §10.4', 'a message is larger than maxMessageBytes'),
  WS_ERR_TRUNCATED: violation(1006, 'RFC 6455 §7.1.5', 'the bytes end inside a frame or a message'),
  WS_ERR_UNEXPECTED_TEXT: violation(1003, 'RFC 6455 §7.4.1', 'a text message came where only bytes are taken'),
  WS_ERR_EXTENSION: violation(1011, 'RFC 6455 §7.4.1', 'an extension could not go on'),
  WS_ERR_COMPRESSED_CONTINUATION: violation(1002, 'RFC 7692 §6.1', 'RSV1 is set on a fragment that is not the first'),
  WS_ERR_INVALID_DEFLATE: violation(1007, 'RFC 7692 §7.2.2', 'a compressed message is not DEFLATE data'),
  WS_ERR_INFLATED_RATIO: violation(1009, 'RFC 6455 §10.4', 'a message inflates to more than maxInflatedRatio allows'),
};

/** The root of every error that wspipe makes itself: a stable `code` (`'WS_ERR_…'`) and, where there is one, a `cause`. */
export class WsError extends Error {
  override readonly name: string = 'WsError';
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown } | undefined) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The peer broke the RFC, or one of our limits.
 *
 * `closeCode` is the code that answers it (1002, 1007, 1009 …; 1006 where nothing can be answered), `section` the
 * place in the RFC that was broken.
 */
export class ProtocolError extends WsError {
  override readonly name: string = 'ProtocolError';
  override readonly code: ViolationCode;
  readonly closeCode: number;
  readonly section: string;

  /** @param detail what exactly came, put behind the table's message */
  constructor(code: ViolationCode, detail?: string | undefined, options?: { cause?: unknown } | undefined) {
    const { closeCode, section, message } = VIOLATIONS[code];
    super(code, `${message}${detail === undefined ? '' : `: ${detail}`} (${section})`, options);
    this.code = code;
    this.closeCode = closeCode;
    this.section = section;
  }
}

/** Reasons for which a handshake fails, in either role. */
export type HandshakeErrorCode =
  /** The peer's request or response breaks RFC 6455 §4 or HTTP. */
  | 'WS_ERR_HANDSHAKE'
  /** The handshake was in order and was refused: by `authorize`, `origins`, `path`, a limit, or by the server's answer. */
  | 'WS_ERR_HANDSHAKE_REFUSED'
  /** HTTP/2 was asked for, and the server does not speak it or takes no WebSockets over it, or the session has ended. */
  | 'WS_ERR_HTTP2'
  /** It was not finished within `handshakeTimeoutMs`. */
  | 'WS_ERR_HANDSHAKE_TIMEOUT'
  /** The server redirects, more often than `maxRedirects` (0) allows, or to where we will not follow. */
  | 'WS_ERR_REDIRECT';

/**
 * A handshake that did not succeed (RFC 6455 §4).
 *
 * On a server, `status` and `headers` are the answer that was given. On a client, they are the answer that came
 * (`status` 0 and no headers where none came).
 */
export class HandshakeError extends WsError {
  override readonly name: string = 'HandshakeError';
  override readonly code: HandshakeErrorCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** On a server, the body of the answer where it is not the plain message; on a client, the first 4 KiB of what came. */
  readonly body: string | Uint8Array | undefined;

  constructor(
    code: HandshakeErrorCode,
    status: number,
    message: string,
    options: {
      headers?: Readonly<Record<string, string>> | undefined;
      body?: string | Uint8Array | undefined;
      cause?: unknown;
    } = {},
  ) {
    super(code, message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.status = status;
    this.headers = options.headers ?? {};
    this.body = options.body;
  }
}

/**
 * The connection is over. The message narrates who sent and who received which close frame, in which order; `cause` is
 * the socket's error where there was one.
 */
export class ClosedError extends WsError {
  override readonly name: string = 'ClosedError';

  constructor(narrative: string, options?: { cause?: unknown } | undefined) {
    super('WS_ERR_CLOSED', narrative, options);
  }
}

/**
 * Makes the error with which an aborted wait rejects: named `AbortError`, `code` `'ABORT_ERR'`, the signal's reason as
 * its cause, as Node's own are.
 */
export function createAbortError(signal: AbortSignal): Error {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return Object.assign(error, { code: 'ABORT_ERR' });
}
