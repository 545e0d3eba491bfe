/**
 * Close codes, and which of them may travel.
 *
 * @see RFC 6455 §7.4 and the IANA registry of close codes
 */

/** The purpose of the connection is fulfilled. */
export const WS_CLOSE_NORMAL = 1000;
/** The endpoint goes away: a server shuts down, a page is left. */
export const WS_CLOSE_GOING_AWAY = 1001;
/** The peer broke the protocol. */
export const WS_CLOSE_PROTOCOL_ERROR = 1002;
/** The peer sent a type of data that is not taken. */
export const WS_CLOSE_UNSUPPORTED = 1003;
/** Never on the wire: the close frame had no code. */
export const WS_CLOSE_NO_STATUS = 1005;
/** Never on the wire: the connection was cut without a close frame. */
export const WS_CLOSE_ABNORMAL = 1006;
/** The data contradicts its type: text that is not UTF-8. */
export const WS_CLOSE_INVALID_DATA = 1007;
/** The peer broke a policy of ours. */
export const WS_CLOSE_POLICY = 1008;
/** The message is too large to be taken. */
export const WS_CLOSE_TOO_LARGE = 1009;
/** A client expected an extension that the server did not grant. */
export const WS_CLOSE_EXTENSION = 1010;
/** A server met a condition that it did not expect. */
export const WS_CLOSE_UNEXPECTED = 1011;
/** The service restarts: come back after a while. */
export const WS_CLOSE_SERVICE_RESTART = 1012;
/** The service is overloaded: try again later, or elsewhere. */
export const WS_CLOSE_TRY_AGAIN_LATER = 1013;
/** A gateway had a bad answer from upstream. */
export const WS_CLOSE_BAD_GATEWAY = 1014;
/** Never on the wire: the TLS handshake failed. */
export const WS_CLOSE_TLS_HANDSHAKE = 1015;

/** A close code as `CloseInfo` and `WsFrame` show it: a registered one, or one of 3000–4999. */
export type WsCloseCode = number;

/**
 * Tells whether a close frame may carry this code.
 *
 * 1000–1014 are defined, less 1004 (reserved), 1005 and 1006 ("MUST NOT be set as a status code in a Close control
 * frame"); 3000–3999 are for libraries and frameworks, 4000–4999 for private use (§7.4.2). 1015 never travels either.
 */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000) return code <= 4999;
  return code >= WS_CLOSE_NORMAL && code <= WS_CLOSE_BAD_GATEWAY && (code < 1004 || code > WS_CLOSE_ABNORMAL);
}
