/**
 * Reads the URL of a connection: where the socket goes, and what the request says.
 *
 * @see RFC 6455 §3; the WHATWG URL standard reads the text
 */

/** Where a handshake goes. */
export interface ConnectTarget {
  /** The URL, without credentials. */
  readonly url: URL;
  readonly isSecure: boolean;
  /** The host to connect to, an IPv6 address without brackets; the other two are for TCP only. */
  readonly hostname: string;
  readonly port: number;
  /** The path of a Unix socket, which then takes the place of host and port. */
  readonly socketPath: string | undefined;
  /** The Host field. */
  readonly host: string;
  /** The request target: path and query. */
  readonly path: string;
  /** The Authorization field that the URL's user and password make; undefined where it has none. */
  readonly authorization: string | undefined;
  /** What two targets have in common that may share credentials. */
  readonly origin: string;
}

const SCHEMES: ReadonlyMap<string, { readonly isSecure: boolean; readonly isUnix: boolean }> = new Map([
  ['ws:', { isSecure: false, isUnix: false }],
  ['wss:', { isSecure: true, isUnix: false }],
  ['http:', { isSecure: false, isUnix: false }],
  ['https:', { isSecure: true, isUnix: false }],
  ['ws+unix:', { isSecure: false, isUnix: true }],
  ['wss+unix:', { isSecure: true, isUnix: true }],
]);

/**
 * Reads a URL: `ws:`, `wss:`, `http:`, `https:`, and `ws+unix:///path/to.sock:/request/path` (`wss+unix:` the same).
 *
 * @throws TypeError for anything else, and for a fragment
 * @see RFC 6455 §3
 */
export function parseConnectTarget(text: string | URL): ConnectTarget {
  const url = new URL(text);
  const scheme = SCHEMES.get(url.protocol);
  if (scheme === undefined) throw new TypeError(`the scheme of a WebSocket URL cannot be ${url.protocol}`);
  // "Fragment identifiers are meaningless in the context of WebSocket URIs and MUST NOT be used on these URIs." (§3)
  if (url.href.includes('#')) throw new TypeError('a WebSocket URL has no fragment');
  const authorization = takeCredentials(url);
  return {
    url,
    authorization,
    isSecure: scheme.isSecure,
    ...(scheme.isUnix ? unixAddress(url) : tcpAddress(url, scheme)),
  };
}

type Address = Pick<ConnectTarget, 'hostname' | 'port' | 'socketPath' | 'host' | 'path' | 'origin'>;

function tcpAddress({ hostname, port, host, pathname, search }: URL, { isSecure }: { isSecure: boolean }): Address {
  // http: and ws: leave their default port 80 out, https: and wss: theirs.
  const number = port === '' ? (isSecure ? 443 : 80) : Number(port);
  return {
    host,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: number,
    socketPath: undefined,
    path: pathname + search,
    origin: `${isSecure ? 'wss' : 'ws'}://${hostname}:${number}`,
  };
}

function unixAddress({ protocol, host, pathname, search }: URL): Address {
  const [encodedPath = '', ...rest] = pathname.split(':');
  if (host !== '' || encodedPath.length < 2) {
    throw new TypeError('the URL of a Unix socket is ws+unix:///path/to.sock:/request/path');
  }
  const requestPath = rest.join(':') || '/';
  if (!requestPath.startsWith('/')) throw new TypeError('the request path behind a Unix socket begins with a slash');
  const socketPath = decodeURIComponent(encodedPath);
  const origin = `${protocol}//${socketPath}`;
  return { host: 'localhost', hostname: 'localhost', port: 0, socketPath, path: requestPath + search, origin };
}

/** Moves user and password out of the URL: they go into a field, and not into the messages of errors. */
function takeCredentials(url: URL): string | undefined {
  const { username, password } = url;
  if (username === '' && password === '') return undefined;
  url.username = '';
  url.password = '';
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
