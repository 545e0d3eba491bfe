/**
 * The other end of a connection, made by hand: it reads and writes frames byte by byte, as slowly and as plainly as
 * RFC 6455 §5.2 draws them, and shares no line with `lib/`. What it is told to send, it sends, legal or not.
 */
import type { Duplex } from 'node:stream';
import type { EstablishedOptions } from '../../lib/connection/connection-arguments.ts';
import { WsConnection } from '../../lib/connection/ws-connection.ts';
import { closeBody, naiveDecode, naiveEncode, ROLES, type Role, type WireFrame } from './naive-frames.ts';
import { memoryPair, tcpPair } from './sockets.ts';

export { closeBody, naiveDecode, naiveEncode, ROLES, type Role, type WireFrame };

export class NaivePeer {
  readonly socket: Duplex;
  readonly role: Role;
  #chunks: Buffer[] = [];
  #isListening = false;
  #hasEnded = false;
  #wake: () => void = () => {};

  constructor(socket: Duplex, role: Role) {
    this.socket = socket;
    this.role = role;
  }

  /** Makes the bytes of a frame, masked as the role demands. */
  encode(opcode: number, payload: Uint8Array | string = '', isFinal = true): Buffer {
    return naiveEncode(opcode, payload, { isFinal, isMasked: this.role === 'client' });
  }

  send(opcode: number, payload: Uint8Array | string = '', isFinal = true): boolean {
    return this.raw(this.encode(opcode, payload, isFinal));
  }

  text(text: string): boolean {
    return this.send(1, text);
  }

  ping(data = ''): boolean {
    return this.send(9, data);
  }

  close(code?: number, reason?: string): boolean {
    return this.send(8, closeBody(code, reason));
  }

  raw(bytes: Uint8Array): boolean {
    // A copy: what arrives through memory belongs to the receiver, who unmasks it in place.
    return this.socket.write(Buffer.from(bytes));
  }

  /** Sends FIN. */
  fin(): void {
    this.socket.end();
  }

  /** Cuts the connection, on TCP with RST. */
  reset(): void {
    const { resetAndDestroy } = this.socket as { resetAndDestroy?: () => void };
    if (resetAndDestroy === undefined) this.socket.destroy();
    else resetAndDestroy.call(this.socket);
  }

  /** Begins to read; before that the connection writes against a wall. */
  listen(): this {
    if (this.#isListening) return this;
    this.#isListening = true;
    this.#hasEnded = this.socket.destroyed || this.socket.readableEnded;
    const end = (): void => {
      this.#hasEnded = true;
      this.#wake();
    };
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    this.socket.on('end', end).on('error', end).on('close', end);
    return this;
  }

  /** Waits for the next frame; `null` where the bytes end before one. */
  async next(): Promise<WireFrame | null> {
    this.listen();
    for (;;) {
      const frame = this.#take();
      if (frame !== undefined) return frame;
      if (this.#hasEnded) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits for all frames up to the end. */
  async rest(): Promise<WireFrame[]> {
    const frames: WireFrame[] = [];
    for (let frame = await this.next(); frame !== null; frame = await this.next()) frames.push(frame);
    return frames;
  }

  /** Waits for the next frame of a kind, past others. */
  async find(opcode: number): Promise<WireFrame | null> {
    for (;;) {
      const frame = await this.next();
      if (frame === null || frame.opcode === opcode) return frame;
    }
  }

  #take(): WireFrame | undefined {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    const bytes = this.#chunks[0];
    const found = bytes === undefined ? undefined : naiveDecode(bytes);
    if (bytes === undefined || found === undefined) return undefined;
    this.#chunks = found.length === bytes.length ? [] : [bytes.subarray(found.length)];
    return found.frame;
  }
}

export interface Meeting {
  readonly conn: WsConnection;
  readonly peer: NaivePeer;
  /** The connection's own socket. */
  readonly socket: Duplex;
}

/** Makes a connection in the role and its peer in the other one, over TCP or in memory. */
export async function meet(role: Role, options?: EstablishedOptions & { over?: 'tcp' | 'memory' }): Promise<Meeting> {
  const { over = 'memory', ...rest } = options ?? {};
  const pair = over === 'tcp' ? await tcpPair() : memoryPair();
  const other = role === 'client' ? 'server' : 'client';
  const socket = pair[role];
  pair[other].allowHalfOpen = true;
  const conn = role === 'client' ? WsConnection.fromClient(socket, rest) : WsConnection.fromServer(socket, rest);
  return { conn, peer: new NaivePeer(pair[other], other), socket };
}

/** What a peer must see at the end of a legal road. */
export const isClose = (code?: number, reason = ''): object => ({ opcode: 8, payload: closeBody(code, reason) });

/** Waits until what is already under way in memory has arrived. */
export async function turns(count = 8): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
