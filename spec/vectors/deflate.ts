/** Messages for the deflate stages, what RFC 7692 gives as examples, and a peer made of Node's own zlib streams. */
import { finished, type Transform } from 'node:stream';
import { constants, createDeflateRaw, createInflateRaw, deflateRawSync, type ZlibOptions } from 'node:zlib';
import { createFrame, type WsFrame } from '../../lib/protocol/frame.ts';
import { cutAt } from './any-frame.ts';

export const RSV1 = 4;
const FLUSH_END = Buffer.from([0, 0, 0xff, 0xff]);

export const hex = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(' ', ''), 'hex');

/** A whole compressed message, or with `opcode` 0 a fragment that continues one. */
export function compressed(payload: Uint8Array | string, opcode = 2, isFinal = true): WsFrame {
  const bytes = typeof payload === 'string' ? hex(payload) : payload;
  return createFrame(opcode, bytes, isFinal, true, opcode === 0 ? 0 : RSV1, 0);
}

/** A compressed message, cut into fragments at the given places. */
export function fragments(payload: Uint8Array, cuts: readonly number[], opcode = 2): WsFrame[] {
  const pieces = cutAt(payload, cuts);
  return pieces.map((piece, i) => compressed(piece, i === 0 ? opcode : 0, i === pieces.length - 1));
}

/** What came out of a stage that was given these frames and then ended, or failed. */
export interface Outcome {
  readonly frames: WsFrame[];
  readonly error: unknown;
}

/** Puts frames through a stage. */
export function put(stage: Transform, frames: readonly WsFrame[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const out: WsFrame[] = [];
    stage.on('data', (frame: WsFrame) => out.push(frame));
    finished(stage, (error) => resolve({ frames: out, error: error ?? undefined }));
    for (const frame of frames) stage.write(frame);
    stage.end();
  });
}

/** Frames joined to messages; control frames stay where they are. */
export function messagesOf(frames: readonly WsFrame[]): [opcode: number, payload: string][] {
  const messages: [number, string][] = [];
  const pieces: Uint8Array[] = [];
  let opcode = 0;
  for (const frame of frames) {
    if (frame.isControl()) {
      messages.push([frame.opcode, Buffer.from(frame.payload).toString('latin1')]);
      continue;
    }
    if (frame.opcode !== 0) opcode = frame.opcode;
    pieces.push(frame.payload);
    if (frame.isFinal) messages.push([opcode, Buffer.concat(pieces.splice(0)).toString('latin1')]);
  }
  return messages;
}

/** Frames joined to messages, without control frames. */
export const dataOf = (frames: readonly WsFrame[]): [opcode: number, payload: string][] =>
  messagesOf(frames.filter((frame) => !frame.isControl()));

/** Compresses and inflates messages as another implementation would: with Node's streams, and history between them. */
export class ZlibPeer implements Disposable {
  readonly #deflate: ReturnType<typeof createDeflateRaw>;
  readonly #inflate: ReturnType<typeof createInflateRaw>;

  constructor(options: ZlibOptions = {}, inflateOptions: ZlibOptions = options) {
    this.#deflate = createDeflateRaw(options);
    this.#inflate = createInflateRaw(inflateOptions);
  }

  async compress(message: Uint8Array): Promise<Buffer> {
    const packed = await run(this.#deflate, message);
    if (!packed.subarray(-4).equals(FLUSH_END)) throw new Error('not flushed');
    return packed.subarray(0, -4);
  }

  inflate(payload: Uint8Array): Promise<Buffer> {
    return run(this.#inflate, Buffer.concat([payload, FLUSH_END]));
  }

  [Symbol.dispose](): void {
    this.#deflate.close();
    this.#inflate.close();
  }
}

type ZlibStream = ReturnType<typeof createDeflateRaw> | ReturnType<typeof createInflateRaw>;

function run(stream: ZlibStream, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const onData = (chunk: Buffer): unknown => out.push(chunk);
    stream.on('data', onData).once('error', reject);
    stream.write(bytes);
    stream.flush(constants.Z_SYNC_FLUSH, () => {
      stream.off('data', onData).off('error', reject);
      resolve(Buffer.concat(out));
    });
  });
}

/** Bytes that compress a little: words, and numbers that differ. */
export function prose(length: number, seed = 1): Buffer {
  let text = '';
  for (let i = seed; text.length < length; i++) text += `{"id":${(i * 7919) % 100_003},"name":"user ${i % 97}"},`;
  return Buffer.from(text.slice(0, length));
}

/** Bytes of which compression makes as many. */
export function evenTrade(): Buffer {
  for (let repeats = 0; ; repeats++) {
    const bytes = Buffer.concat([noise(300), Buffer.alloc(repeats)]);
    const packed = deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
    if (packed.length - FLUSH_END.length <= bytes.length) return bytes;
  }
}

/** Bytes that do not compress. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let x = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x & 0xff;
  }
  return bytes;
}
