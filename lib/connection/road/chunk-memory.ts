/**
 * Gives the memory of what a socket has read back at once, when all of its bytes have been copied to where they belong.
 *
 * Node reads each chunk into 64 KiB of its own, outside of V8's heap. Node 20 collects such memory with its young objects.
 * Later ones leave it until there are 64 MiB of it, and then mark the whole heap, and what comes is read into cold memory:
 * on Node 26 an upload took 2.5 times as long.
 */
import type { Duplex } from 'node:stream';
import { isSystemSocket } from './road-streams.ts';

/** A smaller chunk is not worth the call. */
const MIN_FREED = 16_384;

/** ES2024: what Node has from 22 on. */
type Transferable = ArrayBufferLike & { transfer?: ((length: number) => ArrayBuffer) | undefined };

/** Tells whether a chunk is large enough, and all that is in its buffer. */
export function isWorthFreeing({ buffer, byteLength }: Uint8Array): boolean {
  return byteLength >= MIN_FREED && byteLength === buffer.byteLength;
}

/**
 * Frees a chunk that the one who calls has used up: it is empty from then on. Nothing happens where others may hold it: it
 * has not been read by Node but made by somebody, or somebody else listens.
 */
export function freeChunk(socket: Duplex, chunk: Uint8Array): void {
  const isOurs = isSystemSocket(socket) && socket.listenerCount('data') === 1 && socket.listenerCount('readable') === 0;
  if (isOurs) (chunk.buffer as Transferable).transfer?.(0);
}
