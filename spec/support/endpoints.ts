/**
 * Servers that are gone when the test ends, and peers that speak HTTP by hand.
 */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { connect as connectTcp, createServer, type Server as NetServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import type { ServerOptions } from '../../lib/endpoint/endpoint-options.ts';
import { WsServer } from '../../lib/endpoint/server/ws-server.ts';
import { ByteCollector, portOf } from './sockets.ts';

/** Binds a server to a free port of the loopback. */
export async function boundServer(options?: ServerOptions): Promise<WsServer> {
  const server = await WsServer.bind({ port: 0, host: '127.0.0.1' }, options);
  onTestFinished(() => server.drop());
  return server;
}

/** Binds somebody's HTTP server to a free port of the loopback. */
export async function httpServer(onRequest?: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createHttpServer(onRequest);
  const port = await listening(server);
  return { server, port };
}

/** Binds a server that does with each socket what the test says. */
export async function byteServer(onSocket: (socket: Socket) => void): Promise<{ server: NetServer; port: number }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    onSocket(socket);
  });
  const port = await listening(server);
  return { server, port };
}

async function listening(server: NetServer): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return portOf(server);
}

/** A TCP connection to a port of the loopback, gone when the test ends. */
export function dial(port: number): { socket: Socket; received: ByteCollector } {
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
  });
  return { socket, received: new ByteCollector(socket) };
}

/** An HTTP response as it came, up to the end of the socket. */
export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Reads a response that ends with its socket. */
export function parseResponse(bytes: Buffer): RawResponse {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end < 0 ? text.length : end).split('\r\n');
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1] ?? 0);
  return { status, headers: Object.fromEntries(fields), body: end < 0 ? '' : text.slice(end + 4) };
}

/** Sends bytes, waits until the server ends, and ends too; gives the response. */
export async function exchange(port: number, bytes: string | Uint8Array): Promise<RawResponse> {
  const { socket, received } = dial(port);
  socket.write(bytes);
  const response = await received.readAll();
  socket.end();
  return parseResponse(response);
}

/** Makes a promise and what settles it. */
export function deferred<T = void>(): {
  readonly promise: Promise<T>;
  readonly resolve: (value: T | PromiseLike<T>) => void;
  readonly reject: (error: unknown) => void;
} {
  let resolve!: (value: T | PromiseLike<T>) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** A text frame as a client sends it, for up to 125 bytes; the masking key is zero. */
export function clientText(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([Buffer.of(0x81, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

/** Lets the event loop turn, so that what is under way can go on. */
export async function turns(count: number = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits until `isTrue`, a turn of the loop at a time; the test's own time limit is the limit. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** The address of a server on the loopback. */
export const urlOf = (server: WsServer, path: string = '/'): string => `ws://127.0.0.1:${server.port}${path}`;

/** A connection, from both sides. */
export async function linked(server: WsServer): Promise<{ client: WsConnection; ours: WsConnection }> {
  const accepted = server.accept();
  const client = await connect(urlOf(server));
  return { client, ours: (await accepted)! };
}
