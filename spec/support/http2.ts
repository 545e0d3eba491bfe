/**
 * Servers and clients of HTTP/2 that are gone when the test ends, and a client that speaks extended CONNECT by hand.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerOptions,
} from 'node:http2';
import type { Server } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ServerOptions as WsServerOptions } from '../../lib/endpoint/endpoint-options.ts';
import { WsServer } from '../../lib/endpoint/server/ws-server.ts';
import { TEST_CERT, TEST_KEY } from './certificate.ts';
import { ByteCollector, portOf } from './sockets.ts';

/** Somebody's HTTP/2 server. */
export interface Http2Host<S extends Http2Server | Http2SecureServer> {
  readonly server: S;
  readonly port: number;
  /** The sessions that are open. */
  readonly sessions: ReadonlySet<ServerHttp2Session>;
}

/** Binds a server without TLS to a free port of the loopback. */
export async function http2Server(options: ServerOptions = {}): Promise<Http2Host<Http2Server>> {
  return hosted(createServer(options));
}

/** Binds a server with TLS, which takes HTTP/1.1 too. */
export async function secureHttp2Server(options: SecureServerOptions = {}): Promise<Http2Host<Http2SecureServer>> {
  return hosted(createSecureServer({ key: TEST_KEY, cert: TEST_CERT, allowHTTP1: true, ...options }));
}

async function hosted<S extends Http2Server | Http2SecureServer>(server: S): Promise<Http2Host<S>> {
  const sessions = new Set<ServerHttp2Session>();
  (server as Http2Server).on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return { server, port: portOf(server as Server), sessions };
}

/** A server of WebSockets on an HTTP/2 server without TLS. */
export async function attachedServer(
  options?: WsServerOptions,
  http2Options?: ServerOptions,
): Promise<Http2Host<Http2Server> & { readonly ws: WsServer }> {
  const host = await http2Server(http2Options);
  const ws = WsServer.attach(host.server, options);
  onTestFinished(() => ws.drop());
  return { ...host, ws };
}

/** A session of a client, which knows what the server takes. */
export async function http2Session(url: string, options = {}): Promise<ClientHttp2Session> {
  const session = connect(url, { ca: TEST_CERT, ...options });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
  await new Promise<void>((resolve, reject) => session.once('remoteSettings', () => resolve()).once('error', reject));
  return session;
}

/** A stream, and what came of it. */
export interface RawStream {
  readonly stream: ClientHttp2Stream;
  readonly received: ByteCollector;
  /** The head of the answer; undefined where the stream closed without one. */
  readonly answer: IncomingHttpHeaders | undefined;
  readonly status: number;
  /** The code of the RST_STREAM with which it was closed, when it is; 0 for none. */
  readonly closed: Promise<number>;
}

/** Sends a hand-made extended CONNECT and waits for the head of the answer; a field given as `undefined` is left out. */
export async function extendedConnect(
  session: ClientHttp2Session,
  fields: Readonly<Record<string, string | string[] | undefined>> = {},
): Promise<RawStream> {
  const all = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/',
    'sec-websocket-version': '13',
    ...fields,
  };
  const asked = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const stream = session.request(asked, { endStream: false });
  stream.on('error', () => {});
  const received = new ByteCollector(stream);
  const closed = new Promise<number>((resolve) => stream.once('close', () => resolve(stream.rstCode ?? 0)));
  const answer = await new Promise<IncomingHttpHeaders | undefined>((resolve) => {
    stream.once('response', resolve).once('close', () => resolve(undefined));
  });
  return { stream, received, answer, status: Number(answer?.[':status'] ?? 0), closed };
}
