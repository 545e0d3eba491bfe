/**
 * The types of the package as an editor and a compiler see them in somebody's program. They leave no trace at run time:
 * that this file compiles is their test, and each `@ts-expect-error` would complain if its line compiled.
 */
import type { Server } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import type { Duplex, pipeline as Pipeline, Readable, Writable } from 'node:stream';
import type * as wspipe from '../../lib/index.ts';

/** `true` where both are the very same type, `any` and `unknown` included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Extends<A, B> = [A] extends [B] ? true : false;
type Item<T> = T extends AsyncIterable<infer I> ? I : never;
type Conn = wspipe.WsConnection;
type WsServer = wspipe.WsServer;

/** What each must be. */
type All<T extends readonly true[]> = T;

export type Frames = All<
  [
    Same<wspipe.WsFrame['payload'], Uint8Array>,
    Same<wspipe.WsFrame['opcode'], wspipe.WsOpcode>,
    Same<wspipe.WsOpcode, 0 | 1 | 2 | 8 | 9 | 10>,
    Same<ReturnType<wspipe.WsFrame['payloadText']>, string>,
    Same<wspipe.WsRole, 'client' | 'server'>,
  ]
>;

export type Connections = All<
  [
    Extends<Conn, Duplex>,
    Extends<wspipe.Topic, Writable>,
    Same<Awaited<ReturnType<Conn['recvFrame']>>, wspipe.WsFrame | null>,
    Same<Awaited<ReturnType<Conn['sendText']>>, number>,
    Same<Awaited<ReturnType<Conn['ping']>>, number | null>,
    Same<Awaited<ReturnType<Conn['close']>>, wspipe.CloseInfo>,
    Same<Awaited<Conn['closeInfo']>, wspipe.CloseInfo>,
    Same<wspipe.CloseInfo['initiator'], 'local' | 'remote'>,
    Same<Conn['context'], unknown>,
    Same<Conn['request'], wspipe.WsRequest | undefined>,
    Same<Conn['response'], wspipe.WsResponse | undefined>,
    Same<Item<Conn>, wspipe.WsFrame>,
    Same<Item<ReturnType<Conn['messages']>>, wspipe.WsMessage>,
    Same<Item<ReturnType<Conn['fragments']>>, wspipe.WsFrame>,
    Extends<wspipe.WsMessage, Readable>,
    Same<wspipe.WsMessage['type'], 'text' | 'binary'>,
    Same<Awaited<ReturnType<wspipe.WsMessage['text']>>, string>,
    Extends<ReturnType<Conn['createMessage']>, Writable>,
    Extends<ReturnType<Conn['byteStream']>, Duplex>,
    Same<ReturnType<Conn['toWeb']>['readable'], ReadableStream<string | Uint8Array>>,
  ]
>;

export type Endpoints = All<
  [
    Same<Item<WsServer>, Conn>,
    Same<Awaited<ReturnType<WsServer['accept']>>, Conn | null>,
    Same<WsServer['connections'], ReadonlySet<Conn>>,
    Same<Awaited<ReturnType<typeof wspipe.connect>>, Conn>,
    Same<Awaited<ReturnType<typeof wspipe.wsUpgrade>>, Conn | null>,
    Same<Item<ReturnType<typeof wspipe.connectForever>>, Conn>,
    Same<ReturnType<typeof wspipe.createPair>['client'], Conn>,
    Same<wspipe.ConnectOptions['http2'], boolean | ClientHttp2Session | undefined>,
  ]
>;

interface User {
  readonly name: string;
}

/** What `authorize` gives is the type of `context`, less the refusals. */
export async function authorize(
  { WsServer, wsServer, wsUpgrade, refuse, Topic }: typeof wspipe,
  find: (url: string) => User | undefined,
  { http, socket, request }: { http: Server; socket: Duplex; request: import('node:http').IncomingMessage },
): Promise<unknown> {
  const users = await WsServer.bind(0, { authorize: async ({ url }) => find(url) ?? refuse(401) });
  const same = await wsServer(0, { authorize: ({ url }) => find(url) ?? refuse(401) });
  const attached = WsServer.attach(http, {
    path: '/a',
    authorize: ({ url }) => (url === '' ? refuse(404) : { id: 1 }),
  });
  const upgraded = await wsUpgrade(request, socket, Buffer.alloc(0), { authorize: async () => {} });
  const unasked = await wsServer(0, { maxConnections: 1 });
  type Inferred = All<
    [
      Same<typeof users, wspipe.WsServer<User>>,
      Same<typeof same, wspipe.WsServer<User>>,
      Same<typeof attached, wspipe.WsServer<{ id: number }>>,
      Same<typeof upgraded, wspipe.WsConnection<void> | null>,
      Same<typeof unasked, WsServer>,
      Same<Item<typeof users>, wspipe.WsConnection<User>>,
    ]
  >;
  // Who does not care for it takes any.
  const topic = new Topic();
  const bare: WsServer = users;
  await bare.serve((conn: Conn) => topic.add(conn));
  await users.serve((conn: Conn) => topic.add(conn));
  await users.serve(async ({ context }) => context.name);
  await users.broadcast('hello', ({ context }) => context.name === 'Ada');
  users.on('connection', (conn) => conn.context.name).on('handlerError', (_error, { context }) => context.name);
  for (const conn of users.connections) topic.add(conn).connection.context satisfies unknown;
  return [] satisfies Inferred[];
}

/** Calls as somebody writes them, never made. */
export async function use(
  conn: Conn,
  server: WsServer,
  topic: wspipe.Topic,
  { errorMonitor }: typeof import('node:events').EventEmitter,
  pipeline: typeof Pipeline,
  { connect, connectForever, wsUpgrade, WsServer, refuse, WsFrame, FrameDecoder }: typeof wspipe,
  { http, socket, request }: { http: Server; socket: Duplex; request: import('node:http').IncomingMessage },
): Promise<void> {
  await connect('wss://a.example', { protocols: ['chat'], tls: { ca: 'pem' }, signal: AbortSignal.timeout(1000) });
  await connect(new URL('ws://a.example'));
  // An option that is not there is not taken for one.
  // @ts-expect-error
  await connect('ws://a.example', { protocol: 'chat' });
  // @ts-expect-error
  await connect('ws://a.example', { maxMessageBytes: '16 MiB' });
  // @ts-expect-error
  await connect('ws://a.example', { http2: 2 });
  // @ts-expect-error
  connectForever('ws://a.example', { backoff: 'fast' });

  await wsUpgrade(request, socket, Buffer.alloc(0), { maxMessageBytes: 65_536 });
  await wsUpgrade(socket, new Uint8Array(0));
  // @ts-expect-error: the head is not optional, as it may hold frames.
  await wsUpgrade(request, socket);

  await WsServer.bind({ port: 0, host: '::1' }, { authorize: async ({ headers }) => headers.cookie ?? refuse(401) });
  WsServer.attach(http, { path: ({ url }) => url.startsWith('/chat'), origins: ['https://a.example'] });
  // @ts-expect-error
  WsServer.attach(socket);
  // @ts-expect-error
  await WsServer.bind(0, { heartbeat: 30_000 });
  // @ts-expect-error: a text says so itself.
  await conn.sendText(new Uint8Array(1));
  await conn.sendBinary(new ArrayBuffer(1));
  conn.write('text');
  conn.createMessage('binary').end(new Uint8Array(1));
  // @ts-expect-error
  conn.createMessage('blob');
  // @ts-expect-error: there may be no next frame.
  (await conn.recvFrame()).payloadText();
  // @ts-expect-error: what `authorize` returned is not known here.
  conn.context.name;
  // @ts-expect-error
  WsFrame.text(new Uint8Array(1));
  // @ts-expect-error: nobody can guess on which end it stands.
  new FrameDecoder({});

  server.on('connection', (incoming) => void incoming.sendText('hello'));
  server.on('handlerError', (error) => error satisfies unknown);
  // @ts-expect-error
  server.on('connexion', () => {});
  conn.on('data', (frame) => void conn.sendFrame(frame)).once('close', () => {});
  await new Promise((resolve) => conn.once('close', resolve));
  // A name that is known only at run time is not judged.
  for (const name of ['end', 'finish']) conn.on(name, () => {});
  conn.on(errorMonitor, (error: Error) => error.message);
  // @ts-expect-error
  conn.on('message', () => {});
  // @ts-expect-error
  conn.on('data', (text: string) => text);
  topic.on('leave', (member, reason) => reason === 'slow' && member.connection.isOpen());
  // @ts-expect-error
  topic.on('jion', () => {});
  // As a Duplex, it takes any name, as Node's typings do.
  (conn as Duplex).on('message', () => {});
  pipeline(conn, conn, () => {});
  process.stdin.pipe(conn).pipe(topic);
  await server.serve(async (each) => void (await each.recvFrame()));
}
