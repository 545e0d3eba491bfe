/**
 * What the commands have in common that connect to a WebSocket server: the options of the handshake, and what help says
 * of them. Pure.
 */
import { parseConnectTarget } from '../endpoint/client/connect-target.ts';
import { formatCallerHeaders } from '../handshake/caller-headers.ts';
import type { OptionTable } from './command-line.ts';
import { Misuse, type Values } from './values.ts';

/** How a server is reached. */
export interface DialOptions {
  readonly url: string;
  /** Further fields of the request. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The subprotocols to offer, the best first. */
  readonly protocols: readonly string[];
  readonly origin: string | undefined;
  readonly maxRedirects: number;
  /** Whether the connection is a stream of HTTP/2 (RFC 8441). */
  readonly isHttp2: boolean;
  /** Paths of PEM files. */
  readonly caPath: string | undefined;
  readonly certPath: string | undefined;
  readonly keyPath: string | undefined;
  /** The name that the certificate must be for; `undefined` for the one in the URL. */
  readonly servername: string | undefined;
  /** Whether the certificate is checked. */
  readonly isChecked: boolean;
}

/** The options of {@link DialOptions}, as one types them. */
export const DIAL_OPTIONS: OptionTable = {
  header: { type: 'string', short: 'H' },
  user: { type: 'string', short: 'u' },
  protocol: { type: 'string' },
  origin: { type: 'string' },
  'max-redirects': { type: 'string' },
  http2: { type: 'boolean' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  servername: { type: 'string' },
  insecure: { type: 'boolean' },
};

/** The part of a help text that tells of them. */
export const DIAL_HELP: string = `  -H, --header <line>      a field of the request, 'Name: value'. May be
                           repeated.
  -u, --user <name:pass>   says who you are (Basic). So does
                           ws://name:pass@host.
  --protocol <name>        a subprotocol to offer, the best first. May be
                           repeated.
  --origin <origin>        the Origin field. Default: none, as this is no
                           browser.
  --max-redirects <n>      how many redirects are followed. Default 0. Passwords
                           and cookies do not follow to another server.
  --http2                  connects over a stream of HTTP/2 (RFC 8441)
  --ca <file>              trusts these certificates (PEM), and no others
  --cert <file>            the certificate that says who you are (PEM)
  --key <file>             its key. Default: in the file of --cert.
  --servername <name>      the name that the certificate must be for
  --insecure               takes any certificate: anybody may be in between`;

/** Reads the options of a handshake. @throws Misuse */
export function parseDial(url: string, values: Values): DialOptions {
  assertUrl(url);
  const certPath = values.text('cert');
  if (certPath === undefined && values.has('key')) throw new Misuse('--key needs the --cert that belongs to it.');
  return {
    url,
    headers: readHeaders(values),
    protocols: values.list('protocol').flatMap((names) => names.split(',').map((name) => name.trim())),
    origin: values.text('origin'),
    maxRedirects: values.number('max-redirects', { fallback: 0, min: 0, max: 100 }),
    caPath: values.text('ca'),
    isHttp2: values.has('http2'),
    certPath,
    // A file may hold both.
    keyPath: values.text('key') ?? certPath,
    servername: values.text('servername'),
    isChecked: !values.has('insecure'),
  };
}

function assertUrl(url: string): void {
  if (!/^[a-z][a-z\d+.-]*:\//i.test(url)) throw new Misuse(`${url} is no URL. Did you mean ws://${url}?`);
  try {
    parseConnectTarget(url);
  } catch (error) {
    // The platform says "Invalid URL" and no more.
    const why = (error as Error).message === 'Invalid URL' ? 'it is no URL' : (error as Error).message;
    throw new Misuse(`${url} cannot be connected to: ${why}.`);
  }
}

function readHeaders(values: Values): [string, string][] {
  const fields = values.list('header').map(readHeader);
  const user = values.text('user');
  if (user !== undefined) {
    if (!user.includes(':')) throw new Misuse('--user takes name:password.');
    fields.push(['Authorization', `Basic ${Buffer.from(user).toString('base64')}`]);
  }
  try {
    formatCallerHeaders(fields);
  } catch (error) {
    throw new Misuse(`--header: ${(error as Error).message}.`);
  }
  return fields;
}

function readHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  if (colon < 1) throw new Misuse(`--header takes 'Name: value', not ${line}.`);
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}
