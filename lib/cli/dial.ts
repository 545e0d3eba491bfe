/** Connects as the options of the command line say, with the files that they name. */
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { WsConnection } from '../connection/ws-connection.ts';
import { connect } from '../endpoint/client/connect.ts';
import type { ConnectOptions } from '../endpoint/endpoint-options.ts';
import type { DialOptions } from './dial-arguments.ts';

/** What stays the same from one connection to the next. */
export interface Dialer {
  /** Connects. Rejects as `connect` does. */
  dial(options?: ConnectOptions): Promise<WsConnection>;
}

/**
 * Reads the files once, and makes what connects with them. Rejects with the system's error for a file that cannot be
 * read.
 */
export async function createDialer(options: DialOptions): Promise<Dialer> {
  const { url, headers, protocols, origin, maxRedirects, isHttp2: http2 } = options;
  const tls = await readTls(options);
  return { dial: (further) => connect(url, { headers, protocols, origin, maxRedirects, http2, tls, ...further }) };
}

async function readTls({ caPath, certPath, keyPath, servername, isChecked }: DialOptions): Promise<TlsOptions> {
  return {
    ...(caPath !== undefined && { ca: await readFile(caPath) }),
    ...(certPath !== undefined && { cert: await readFile(certPath) }),
    ...(keyPath !== undefined && { key: await readFile(keyPath) }),
    ...(servername !== undefined && { servername }),
    ...(!isChecked && { rejectUnauthorized: false }),
  };
}
