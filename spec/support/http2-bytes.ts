/**
 * A client of HTTP/2 made of bytes, for requests that no client in its senses would send.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export const HEADERS = 0x1;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const GOAWAY = 0x7;
const END_HEADERS = 0x4;

/** A frame of HTTP/2 (RFC 9113 §4.1). */
export interface Http2Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function formatHttp2Frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Fields without any compression: literal, never indexed, each text with its length in seven bits (RFC 7541 §6.2.3). */
export function formatFieldBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value, 'latin1')]);
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0x10), text(name), text(value)]));
}

/** A session by hand. */
export interface ByteSession {
  readonly socket: Socket;
  /** What has come so far. */
  readonly frames: Http2Frame[];
  /** Sends a request on a stream; even its own fields are up to the caller. */
  request(stream: number, fields: readonly (readonly [name: string, value: string])[]): void;
  /** Waits for the first frame that is wanted, of those that came and those to come; undefined where the socket ends before. */
  frame(isWanted: (frame: Http2Frame) => boolean): Promise<Http2Frame | undefined>;
}

/** Connects in cleartext, with prior knowledge, and says the preface. */
export function byteSession(port: number): ByteSession {
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  const frames: Http2Frame[] = [];
  let pending: Buffer = Buffer.alloc(0);
  let isOver = false;
  let wake = (): void => {};
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let size = 0; pending.length >= 9 && pending.length >= (size = 9 + pending.readUIntBE(0, 3)); ) {
      const [type = 0, flags = 0] = pending.subarray(3, 5);
      frames.push({ type, flags, stream: pending.readUInt32BE(5), payload: pending.subarray(9, size) });
      pending = pending.subarray(size);
    }
    wake();
  });
  socket.on('close', () => {
    isOver = true;
    wake();
  });
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(formatHttp2Frame(SETTINGS, 0, 0, Buffer.alloc(0)));
  return {
    socket,
    frames,
    request: (stream, fields) =>
      void socket.write(formatHttp2Frame(HEADERS, END_HEADERS, stream, formatFieldBlock(fields))),
    frame: async (isWanted) => {
      for (;;) {
        const found = frames.find(isWanted);
        if (found !== undefined || isOver) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
