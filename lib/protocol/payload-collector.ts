/**
 * Gathers a payload that comes in pieces, and joins it once.
 *
 * Large pieces are kept as the views they are. Small ones are copied together into blocks, so that a payload that comes
 * byte by byte costs about its own size and not an object for each byte: this is why no count of fragments needs to be
 * refused. Room for bytes that are only announced is made when a quarter of the whole is there: from then on each piece
 * is copied to its place while it is still in the processor's cache, and its chunk is free.
 */
import { WS_MAX_FRAME_SIZE, WS_RECV_BUFFER } from './sizes.ts';

const NO_BYTES = new Uint8Array(0);
const FIRST_BLOCK = 256;
/** How many times what has come may be reserved for what comes: memory that is not touched before. */
const MAX_RESERVE = 3;

/** Makes a buffer of so many bytes, which need not be zeroed; `Buffer.allocUnsafe` is one. */
export type Allocate = (size: number) => Uint8Array;

/** The allocator of platforms without Buffers. */
export const allocateBytes: Allocate = (size) => new Uint8Array(size);

/**
 * Tells whether a piece is kept as a view. A view holds all of its buffer back from the collector: a peer that sends a
 * little of a message and much else in each chunk must not make us hold the chunks.
 */
function isWorthKeeping(piece: Uint8Array): boolean {
  return piece.length >= WS_RECV_BUFFER && piece.length * 2 >= piece.buffer.byteLength;
}

/** Gathers a payload that comes in pieces. */
export class PayloadCollector {
  readonly #allocate: Allocate;
  #pieces: Uint8Array[] = [];
  #length = 0;
  /** The block into which small pieces are copied, and how much of it is filled. */
  #block: Uint8Array | undefined;
  #filled = 0;
  /** Whether the block has room for all that was announced. */
  #hasRoom = false;
  /** Bytes copied since the last piece that was kept as a view. */
  #copied = 0;

  constructor(allocate: Allocate = allocateBytes) {
    this.#allocate = allocate;
  }

  /** Bytes gathered so far. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a piece.
   *
   * @param announced bytes that are said to come behind it
   * @returns whether it was copied; if not, it must not change until {@link take}
   */
  push(piece: Uint8Array, announced: number = 0): boolean {
    this.#length += piece.length;
    // What is less than what has come is not worth copying all of that.
    const isWorthRoom = announced > 0 && announced >= this.#length && announced <= MAX_RESERVE * this.#length;
    if (isWorthRoom && !this.#fitsRoom(piece)) this.#makeRoom(this.#length - piece.length, this.#length + announced);
    const isKept = !this.#fitsRoom(piece) && isWorthKeeping(piece);
    if (isKept) {
      this.#seal();
      this.#copied = 0;
      this.#pieces.push(piece);
    } else {
      this.#copy(piece);
    }
    return !isKept;
  }

  /**
   * Hands out all bytes as one view, and is empty again.
   *
   * @param last what comes behind all other pieces: so it is copied once, and not into a block before
   */
  take(last: Uint8Array = NO_BYTES): Uint8Array {
    const pieces = this.#pieces;
    this.#length += last.length;
    if (this.#fitsRoom(last)) {
      this.#copy(last);
      this.#seal();
    } else {
      this.#seal();
      if (last.length > 0) pieces.push(last);
    }
    const whole = pieces.length === 1 ? pieces[0]! : this.#join(pieces);
    this.drop();
    return whole;
  }

  /** Lets go of all bytes. */
  drop(): void {
    this.#pieces = [];
    this.#length = 0;
    this.#block = undefined;
    this.#filled = 0;
    this.#hasRoom = false;
    this.#copied = 0;
  }

  #join(pieces: readonly Uint8Array[]): Uint8Array {
    const whole = this.#allocate(this.#length);
    copyInto(whole, pieces);
    return whole;
  }

  #fitsRoom(piece: Uint8Array): boolean {
    return this.#hasRoom && piece.length <= this.#block!.length - this.#filled;
  }

  /**
   * Makes the block as large as the whole is said to be. Each room is at least twice what there was; what does not fit
   * it any more makes the next one at least twice as large again: so all the copying together is linear.
   */
  #makeRoom(gathered: number, size: number): void {
    this.#seal();
    const room = this.#allocate(size);
    copyInto(room, this.#pieces);
    this.#pieces = [];
    this.#block = room;
    this.#filled = gathered;
    this.#hasRoom = true;
  }

  #copy(piece: Uint8Array): void {
    let taken = 0;
    while (taken < piece.length) {
      if (this.#block === undefined || this.#filled === this.#block.length) this.#nextBlock(piece.length - taken);
      const block = this.#block!;
      const size = Math.min(piece.length - taken, block.length - this.#filled);
      block.set(size === piece.length ? piece : piece.subarray(taken, taken + size), this.#filled);
      this.#filled += size;
      this.#copied += size;
      taken += size;
    }
  }

  /**
   * A block is as large as all that was copied before it, so that a message of n bytes makes about log n of them; or as
   * large as the piece that is there. It never exceeds a frame of ours.
   */
  #nextBlock(wanted: number): void {
    this.#seal();
    this.#block = this.#allocate(Math.min(Math.max(wanted, this.#copied, FIRST_BLOCK), WS_MAX_FRAME_SIZE));
  }

  /** Ends the block; what it has more than was filled is wasted: no more than was filled, or than the first block has. */
  #seal(): void {
    if (this.#block === undefined) return;
    const used = this.#block.subarray(0, this.#filled);
    this.#pieces.push(used);
    this.#block = undefined;
    this.#filled = 0;
    this.#hasRoom = false;
  }
}

function copyInto(whole: Uint8Array, pieces: readonly Uint8Array[]): void {
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
}
