/** The near side of a proxy: what listens, for WebSocket or for plain TCP. */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WsServer } from '../../endpoint/server/ws-server.ts';
import { WS_CLOSE_GOING_AWAY } from '../../protocol/close-code.ts';
import { type AllowedOrigins, guardOrigins } from '../allowed-origins.ts';
import type { Address } from './proxy-arguments.ts';

export interface Listener {
  readonly address: AddressInfo;
  /** Takes no more, and ends politely what is there. */
  close(): Promise<void>;
  /** Cuts all that is there. */
  drop(): void;
}

export interface ListenerOptions {
  readonly maxConnections: number;
  readonly allowedOrigins: AllowedOrigins;
  /** The subprotocols that are agreed to. */
  readonly protocols?: readonly string[] | undefined;
}

/** Listens for WebSocket. Rejects with the system's error where the address cannot be had. */
export async function listenForConnections(
  { host, port }: Address,
  { maxConnections, allowedOrigins, protocols }: ListenerOptions,
  onConnection: (conn: WsConnection) => void,
): Promise<Listener> {
  const guard = guardOrigins(allowedOrigins, host);
  const server = await WsServer.bind({ host, port }, { ...guard, maxConnections, protocols });
  server.on('connection', onConnection);
  return {
    address: server.address() as AddressInfo,
    close: () => server.close({ code: WS_CLOSE_GOING_AWAY, reason: 'the proxy stops' }),
    drop: () => server.drop(),
  };
}

/** Listens for plain TCP, likewise. Its sockets may be half open. */
export async function listenForSockets(
  { host, port }: Address,
  { maxConnections }: Pick<ListenerOptions, 'maxConnections'>,
  onSocket: (socket: Socket) => void,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Until it is joined, nobody else listens.
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.maxConnections = maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    address: server.address() as AddressInfo,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.end();
      await closed;
    },
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
