/**
 * What a WebSocketStream is constructed with and what is written to it, read as Web IDL and the specification read it:
 * first converted, then judged. It opens nothing.
 *
 * @see https://github.com/whatwg/websockets/pull/48
 */
import { isToken } from '../handshake/field-grammar.ts';
import { byteLimit } from '../protocol/header-rules.ts';
import { toUsvString } from './web-socket-error.ts';

/** What a `WebSocketStream` takes. */
export interface WebSocketStreamOptions {
  /** The subprotocols to offer, the best one first. Default: none. */
  readonly protocols?: Iterable<string> | undefined;
  /** Gives the handshake up. It does not touch a connection that stands. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The largest message in bytes that is taken, inclusive; beyond it the connection fails. Default 16 MiB, `Infinity` is
   * allowed. It is not in the specification: the class of a browser ignores it.
   */
  readonly maxMessageBytes?: number | undefined;
}

/** {@link WebSocketStreamOptions}, converted. */
export interface StreamOptions {
  readonly protocols: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly maxMessageBytes: number | undefined;
}

/**
 * Gets a URL record, given a URL and the page's own where there is a page.
 *
 * @throws SyntaxError (a DOMException)
 */
export function getUrlRecord(url: string): URL {
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  // 1. Let urlRecord be the result of applying the URL parser to url with baseURL.
  // 2. If urlRecord is failure, then throw a "SyntaxError" DOMException.
  const record = parseUrl(url, location?.href);
  // 3. If urlRecord's scheme is "http", then set urlRecord's scheme to "ws".
  if (record.protocol === 'http:') record.protocol = 'ws:';
  // 4. Otherwise, if urlRecord's scheme is "https", set urlRecord's scheme to "wss".
  else if (record.protocol === 'https:') record.protocol = 'wss:';
  // 5. If urlRecord's scheme is not "ws" or "wss", then throw a "SyntaxError" DOMException.
  if (record.protocol !== 'ws:' && record.protocol !== 'wss:') {
    throw new DOMException(`The scheme of a WebSocket URL cannot be ${record.protocol}`, 'SyntaxError');
  }
  // 6. If urlRecord's fragment is non-null, then throw a "SyntaxError" DOMException.
  if (record.href.includes('#')) throw new DOMException('A WebSocket URL has no fragment', 'SyntaxError');
  return record;
}

function parseUrl(url: string, base: string | undefined): URL {
  try {
    return new URL(url, base);
  } catch {
    throw new DOMException(`${JSON.stringify(url)} is no URL`, 'SyntaxError');
  }
}

/** Converts the options. @throws TypeError for what has the wrong type, RangeError for a limit that is no whole number */
export function toStreamOptions(options: WebSocketStreamOptions | null | undefined): StreamOptions {
  if (options === undefined || options === null) {
    return { protocols: [], signal: undefined, maxMessageBytes: undefined };
  }
  if (typeof options !== 'object' && typeof options !== 'function') throw new TypeError('options must be an object');
  const { protocols, signal, maxMessageBytes } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal');
  if (maxMessageBytes !== undefined) byteLimit('maxMessageBytes', maxMessageBytes, 0);
  return { protocols: toSequence(protocols), signal, maxMessageBytes };
}

function toSequence(protocols: unknown): string[] {
  if (protocols === undefined) return [];
  // A string can be iterated over, but it is no sequence.
  const isSequence = typeof protocols === 'object' && protocols !== null && Symbol.iterator in protocols;
  if (!isSequence) throw new TypeError('protocols must be a list');
  return Array.from(protocols as Iterable<unknown>, toUsvString);
}

/**
 * Judges the subprotocols.
 *
 * @throws SyntaxError (a DOMException) for one that is no token, and for one that comes twice, in whatever case
 */
export function assertProtocols(protocols: readonly string[]): void {
  const distinct = new Set(protocols.map((protocol) => protocol.toLowerCase()));
  if (distinct.size !== protocols.length) throw new DOMException('A subprotocol is there twice', 'SyntaxError');
  const wrong = protocols.find((protocol) => !isToken(protocol));
  if (wrong !== undefined) throw new DOMException(`No subprotocol can be ${JSON.stringify(wrong)}`, 'SyntaxError');
}

/**
 * Converts a chunk to a message: a copy of a BufferSource, and a string of anything else.
 *
 * @throws TypeError for what cannot become a string, and for memory that may change its size or is shared
 */
export function toMessage(chunk: unknown): string | Uint8Array {
  if (chunk instanceof ArrayBuffer) return new Uint8Array(assertFixed(chunk)).slice();
  if (isShared(chunk)) return new Uint8Array(assertFixed(chunk));
  if (!ArrayBuffer.isView(chunk)) return toUsvString(chunk);
  return new Uint8Array(assertFixed(chunk.buffer), chunk.byteOffset, chunk.byteLength).slice();
}

function assertFixed(buffer: ArrayBufferLike): ArrayBufferLike {
  if (isShared(buffer)) throw new TypeError('Memory that is shared cannot be sent');
  const { resizable } = buffer as { readonly resizable?: boolean };
  if (resizable === true) throw new TypeError('An ArrayBuffer that can be resized cannot be sent');
  return buffer;
}

function isShared(value: unknown): value is SharedArrayBuffer {
  // A page that is not isolated has no SharedArrayBuffer by that name.
  return Object.prototype.toString.call(value) === '[object SharedArrayBuffer]';
}
