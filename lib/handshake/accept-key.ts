/**
 * The question and the answer that prove that both sides mean WebSocket: the client's key, and the accept value that
 * only a WebSocket server makes of it. This is no authentication; it keeps other protocols and caches out.
 *
 * @see RFC 6455 §1.3, §4.1, §4.2.2
 */

/** Gives the SHA-1 of an ASCII text in base64. A shell hands it in, because the platforms differ in where they have it. */
export type Sha1 = (text: string) => string;

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const KEY_BYTES = 16;
/** Random bytes that were not used yet, for sixty-four keys: to ask for sixteen costs as much as to ask for all of them. */
const pool = new Uint8Array(64 * KEY_BYTES);
let taken = pool.length;

/**
 * Makes a fresh value for `Sec-WebSocket-Key`.
 *
 * "The nonce MUST be selected randomly for each connection." (§4.1)
 *
 * @returns 16 random bytes in base64
 * @see RFC 6455 §4.1
 */
export function createKey(): string {
  if (taken === pool.length) {
    crypto.getRandomValues(pool);
    taken = 0;
  }
  const bytes = pool.subarray(taken, taken + KEY_BYTES);
  taken += KEY_BYTES;
  return btoa(String.fromCharCode(...bytes));
}

/**
 * Says whether `text` is 16 bytes in base64. The last digit carries two bits only, so it is one of four; "pad bits MUST
 * be set to zero by conforming encoders" (RFC 4648 §3.5).
 *
 * @see RFC 6455 §4.2.1
 */
export function isKey(text: string): boolean {
  return /^[A-Za-z\d+/]{21}[AQgw]==$/.test(text);
}

/**
 * Makes the value of `Sec-WebSocket-Accept` that answers a key.
 *
 * @param key the key as it stands in the request, without space around it; it is not decoded
 * @see RFC 6455 §4.2.2
 */
export function computeAccept(key: string, sha1: Sha1): string {
  return sha1(key + GUID);
}
