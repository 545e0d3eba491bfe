/**
 * The body of a close frame: nothing, or two bytes of code and a reason in UTF-8.
 *
 * @see RFC 6455 §5.5.1, §7.1.5, §7.1.6, §7.4
 */
import { ProtocolError } from '../errors.ts';
import { isSendableCloseCode, WS_CLOSE_NO_STATUS } from './close-code.ts';
import { decodeUtf8, encodeUtf8, Utf8Validator } from './utf8.ts';

/** A control frame holds 125 bytes, and two of them are the code. */
const MAX_REASON_BYTES = 123;
const EMPTY = new Uint8Array(0);

/**
 * Makes the body of a close frame.
 *
 * @param code 1000–1003, 1007–1014 or 3000–4999; none for an empty body
 * @param reason at most 123 bytes of UTF-8; only beside a code
 * @throws RangeError for a code that may not be sent or a reason that is too long
 * @throws TypeError for a code that is no number, a reason that is no string, or a reason without a code
 */
export function encodeClosePayload(code?: number | undefined, reason: string = ''): Uint8Array {
  if (typeof reason !== 'string') throw new TypeError('The reason of a close must be a string');
  if (code === undefined) {
    if (reason !== '') throw new TypeError('The reason of a close needs a code');
    return EMPTY;
  }
  if (typeof code !== 'number') throw new TypeError('The code of a close must be a number');
  if (!isSendableCloseCode(code)) throw new RangeError(`The close code ${code} may not be sent (RFC 6455 §7.4)`);
  const text = encodeUtf8(reason);
  if (text.length > MAX_REASON_BYTES) {
    throw new RangeError(
      `The reason of a close has ${text.length} bytes, more than ${MAX_REASON_BYTES} (RFC 6455 §5.5)`,
    );
  }
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >>> 8;
  payload[1] = code & 0xff;
  payload.set(text, 2);
  return payload;
}

/** Reads the code: {@link WS_CLOSE_NO_STATUS} where the body has none. */
export function decodeCloseCode(payload: Uint8Array): number {
  return payload.length < 2 ? WS_CLOSE_NO_STATUS : (payload[0]! << 8) | payload[1]!;
}

/** Reads the reason: `''` where the body has none. It is the peer's text: do not show it as trusted (§7.1.6). */
export function decodeCloseReason(payload: Uint8Array): string {
  return payload.length <= 2 ? '' : decodeUtf8(payload.subarray(2));
}

/**
 * Judges the body of a close frame that came.
 *
 * @throws ProtocolError
 */
export function assertClosePayload(payload: Uint8Array): void {
  if (payload.length === 0) return;
  // §5.5.1 "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer"
  if (payload.length === 1) throw new ProtocolError('WS_ERR_CLOSE_BODY');
  // §7.4.1, §7.4.2: 1005, 1006 and 1015 "MUST NOT be set as a status code in a Close control frame"; others are not defined.
  const code = decodeCloseCode(payload);
  if (!isSendableCloseCode(code)) throw new ProtocolError('WS_ERR_CLOSE_CODE', `${code}`);
  // §5.5.1 "the body MAY contain UTF-8-encoded data"; §8.1: what is said to be UTF-8 and is not, fails.
  const validator = new Utf8Validator();
  if (validator.push(payload.subarray(2)) !== -1 || !validator.isComplete)
    throw new ProtocolError('WS_ERR_CLOSE_REASON');
}
