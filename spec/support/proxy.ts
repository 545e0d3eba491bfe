/**
 * An HTTP proxy that tunnels (RFC 9110 §9.3.6), and the two ways of a client through it.
 */
import { type ClientRequestArgs, createServer, Agent as HttpAgent, request } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { portOf } from './sockets.ts';

export interface TunnelProxy {
  readonly port: number;
  /** What it was asked to connect to. */
  readonly asked: string[];
}

/** Binds a proxy that tunnels to the loopback, whatever host is named, or refuses with a status. */
export async function tunnellingProxy(status = 200): Promise<TunnelProxy> {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  const server = createServer();
  server.on('connect', ({ url = '' }, client: Duplex) => {
    asked.push(url);
    const target = connectTcp(Number(url.split(':').at(-1)), '127.0.0.1');
    for (const socket of [client, target]) sockets.add(socket.on('error', () => {}));
    client.write(`HTTP/1.1 ${status} so be it\r\n\r\n`);
    if (status === 200) client.pipe(target).pipe(client);
    else client.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: portOf(server), asked };
}

type Callback = (error: Error | null, socket?: Duplex) => void;

/** Asks a proxy for a tunnel. */
export function openTunnel(proxyPort: number, { host, port }: ClientRequestArgs, callback: Callback): void {
  const path = `${host}:${port}`;
  const tunnel = request({ host: '127.0.0.1', port: proxyPort, method: 'CONNECT', path, agent: false });
  tunnel
    .on('error', (error) => callback(error))
    .on('connect', ({ statusCode }, socket: Socket) => {
      if (statusCode === 200) callback(null, socket);
      else callback(new Error(`the proxy says ${statusCode}`), void socket.destroy());
    });
  tunnel.end();
}

/** As {@link openTunnel}, with TLS through it. */
export function openTlsTunnel(proxyPort: number, options: ClientRequestArgs, callback: Callback): void {
  openTunnel(proxyPort, options, (error, socket) => {
    if (socket === undefined) callback(error);
    else
      callback(
        null,
        connectTls({ ...(options as ConnectionOptions), socket: socket as Socket, servername: String(options.host) }),
      );
  });
}

/** An agent for `ws:` through a proxy. */
export class TunnelAgent extends HttpAgent {
  readonly #proxyPort: number;

  constructor(proxyPort: number) {
    super();
    this.#proxyPort = proxyPort;
  }

  override createConnection(options: ClientRequestArgs, callback: Callback): undefined {
    openTunnel(this.#proxyPort, options, callback);
  }
}

/** An agent for `wss:` through a proxy. */
export class TlsTunnelAgent extends HttpsAgent {
  readonly #proxyPort: number;

  constructor(proxyPort: number) {
    super();
    this.#proxyPort = proxyPort;
  }

  override createConnection(options: ClientRequestArgs, callback: Callback): undefined {
    openTlsTunnel(this.#proxyPort, options, callback);
  }
}
