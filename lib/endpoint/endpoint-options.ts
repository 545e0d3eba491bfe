/**
 * The knobs of servers and clients: unit, default and reason of each, checked once, at the door. The knobs of the
 * connections that they make stand in `lib/options.ts` and are taken beside these.
 */

import type { ClientRequestArgs, Agent as HttpAgent } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import type { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions as TlsConnectOptions, TlsOptions } from 'node:tls';
import type { HandshakeError } from '../errors.ts';
import type { CallerHeaders } from '../handshake/caller-headers.ts';
import { isToken } from '../handshake/field-grammar.ts';
import { assertOriginPolicy } from '../handshake/origin.ts';
import {
  type ConnectionOptions,
  count,
  milliseconds,
  type PendingRequest,
  type ResolvedConnectionOptions,
  resolveConnectionOptions,
  type WsRequest,
} from '../options.ts';
import { WS_HEADER_BUFFER } from '../protocol/sizes.ts';
import type { WsExtension } from '../stream/ws-extension.ts';
import { type ExtensionOptions, resolveExtensions } from './extension-options.ts';
import type { Refusal } from './upgrade/refusal.ts';

/** What both ends of an opening handshake limit. */
export interface HandshakeLimits {
  /** The largest HTTP head in bytes. Default `WS_HEADER_BUFFER` (8192): cookies and tokens fit; a server answers 431 beyond it. */
  readonly maxHeaderBytes?: number | undefined;
  /**
   * How many fields the head may have. Default 100: browsers send about fifteen, and proxies add a few. A server answers
   * 431 beyond it, a client fails.
   */
  readonly maxHeaderCount?: number | undefined;
  /**
   * ms for the whole opening handshake: on a client from the first try to connect to the last redirect; on a server of
   * our own from the TCP connection, else from the call, to the end of `authorize`. Default 10,000: a slow phone makes
   * it, and a peer that sends a byte a second does not.
   */
  readonly handshakeTimeoutMs?: number | undefined;
}

/** What the side that accepts a handshake takes. Functions are given the request that the connection will show. */
export interface UpgradeOptions<Context = unknown> extends ConnectionOptions, HandshakeLimits, ExtensionOptions {
  /**
   * Which pages may connect, by their Origin field: `'*'` for all, a list of origins as browsers write them, or a
   * function. Default: the pages of the request's own host, because browsers let any page connect to anywhere. A request
   * without an Origin comes from no browser and passes. 403 otherwise.
   */
  readonly origins?:
    | '*'
    | readonly string[]
    | ((origin: string, request: PendingRequest) => boolean | PromiseLike<boolean>)
    | undefined;
  /** The subprotocols that are spoken, the best one first. Default: none, and the connection has `protocol` `''`. */
  readonly protocols?: readonly string[] | undefined;
  /** Chooses one of the offered subprotocols instead, or undefined for none. It is called only where some are offered. */
  readonly selectProtocol?:
    | ((
        offered: readonly string[],
        request: PendingRequest,
      ) => string | null | undefined | PromiseLike<string | null | undefined>)
    | undefined;
  /** Lets a request in: what it returns becomes `conn.context`. It refuses with `return refuse(status)`; a throw is a 500. */
  readonly authorize?: ((request: PendingRequest) => Context | Refusal | PromiseLike<Context | Refusal>) | undefined;
  /** Further fields of the 101 response, such as a cookie. */
  readonly responseHeaders?:
    | ((request: PendingRequest) => CallerHeaders | undefined | PromiseLike<CallerHeaders | undefined>)
    | undefined;
  /** Learns why a handshake was refused, after it was answered. The cause of a 500 is the error's `cause`. */
  readonly onRefused?: ((error: HandshakeError) => void) | undefined;
}

/** What a {@link WsServer} takes. */
export interface ServerOptions<Context = unknown> extends UpgradeOptions<Context> {
  /** The path that is served, without the query, or a function that decides at once. Default: all. 404 otherwise. */
  readonly path?: string | ((request: WsRequest) => boolean) | undefined;
  /** How many connections there may be at once, those that are still in the handshake included; 503 beyond it. Default `Infinity`. */
  readonly maxConnections?: number | undefined;
  /**
   * How many of them may come from one address, sockets on which nothing was asked yet included; 429 beyond it. An IPv6
   * address counts as its /64, which belongs to one peer. Default `Infinity`: behind a proxy, all come from one address.
   */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * How many handshakes may be under way at once: on a server of our own, all sockets that have not become connections.
   * 503 beyond it. Default 10,000: a crowd that reconnects passes, and peers that never finish hold some 100 MB at most.
   */
  readonly maxPendingHandshakes?: number | undefined;
  /** How many connections may wait for `accept()`; 503 beyond it. Default 512, as the backlog of a listening socket. */
  readonly acceptQueue?: number | undefined;
  /** Serves TLS: certificate, key and what else `node:tls` takes. Default: plain TCP. */
  readonly tls?: TlsOptions | undefined;
}

/** What {@link connect} takes. */
export interface ConnectOptions extends ConnectionOptions, HandshakeLimits, ExtensionOptions {
  /** The subprotocols to offer, the best one first. Default: none. */
  readonly protocols?: string | readonly string[] | undefined;
  /** Further fields of the request. `Host` and `Authorization` take the place of what the URL says. */
  readonly headers?: CallerHeaders | undefined;
  /** The Origin field. Default: none, as this is no browser. */
  readonly origin?: string | undefined;
  /** Gives the handshake up: `AbortError`. It does not touch a connection that stands. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How many redirects are followed. Default 0: a redirect is a refusal. Credentials, cookies and client certificates
   * never follow to another origin, and no redirect leads from TLS to plain TCP.
   */
  readonly maxRedirects?: number | undefined;
  /** What `node:tls` takes: certificate authorities, a client certificate, `servername` and so on. */
  readonly tls?: TlsConnectOptions | undefined;
  /** An agent of `node:http` or `node:https`, for a proxy. Default: none, as a connection is used by nobody after us. */
  readonly agent?: HttpAgent | HttpsAgent | undefined;
  /** Makes the socket, as the option of `node:http` does: it returns it, or calls back. For `wss:`, TLS is spoken on it already. */
  readonly createConnection?:
    | ((
        options: ClientRequestArgs,
        callback: (error: Error | null, socket?: Duplex | undefined) => void,
      ) => Duplex | null | undefined)
    | undefined;
  /**
   * Connects over a stream of HTTP/2 (RFC 8441): `true` on a session of its own, which ends with the connection; a session
   * of yours carries many connections, and is left as it is. Default: HTTP/1.1.
   */
  readonly http2?: boolean | ClientHttp2Session | undefined;
}

/** {@link UpgradeOptions} with every default in its place. */
export interface ResolvedUpgradeOptions
  extends Pick<UpgradeOptions, 'origins' | 'selectProtocol' | 'authorize' | 'responseHeaders' | 'onRefused'> {
  readonly protocols: readonly string[];
  readonly extensions: readonly WsExtension[];
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
  readonly handshakeTimeoutMs: number;
  /** What is left for the connection, with its defaults, and nothing else. */
  readonly connection: ResolvedConnectionOptions;
}

/** {@link ServerOptions} with every default in its place. */
export interface ResolvedServerOptions extends ResolvedUpgradeOptions {
  readonly path: string | ((request: WsRequest) => boolean) | undefined;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxPendingHandshakes: number;
  readonly acceptQueue: number;
  readonly tls: TlsOptions | undefined;
}

/** {@link ConnectOptions} with every default in its place. */
export interface ResolvedConnectOptions
  extends Omit<ConnectOptions, keyof ConnectionOptions | keyof ExtensionOptions | 'protocols' | 'http2'> {
  /** Undefined for HTTP/1.1. */
  readonly http2: true | ClientHttp2Session | undefined;
  readonly protocols: readonly string[];
  readonly extensions: readonly WsExtension[];
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
  readonly handshakeTimeoutMs: number;
  readonly maxRedirects: number;
  readonly connection: ResolvedConnectionOptions;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
const ACCEPT_QUEUE = 512;
const HEADER_COUNT = 100;
const PENDING_HANDSHAKES = 10_000;
const NO_LIMIT = Number.POSITIVE_INFINITY;
/** As many as browsers follow. More is a loop. */
const MAX_REDIRECTS = 20;

/**
 * Puts the defaults in and checks the rest.
 *
 * @throws TypeError for a value of the wrong type, RangeError for one out of range
 */
export function resolveUpgradeOptions(options: UpgradeOptions = {}): ResolvedUpgradeOptions {
  assertObject('options', options);
  const { perMessageDeflate, extensions: listed, ...others } = options;
  const { origins, protocols = [], selectProtocol, authorize, responseHeaders, onRefused, ...rest } = others;
  const extensions = resolveExtensions({ perMessageDeflate, extensions: listed }, false);
  if (typeof origins !== 'function') assertOriginPolicy(origins);
  assertProtocols(protocols);
  for (const [name, value] of Object.entries({ selectProtocol, authorize, responseHeaders, onRefused })) {
    if (value !== undefined && typeof value !== 'function') throw new TypeError(`${name} must be a function`);
  }
  const limits = resolveHandshakeLimits(rest);
  // Dead clients are a server's burden, so a server looks for them unless it is told not to.
  const connection = resolveConnectionOptions({ ...rest, heartbeat: rest.heartbeat ?? true });
  const judges = { origins, selectProtocol, authorize, responseHeaders, onRefused };
  return { ...judges, protocols, extensions, ...limits, connection };
}

/** As {@link resolveUpgradeOptions}, for a whole server. */
export function resolveServerOptions(options: ServerOptions = {}): ResolvedServerOptions {
  assertObject('options', options);
  const { path, maxConnections, maxConnectionsPerAddress, maxPendingHandshakes, acceptQueue, tls, ...rest } = options;
  if (path !== undefined && typeof path !== 'function' && !(typeof path === 'string' && path.startsWith('/'))) {
    throw new TypeError('path must begin with a slash, or be a function');
  }
  if (tls !== undefined) assertObject('tls', tls);
  return {
    ...resolveUpgradeOptions(rest),
    path,
    tls,
    maxConnections: count('maxConnections', maxConnections, NO_LIMIT, NO_LIMIT),
    maxConnectionsPerAddress: count('maxConnectionsPerAddress', maxConnectionsPerAddress, NO_LIMIT, NO_LIMIT),
    maxPendingHandshakes: count('maxPendingHandshakes', maxPendingHandshakes, PENDING_HANDSHAKES, NO_LIMIT),
    acceptQueue: count('acceptQueue', acceptQueue, ACCEPT_QUEUE, NO_LIMIT),
  };
}

/** As {@link resolveUpgradeOptions}, for a client. */
export function resolveConnectOptions(options: ConnectOptions = {}): ResolvedConnectOptions {
  assertObject('options', options);
  const { perMessageDeflate, extensions, ...others } = options;
  const {
    protocols = [],
    headers,
    origin,
    signal,
    maxRedirects,
    tls,
    agent,
    createConnection,
    http2,
    ...rest
  } = others;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal');
  if (tls !== undefined) assertObject('tls', tls);
  if (createConnection !== undefined && typeof createConnection !== 'function') {
    throw new TypeError('createConnection must be a function');
  }
  assertHttp2(http2, { agent, tls, createConnection });
  if (typeof protocols !== 'string') assertProtocols(protocols);
  const connection = resolveConnectionOptions(rest);
  return {
    http2: http2 === false ? undefined : http2,
    ...{ headers, origin, signal, tls, agent, createConnection, connection },
    ...resolveHandshakeLimits(rest),
    protocols: typeof protocols === 'string' ? [protocols] : protocols,
    extensions: resolveExtensions({ perMessageDeflate, extensions }, true),
    maxRedirects: count('maxRedirects', maxRedirects, 0, MAX_REDIRECTS),
  };
}

function assertHttp2(
  http2: ConnectOptions['http2'],
  { agent, ...others }: Pick<ConnectOptions, 'agent' | 'tls' | 'createConnection'>,
): void {
  if (http2 === undefined || http2 === false) return;
  const isSession = typeof http2 === 'object' && typeof http2?.request === 'function';
  if (http2 !== true && !isSession) throw new TypeError('http2 must be true, false or a ClientHttp2Session');
  // An option that would do nothing is a mistake to be told.
  if (agent !== undefined) throw new TypeError('an agent makes sockets for HTTP/1.1 only');
  const alien = isSession ? Object.entries(others).find(([, value]) => value !== undefined) : undefined;
  if (alien !== undefined) throw new TypeError(`${alien[0]} is of no use where the session is there already`);
}

interface ResolvedHandshakeLimits {
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
  readonly handshakeTimeoutMs: number;
}

function resolveHandshakeLimits(limits: HandshakeLimits): ResolvedHandshakeLimits {
  const maxHeaderBytes = count('maxHeaderBytes', limits.maxHeaderBytes, WS_HEADER_BUFFER, Number.MAX_SAFE_INTEGER);
  // To node:http, 0 would mean its own default.
  if (maxHeaderBytes === 0) throw new RangeError('maxHeaderBytes must be more than 0');
  return {
    maxHeaderBytes,
    maxHeaderCount: count('maxHeaderCount', limits.maxHeaderCount, HEADER_COUNT, NO_LIMIT),
    handshakeTimeoutMs: milliseconds('handshakeTimeoutMs', limits.handshakeTimeoutMs, HANDSHAKE_TIMEOUT_MS),
  };
}

function assertProtocols(protocols: readonly string[]): void {
  if (!Array.isArray(protocols)) throw new TypeError('protocols must be a list');
  for (const protocol of protocols) {
    if (typeof protocol !== 'string' || !isToken(protocol)) {
      throw new TypeError(`a subprotocol must be a token: ${JSON.stringify(protocol)}`);
    }
  }
}

function assertObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw new TypeError(`${name} must be an object`);
}
