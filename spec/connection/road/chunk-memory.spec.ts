import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WayIn } from '../../../lib/connection/road/way-in.ts';
import { COPIED, WsFrame } from '../../../lib/protocol/frame.ts';
import { serializeFrame } from '../../../lib/protocol/frame-serializer.ts';
import { PLAN } from '../../support/road-plan.ts';

const CHUNK = 65_536;

function copyOf(piece: Buffer): Buffer {
  const chunk = Buffer.allocUnsafeSlow(piece.length);
  piece.copy(chunk);
  return chunk;
}

/** What a client sends, cut as a socket reads it: each chunk in memory of its own. */
function chunksOf(...sizes: number[]): Buffer[] {
  const frames = sizes.map((size) => WsFrame.binary(Buffer.alloc(size, size % 251)));
  const wire = Buffer.concat(frames.map((frame) => serializeFrame(frame, { role: 'client' })));
  const chunks: Buffer[] = [];
  for (let at = 0; at < wire.length; at += CHUNK) chunks.push(copyOf(wire.subarray(at, at + CHUNK)));
  return chunks;
}

/** A way in at a socket of which the chunks come from the test. */
class Reader {
  readonly frames: WsFrame[] = [];
  readonly socket: Duplex;
  readonly way: WayIn;
  readonly #use: (frame: WsFrame) => void;

  constructor(use: (frame: WsFrame) => void, socket: Duplex = new Socket()) {
    this.#use = use;
    this.socket = socket;
    this.way = new WayIn(socket, PLAN, {
      handlers: { receive: (frame) => this.#receive(frame), violated: (error) => expect.fail(error.message) },
      inboundEnded: () => undefined,
      opened: () => undefined,
    });
    this.way.start(undefined);
  }

  /** Lets the socket give chunks. @returns what is left of each */
  read(chunks: readonly Buffer[]): number[] {
    for (const chunk of chunks) this.socket.emit('data', chunk);
    return chunks.map((chunk) => chunk.length);
  }

  #receive(frame: WsFrame): void {
    this.frames.push(frame);
    this.#use(frame);
  }
}

const keep = (): void => undefined;
const drop = (frame: WsFrame): void => frame.drop();
/** What becomes of a fragment that is put into a message. */
const copy = (frame: WsFrame): void => {
  frame.payload = COPIED;
};

const canFree = 'transfer' in ArrayBuffer.prototype;
/** What is left of a chunk that may be freed. */
const freed = (length: number): number => (canFree ? 0 : length);

describe('the memory of a chunk', () => {
  const readers: Reader[] = [];
  const readerOf = (use: (frame: WsFrame) => void, socket?: Duplex): Reader => {
    const reader = new Reader(use, socket);
    readers.push(reader);
    return reader;
  };
  beforeEach(() => void readers.splice(0));
  afterEach(() => {
    for (const { way, socket } of readers) {
      way.discard();
      socket.destroy();
    }
  });

  it('is freed when all of it has been copied to a frame that spans chunks, which stays as it was', () => {
    const reader = readerOf(keep);
    const chunks = chunksOf(60_000, 60_000);
    const [first, second] = chunks.map((chunk) => chunk.length);
    // The first chunk has a whole frame, of which the reader has a view; the second ends another.
    expect(reader.read(chunks)).toEqual([first, freed(second!)]);
    expect(reader.frames.map(({ payload }) => payload)).toEqual([
      Buffer.alloc(60_000, 60_000 % 251),
      Buffer.alloc(60_000, 60_000 % 251),
    ]);
  });

  it('is freed when every slice has been copied', () => {
    const chunks = chunksOf(4 * CHUNK - 14);
    expect(readerOf(copy).read(chunks)).toEqual(chunks.map(() => freed(CHUNK)));
  });

  it('is kept while a reader has a slice of it', () => {
    const reader = readerOf(keep);
    const chunks = chunksOf(4 * CHUNK - 14);
    expect(reader.read(chunks)).toEqual(chunks.map(() => CHUNK));
    expect(Buffer.concat(reader.frames.map(({ payload }) => payload))).toEqual(
      Buffer.alloc(4 * CHUNK - 14, (4 * CHUNK - 14) % 251),
    );
  });

  it('is kept where a reader has dropped the frame: he may have taken the payload out', () => {
    const chunks = chunksOf(4 * CHUNK - 14);
    expect(readerOf(drop).read(chunks)).toEqual(chunks.map(() => CHUNK));
  });

  it('is kept while the parser has a view of it', () => {
    const reader = readerOf(keep);
    const wire = Buffer.concat(chunksOf(CHUNK));
    // Its header is with it, so it is not quite a quarter of the frame.
    const chunks = [wire.subarray(0, CHUNK / 4), wire.subarray(CHUNK / 4)].map(copyOf);
    const [first, second] = chunks.map((chunk) => chunk.length);
    expect(reader.read(chunks)).toEqual([first, freed(second!)]);
    expect(reader.frames[0]!.payload).toEqual(Buffer.alloc(CHUNK, CHUNK % 251));
  });

  it('is kept while frames wait to be read', async () => {
    const reader = readerOf(keep);
    reader.way.pause();
    const chunks = chunksOf(50_000, 50_000, 50_000);
    expect(reader.read(chunks)).toEqual(chunks.map((chunk) => chunk.length));
    reader.way.resume();
    await new Promise((resolve) => setImmediate(resolve));
    expect(reader.frames.map(({ payload }) => payload)).toEqual(
      [1, 2, 3].map(() => Buffer.alloc(50_000, 50_000 % 251)),
    );
  });

  it.each<[string, (socket: Duplex) => void]>([
    ["listens to 'data'", (socket) => socket.on('data', () => undefined)],
    ["listens to 'readable'", (socket) => socket.on('readable', () => undefined)],
  ])('is kept where somebody else %s', (_name, listen) => {
    const reader = readerOf(copy);
    listen(reader.socket);
    const chunks = chunksOf(2 * CHUNK - 14);
    expect(reader.read(chunks)).toEqual([CHUNK, CHUNK]);
  });

  it('is kept where another Duplex than a socket gives it', () => {
    const reader = readerOf(copy, new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() }));
    expect(reader.read(chunksOf(2 * CHUNK - 14))).toEqual([CHUNK, CHUNK]);
  });

  it.each([
    ['a part of a buffer', Buffer.concat([Buffer.alloc(1), ...chunksOf(CHUNK - 14)]).subarray(1)],
    ['small', chunksOf(10_000)[0]!],
  ])('is kept where it is %s', (_name, chunk) => {
    const { length } = chunk;
    expect(readerOf(copy).read([chunk])).toEqual([length]);
  });
});
