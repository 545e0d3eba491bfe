/**
 * One zlib context, driven synchronously.
 *
 * Node's public ways are a stream, which takes every message through the thread pool and back, and functions that make
 * a context for each call and know no flush. Neither serves small messages on a connection: compressing 1 KiB of JSON
 * costs 45–75 µs of CPU through the stream, and 10 µs here (4 µs at level 1), inflating it 2.5 µs (Node 20, one core).
 * So the handle behind the stream is driven itself, as minizlib (and with it npm) does. It is the same on Node 20–26,
 * Bun and Deno; it is tried out once before it is used, and where it is missing the extension is not offered.
 *
 * @see RFC 7692 §7.2
 */
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib';
import { WsError } from '../errors.ts';

/** What a context is made for; contexts with the same settings serve for each other. */
export interface ZlibSettings {
  readonly kind: 'deflate' | 'inflate';
  /** 8–15; a compressor has at least 9. */
  readonly windowBits: number;
  /** −1–9, of a compressor. */
  readonly level: number;
  /** 1–9, of a compressor. */
  readonly memLevel: number;
}

/** zlib's flush modes: go on; up to a byte boundary; up to the end of a block. */
export const Z_NO_FLUSH: number = constants.Z_NO_FLUSH;
export const Z_SYNC_FLUSH: number = constants.Z_SYNC_FLUSH;
export const Z_BLOCK: number = constants.Z_BLOCK;

/** What stands behind Node's zlib streams. */
interface ZlibInternals {
  readonly _handle: {
    onerror: (message: string) => void;
    writeSync(
      flush: number,
      input: Uint8Array,
      inputAt: number,
      inputLength: number,
      output: Uint8Array,
      outputAt: number,
      outputRoom: number,
    ): void;
  };
  /** Room left in the output, bytes left of the input. */
  readonly _writeState: Uint32Array;
  on(event: 'error', listener: () => void): void;
  reset(): void;
  close(): void;
}

/** The memory that a context takes, in bytes: zlib's own figures, and about 10 KiB of state for inflating. */
export function contextBytes({ kind, windowBits, memLevel }: ZlibSettings): number {
  return kind === 'deflate' ? (1 << (windowBits + 2)) + (1 << (memLevel + 9)) : (1 << windowBits) + 10_240;
}

export class ZlibContext {
  readonly settings: ZlibSettings;
  readonly #stream: ZlibInternals;
  readonly #handle: ZlibInternals['_handle'];
  readonly #state: Uint32Array;
  #error: string | undefined;

  constructor(settings: ZlibSettings) {
    const { kind, windowBits, level, memLevel } = settings;
    // Output goes to a buffer of ours: the stream's own is as small as can be.
    const stream =
      kind === 'deflate'
        ? createDeflateRaw({ chunkSize: 64, windowBits, level, memLevel })
        : createInflateRaw({ chunkSize: 64, windowBits });
    this.settings = settings;
    this.#stream = stream as unknown as ZlibInternals;
    this.#handle = this.#stream._handle;
    this.#state = this.#stream._writeState;
    // Else each runtime tells of corrupt data in a way, and at a time, of its own.
    this.#stream.on('error', ignoreError);
    this.#handle.onerror = (message) => {
      this.#error = message;
    };
  }

  /** Bytes of the input that the last write did not use: no room was left, or a stream or block has ended. */
  get inputLeft(): number {
    return this.#state[1]!;
  }

  /** Whether the last write left room in the output. */
  get hasRoom(): boolean {
    return this.#state[0]! > 0;
  }

  /**
   * Puts bytes through. Stops when the input is used up or no room is left, and a final block stops it, too.
   *
   * @param flush one of `Z_NO_FLUSH`, `Z_SYNC_FLUSH`, `Z_BLOCK`
   * @param output from `outputAt` to its end there is room
   * @returns how many bytes came out
   * @throws Error for data that is no DEFLATE
   */
  write(
    flush: number,
    input: Uint8Array,
    inputAt: number,
    inputLength: number,
    output: Uint8Array,
    outputAt: number,
  ): number {
    const room = output.length - outputAt;
    this.#handle.writeSync(flush, input, inputAt, inputLength, output, outputAt, room);
    if (this.#error !== undefined) this.#throw(this.#error);
    return room - this.#state[0]!;
  }

  /** Makes it as new. */
  reset(): void {
    this.#stream.reset();
  }

  /** Gives its memory back at once. */
  close(): void {
    this.#stream.close();
  }

  #throw(message: string): never {
    this.#error = undefined;
    throw new Error(message);
  }
}

let isAvailable: boolean | undefined;

/** Tells whether this runtime lets zlib be driven synchronously. Without it, nothing is compressed. */
export function isDeflateAvailable(): boolean {
  isAvailable ??= tryOut();
  return isAvailable;
}

/** @throws WsError (`WS_ERR_DEFLATE_UNAVAILABLE`) */
export function assertDeflateAvailable(): void {
  if (isDeflateAvailable()) return;
  throw new WsError('WS_ERR_DEFLATE_UNAVAILABLE', 'The zlib of this runtime cannot be driven synchronously');
}

/** Compresses, inflates up to the end of a block, and looks whether corrupt data is told. */
function tryOut(): boolean {
  const settings = { windowBits: 9, level: -1, memLevel: 1 };
  const opened: ZlibContext[] = [];
  const open = (kind: ZlibSettings['kind']): ZlibContext => {
    const context = new ZlibContext({ kind, ...settings });
    opened.push(context);
    return context;
  };
  try {
    return isHello(open('deflate'), open('inflate'));
  } catch {
    return false;
  } finally {
    for (const context of opened) context.close();
  }
}

function isHello(deflate: ZlibContext, inflate: ZlibContext): boolean {
  const hello = Buffer.from('Hello');
  const [packed, unpacked] = [Buffer.alloc(64), Buffer.alloc(64)];
  const size = deflate.write(Z_SYNC_FLUSH, hello, 0, hello.length, packed, 0);
  const length = inflate.write(Z_BLOCK, packed, 0, size, unpacked, 0);
  inflate.write(Z_BLOCK, packed, size - inflate.inputLeft, inflate.inputLeft + 1, unpacked, length);
  const hasStopped = inflate.inputLeft === 1;
  inflate.reset();
  return unpacked.toString('utf8', 0, length) === 'Hello' && hasStopped && isCorruptionTold(inflate, unpacked);
}

function isCorruptionTold(inflate: ZlibContext, output: Buffer): boolean {
  try {
    inflate.write(Z_NO_FLUSH, Buffer.from([0xff, 0xff]), 0, 2, output, 0);
    return false;
  } catch {
    return true;
  }
}

function ignoreError(): void {}
