/**
 * `WebSocketError`: what a WebSocketStream fails with, and what carries a close code and a reason into `abort` and
 * `cancel`. The numbered comments are the steps of the specification.
 *
 * @see https://github.com/whatwg/websockets/pull/48
 */
import { decodeUtf8, encodeUtf8 } from '../protocol/utf8.ts';

/** A close code and a reason, as they are given. */
export interface WebSocketCloseInfo {
  /** 1000, or 3000–4999. Default: none; 1000 where there is a reason. */
  readonly closeCode?: number | undefined;
  /** At most 123 bytes of UTF-8. Default `''`. */
  readonly reason?: string | undefined;
}

/** A close code and a reason that may be sent. */
export interface CloseArguments {
  readonly code: number | null;
  readonly reason: string;
}

const MAX_REASON_BYTES = 123;

/** What only this module can do to an error: a script may not choose every code, but a connection may end with it. */
let setWords: (error: WebSocketError, closeCode: number | null, reason: string) => void;
let hasWords: (value: unknown) => value is WebSocketError;

/**
 * An error with a close code: a DOMException whose `name` is `'WebSocketError'` and whose `code` is 0.
 */
export class WebSocketError extends DOMException {
  #closeCode: number | null = null;
  #reason: string = '';

  static {
    setWords = (error, closeCode, reason) => {
      error.#closeCode = closeCode;
      error.#reason = reason;
    };
    hasWords = (value): value is WebSocketError => typeof value === 'object' && value !== null && #closeCode in value;
  }

  /**
   * @throws InvalidAccessError (a DOMException) for a code that is neither 1000 nor in 3000–4999
   * @throws SyntaxError (a DOMException) for a reason of more than 123 bytes of UTF-8
   * @throws TypeError for an `init` that is no object or a code that is no number from 0 to 65,535
   */
  constructor(message: string = '', init: WebSocketCloseInfo = {}) {
    // 1. Set this's name to "WebSocketError".
    // 2. Set this's message to message.
    super(message, 'WebSocketError');
    // 3. Let code be init["closeCode"] if it exists, or null otherwise.
    // 4. Let reason be init["reason"] if it exists, or the empty string otherwise.
    // 5. Validate close code and reason with code and reason.
    // 6. If reason is non-empty, but code is not set, then set code to 1000 ("Normal Closure").
    const { code, reason } = validateCloseArguments(toCloseArguments(init));
    // 7. Set this's closeCode to code.
    this.#closeCode = code;
    // 8. Set this's reason to reason.
    this.#reason = reason;
  }

  /** The close code, `null` for none. On what a connection ended with it may be any, such as 1006. */
  get closeCode(): number | null {
    return this.#closeCode;
  }

  /** The reason, `''` for none. It may be the peer's text: do not trust it. */
  get reason(): string {
    return this.#reason;
  }

  get [Symbol.toStringTag](): string {
    return 'WebSocketError';
  }
}

/** Tells whether it is a WebSocketError, whatever it says of itself. */
export function isWebSocketError(value: unknown): value is WebSocketError {
  return hasWords(value);
}

/** Makes the error with which a connection ends, with any code. @param cause what lies behind it, where that is known */
export function createWebSocketError(
  message: string,
  closeCode: number | null,
  reason: string,
  cause: unknown,
): WebSocketError {
  const error = new WebSocketError(message);
  setWords(error, closeCode, reason);
  if (cause !== undefined) Object.defineProperty(error, 'cause', { value: cause, writable: true, configurable: true });
  return error;
}

/**
 * Reads a `WebSocketCloseInfo` as Web IDL does: `[EnforceRange] unsigned short closeCode; USVString reason = ""`.
 *
 * @throws TypeError
 */
export function toCloseArguments(info: WebSocketCloseInfo | null | undefined): CloseArguments {
  if (info === undefined || info === null) return { code: null, reason: '' };
  if (typeof info !== 'object' && typeof info !== 'function') throw new TypeError('The close info must be an object');
  const { closeCode, reason } = info;
  return {
    code: closeCode === undefined ? null : toUnsignedShort(closeCode),
    reason: reason === undefined ? '' : toUsvString(reason),
  };
}

/**
 * Validates close code and reason, and gives a reason without a code the code 1000.
 *
 * @throws InvalidAccessError, SyntaxError (DOMExceptions)
 */
export function validateCloseArguments({ code, reason }: CloseArguments): CloseArguments {
  // 1. If code is not null, but is neither an integer equal to 1000 nor an integer in the range 3000 to 4999, inclusive,
  //    throw an "InvalidAccessError" DOMException.
  if (code !== null && code !== 1000 && (code < 3000 || code > 4999)) {
    throw new DOMException(`The close code must be 1000 or 3000–4999, not ${code}`, 'InvalidAccessError');
  }
  // 2. If reason is not null, then: let reasonBytes be the result of UTF-8 encoding reason; if reasonBytes is longer than
  //    123 bytes, then throw a "SyntaxError" DOMException.
  const { length } = encodeUtf8(reason);
  if (length > MAX_REASON_BYTES) {
    throw new DOMException(`The reason has ${length} bytes, more than ${MAX_REASON_BYTES}`, 'SyntaxError');
  }
  return { code: code ?? (reason === '' ? null : 1000), reason };
}

/** Converts to a string without lone surrogates. @throws TypeError for what cannot become a string */
export function toUsvString(value: unknown): string {
  // Of the ways to make a string, this one refuses symbols.
  return decodeUtf8(encodeUtf8(`${value as string}`));
}

function toUnsignedShort(value: unknown): number {
  const number = Math.trunc(+(value as number));
  if (!(number >= 0 && number <= 65_535)) throw new TypeError('The close code must be a number from 0 to 65,535');
  return number;
}
