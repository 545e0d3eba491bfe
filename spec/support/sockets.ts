/**
 * Peers that specs talk to: pairs of connected streams, and a client that knows nothing but bytes. All of them are gone
 * when the test ends.
 */
import { connect, createServer, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';

/** Destroys the stream when the test ends; until then its errors are the test's business only if it listens. */
function disposed<T extends Duplex>(stream: T): T {
  stream.on('error', () => {});
  onTestFinished(() => {
    stream.destroy();
  });
  return stream;
}

/** Builds two connected TCP sockets over the loopback. */
export async function tcpPair(): Promise<{ client: Socket; server: Socket }> {
  const listener = createServer({ noDelay: true });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  const client = disposed(connect({ port: portOf(listener), host: '127.0.0.1', noDelay: true }));
  await new Promise<void>((resolve) => client.once('connect', resolve));
  const server = disposed(await accepted);
  listener.close();
  return { client, server };
}

/** Tells the port of a server that is bound to one. */
export function portOf(server: { address(): unknown }): number {
  return (server.address() as { port: number }).port;
}

class MemoryEnd extends Duplex {
  /** Set once, by `memoryPair`: two ends know each other, so one must come first. */
  other!: MemoryEnd;
  #resume: (() => void) | undefined;

  override _read(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    const { other } = this;
    if (other.destroyed) done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    else if (other.push(chunk)) done();
    else other.#resume = done;
  }

  override _final(done: () => void): void {
    this.other.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
    this._read();
    // A peer sees a cut, a turn later; after a proper end it may go on reading what it has.
    if (!this.writableFinished) setImmediate(() => this.other.destroy());
  }
}

/** Builds two Duplexes in memory: what one end writes, the other reads, with backpressure. A cut end cuts the other. */
export function memoryPair(options?: { highWaterMark?: number | undefined }): { client: Duplex; server: Duplex } {
  const { highWaterMark } = options ?? {};
  const limits = highWaterMark === undefined ? {} : { highWaterMark };
  const [client, server] = [disposed(new MemoryEnd(limits)), disposed(new MemoryEnd(limits))];
  client.other = server;
  server.other = client;
  return { client, server };
}

/** Collects what a stream delivers, to be taken by count. */
export class ByteCollector {
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  constructor(stream: Duplex) {
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    stream.on('data', (chunk: Uint8Array) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    stream.on('end', end).on('error', end).on('close', end);
  }

  /** What has come and was not taken. */
  get pending(): Buffer {
    return this.#bytes;
  }

  /** Takes the next `length` bytes; fewer only where the stream ends before. */
  async read(length: number): Promise<Buffer> {
    await this.#until(() => this.#bytes.length >= length);
    return this.#take(length);
  }

  /** Takes all bytes up to and with `mark`; all there are where the stream ends before. */
  async readThrough(mark: string): Promise<Buffer> {
    await this.#until(() => this.#bytes.includes(mark));
    const at = this.#bytes.indexOf(mark);
    return this.#take(at < 0 ? this.#bytes.length : at + mark.length);
  }

  /** Takes all bytes up to the end of the stream. */
  async readAll(): Promise<Buffer> {
    await this.#until(() => false);
    return this.#take(this.#bytes.length);
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  async #until(enough: () => boolean): Promise<void> {
    while (!this.#ended && !enough()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A client made of bytes, after its handshake. */
export interface RawClient {
  readonly socket: Socket;
  /** The status of the answer; 0 where the server closed without one. */
  readonly status: number;
  /** The head of the answer, up to the empty line. */
  readonly head: string;
  /** What came behind the head. */
  readonly received: ByteCollector;
  write(bytes: Uint8Array | string): void;
}

/** The key of RFC 6455 §1.3, whose accept value is `s3pPLMBiTxaQ9kYGzzhZRbK+xOo=`. */
export const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Formats the head of a correct upgrade request; a header given as `undefined` is left out. */
export function upgradeRequest(
  options: { path?: string | undefined; headers?: Readonly<Record<string, string | undefined>> | undefined } = {},
): string {
  const headers = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': SAMPLE_KEY,
    'Sec-WebSocket-Version': '13',
    ...options.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `GET ${options.path ?? '/'} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * Connects to a server on the loopback, writes a hand-made upgrade request and waits for the head of the answer,
 * whatever it says.
 *
 * @param behind bytes that leave together with the request
 */
export async function rawClient(
  port: number,
  options: Parameters<typeof upgradeRequest>[0] & { behind?: Uint8Array | undefined } = {},
): Promise<RawClient> {
  const socket = disposed(connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }));
  const received = new ByteCollector(socket);
  const request = Buffer.from(upgradeRequest(options), 'latin1');
  socket.write(options.behind === undefined ? request : Buffer.concat([request, options.behind]));
  const head = (await received.readThrough('\r\n\r\n')).toString('latin1');
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0);
  return { socket, status, head, received, write: (bytes) => void socket.write(bytes) };
}
