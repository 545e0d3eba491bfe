/** One of ours, connected over TCP and a real handshake to an attacker made of bytes. */
import type { Socket } from 'node:net';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import type { ServerOptions } from '../../lib/endpoint/endpoint-options.ts';
import type { WsServer } from '../../lib/endpoint/server/ws-server.ts';
import { sha1 } from '../../lib/endpoint/upgrade/upgrade-request.ts';
import { computeAccept } from '../../lib/handshake/accept-key.ts';
import type { ConnectionOptions } from '../../lib/options.ts';
import { boundServer, byteServer, deferred, turns } from '../support/endpoints.ts';
import { naiveDecode, type Role, type WireFrame } from '../support/naive-frames.ts';
import { ByteCollector, rawClient } from '../support/sockets.ts';

export interface Duel {
  /** Ours. */
  readonly conn: WsConnection;
  /** The attacker's socket. */
  readonly socket: Socket;
  /** What the attacker has received behind the handshake; made when it is first asked for, as that begins to read. */
  readonly received: () => ByteCollector;
  /** Whether the attacker should mask. */
  readonly isMasked: boolean;
  readonly server: WsServer | undefined;
}

/** Joins a connection of ours in the role with an attacker. */
export async function duel(role: Role, options: ConnectionOptions = {}): Promise<Duel> {
  return role === 'server' ? againstServer(options) : againstClient(options);
}

async function againstServer(options: ServerOptions): Promise<Duel> {
  const server = await boundServer(options);
  const accepted = server.accept();
  const { socket, received } = await rawClient(server.port);
  const conn = (await accepted)!;
  return { conn, socket, received: () => received, isMasked: true, server };
}

async function againstClient(options: ConnectionOptions): Promise<Duel> {
  const attacker = deferred<Socket>();
  const { port } = await byteServer((socket) => {
    socket.once('data', (head: Buffer) => {
      socket.pause();
      socket.write(answerTo(String(head)));
      attacker.resolve(socket);
    });
  });
  const conn = await connect(`ws://127.0.0.1:${port}`, options);
  const socket = await attacker.promise;
  let collector: ByteCollector | undefined;
  const received = (): ByteCollector => {
    collector ??= new ByteCollector(socket);
    socket.resume();
    return collector;
  };
  return { conn, socket, received, isMasked: false, server: undefined };
}

/** Reads up to the close frame, ends as a polite peer does, and reads the rest. */
export async function readToClose({ socket, received }: Duel): Promise<Buffer> {
  const collector = received();
  const isClosing = (): boolean => decodeFrames(collector.pending).some(({ opcode }) => opcode === 8);
  while (!isClosing() && !socket.readableEnded && !socket.destroyed) await turns(1);
  socket.end();
  return collector.readAll();
}

/** The 101 that a request asks for. */
export function answerTo(request: string, further: string = ''): string {
  const key = /^Sec-WebSocket-Key: (.*)$/im.exec(request)?.[1]?.trim() ?? '';
  const fields = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${computeAccept(key, sha1)}`];
  return `HTTP/1.1 101 Switching Protocols\r\n${fields.join('\r\n')}\r\n${further}\r\n`;
}

/** All frames in the bytes. */
export function decodeFrames(bytes: Buffer): WireFrame[] {
  const frames: WireFrame[] = [];
  let at = 0;
  for (let found = naiveDecode(bytes); found !== undefined; found = naiveDecode(bytes.subarray(at))) {
    frames.push(found.frame);
    at += found.length;
  }
  return frames;
}
