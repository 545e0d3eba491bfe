/** The options of `wspipe proxy` and its help, pure. */
import { type AllowedOrigins, ORIGIN_OPTIONS, readAllowedOrigins } from '../allowed-origins.ts';
import type { OptionTable, Words } from '../command-line.ts';
import { DIAL_HELP, DIAL_OPTIONS, type DialOptions, parseDial } from '../dial-arguments.ts';
import { suggest } from '../near-word.ts';
import { Misuse, type Values } from '../values.ts';

/** A TCP address. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What `wspipe proxy` runs with. One of the two sides is WebSocket, or both. */
export interface ProxyOptions {
  readonly listen: Address & { readonly protocol: 'ws' | 'tcp' };
  readonly target:
    | { readonly protocol: 'tcp'; readonly address: Address }
    | { readonly protocol: 'ws'; readonly dial: DialOptions };
  readonly allowedOrigins: AllowedOrigins;
  readonly maxConnections: number;
}

/** The defaults of `wspipe proxy`: this machine alone. */
export const PROXY_DEFAULTS = { host: '127.0.0.1', maxConnections: 1000 } as const;

export const PROXY_OPTIONS: OptionTable = {
  listen: { type: 'string' },
  to: { type: 'string' },
  ...ORIGIN_OPTIONS,
  'max-connections': { type: 'string' },
  ...DIAL_OPTIONS,
};

/** What `wspipe proxy --help` prints. */
export const PROXY_HELP: string = `wspipe proxy: leads WebSocket to TCP, TCP to WebSocket, or one to the other

Usage
  wspipe proxy [options] --listen <address> --to <address>

Options
  --listen <address>       where to listen, for WebSocket: 8080, host:8080 or
                           ws://host:8080; for plain TCP: tcp://host:8080.
                           Without a host, only this machine (${PROXY_DEFAULTS.host}); port 0
                           takes any free one.
  --to <address>           where each connection leads: tcp://host:port, or the
                           URL of a WebSocket server, ws://… or wss://…
  --allow-origin <origin>  web pages of this origin may connect, as browsers
                           write it: https://example.com. May be repeated; '*'
                           is all. Default: pages of this proxy's own address.
                           Programs that are no browser may always connect.
  --max-connections <n>    how many at once. Default ${PROXY_DEFAULTS.maxConnections}.
  -h, --help               print this text
  -v, --version            print the version

Towards a WebSocket server:
${DIAL_HELP}

Between WebSocket and TCP, bytes travel in binary messages; a text message is an
error (1003). Between two WebSockets, messages travel as they are, with their
type and the code of their close; only a subprotocol of --protocol is agreed on.
Memory stays the same whatever the size, and who is slow holds the other back.

WebSocket knows no half-close: when one end of a TCP connection says that it is
through, the WebSocket is closed with 1000, and what still comes before the
other side's close is delivered. Where the far side cannot be reached or breaks
off, the near one is closed with 1014 (bad gateway), or reset where it is TCP.

Ctrl-C closes every connection with 1001 and ends the proxy; once more ends it
at once. The exit code is 0, 1 where it could not start, and 2 for a command
line that makes no sense.

Examples
  wspipe proxy --listen 8080 --to tcp://localhost:5432
  wspipe proxy --listen tcp://localhost:5432 --to wss://example.com/db
  wspipe proxy --listen 8080 --to wss://example.com/ -H 'Cookie: a=b'
  wspipe proxy --listen 0.0.0.0:8080 --to tcp://localhost:22
`;

/** @throws Misuse */
export function parseProxy({ operands: [stranger], values }: Words): ProxyOptions {
  if (stranger !== undefined) {
    const hint = suggest(stranger, Object.keys(PROXY_OPTIONS), '--') || ' Write --listen ADDRESS --to ADDRESS.';
    throw new Misuse(`wspipe proxy takes options only, and ${stranger} is none.${hint}`);
  }
  const listen = values.text('listen');
  const to = values.text('to');
  if (listen === undefined) throw new Misuse('Where to listen? --listen 8080, or tcp://localhost:8080 for plain TCP.');
  if (to === undefined) throw new Misuse('Where to? --to tcp://host:port, or ws://… or wss://…');
  const near = parseListen(listen);
  const target = parseTarget(to, values);
  if (near.protocol === 'tcp' && target.protocol === 'tcp') {
    throw new Misuse('wspipe proxy has WebSocket on one side at least, and both of these are TCP.');
  }
  return {
    listen: near,
    target,
    allowedOrigins: readAllowedOrigins(values),
    maxConnections: values.number('max-connections', { fallback: PROXY_DEFAULTS.maxConnections, min: 1 }),
  };
}

function parseListen(text: string): ProxyOptions['listen'] {
  const [, scheme, rest = ''] = /^(?:([a-z]+):\/\/)?(.*?)\/?$/i.exec(text) ?? [];
  const protocol = (scheme ?? 'ws').toLowerCase();
  if (protocol !== 'ws' && protocol !== 'tcp') {
    throw new Misuse(`--listen takes [host:]port, ws://[host:]port or tcp://[host:]port, not ${text}.`);
  }
  return { protocol, ...parseAddress('--listen', rest, { fallbackHost: PROXY_DEFAULTS.host, minPort: 0 }) };
}

function parseTarget(text: string, values: Values): ProxyOptions['target'] {
  const [, rest] = /^tcp:\/\/(.*?)\/?$/i.exec(text) ?? [];
  if (rest === undefined) return { protocol: 'ws', dial: parseDial(text, values) };
  const stray = Object.keys(DIAL_OPTIONS).find((name) => values.has(name));
  if (stray !== undefined) throw new Misuse(`--${stray} is for a WebSocket server, and ${text} is TCP.`);
  return { protocol: 'tcp', address: parseAddress('--to', rest, { minPort: 1 }) };
}

/** Reads `host:port`, `[::1]:port`, and `:port` or `port` where there is a host to fall back on. */
function parseAddress(
  option: string,
  text: string,
  { fallbackHost, minPort }: { readonly fallbackHost?: string; readonly minPort: number },
): Address {
  const [, brackets, name, digits] = /^(?:\[([\da-f:.]+)\]:|([^\s:/@[\]]+):|:)?(\d{1,5})$/i.exec(text) ?? [];
  const host = brackets ?? name ?? fallbackHost;
  const port = Number(digits);
  if (host !== undefined && port >= minPort && port <= 65_535) return { host, port };
  const shape = fallbackHost === undefined ? 'host:port' : '[host:]port';
  throw new Misuse(`${option} takes ${shape} with a port from ${minPort} to 65535, not ${text}.`);
}
