/** The echo server itself: the page and the echo on one port, until `close`. It prints nothing and knows no signal. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { WsServer } from '../../endpoint/server/ws-server.ts';
import { WS_CLOSE_GOING_AWAY } from '../../protocol/close-code.ts';
import { listUrls } from '../listen-urls.ts';
import type { EchoOptions } from './echo-arguments.ts';
import { createPageHandler, loadPage } from './page.ts';

/** An echo server that listens. */
export interface EchoServer {
  /** The port that was asked for, or the free one that was found. */
  readonly port: number;
  /** Where people find the page: `http://…/`; the echo is at the same places under `ws://…/`. Never empty. */
  readonly urls: readonly string[];
  /** How many WebSocket connections are open now. */
  readonly connectionCount: number;
  /** Closes every connection with 1001, then the server. Settles when nothing is left, after 10 seconds at the latest. */
  close(): Promise<void>;
}

/**
 * Starts the echo server. Rejects with the system's error where the address cannot be had (`EADDRINUSE`, `EACCES` …).
 *
 * @see RFC 6455 §7.4.1 for the 1001 with which it leaves
 */
export async function startEcho({ host, port, maxMessageBytes }: EchoOptions): Promise<EchoServer> {
  const httpServer = createServer(createPageHandler(await loadPage(maxMessageBytes)));
  await listen(httpServer, port, host);
  const server = WsServer.attach(httpServer, { maxMessageBytes });
  const echoing = server.runEcho();
  const address = httpServer.address() as AddressInfo;
  return {
    port: address.port,
    urls: listUrls('http', host, address, networkInterfaces()),
    get connectionCount() {
      return server.connections.size;
    },
    async close() {
      const isClosed = new Promise((resolve) => httpServer.close(resolve));
      await server.close({ code: WS_CLOSE_GOING_AWAY, reason: 'the echo server stops' });
      httpServer.closeAllConnections();
      await Promise.all([isClosed, echoing]);
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
