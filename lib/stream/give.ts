/**
 * Gives an object out of a stream of objects: to whoever listens, or into its queue.
 *
 * `push` does the same in the end. But each time it also plans to ask the stream for more, in a tick of its own, and our
 * streams need not be asked: they are pulled, or fed. Together with `FrameStage.useNow` this takes 0.9 µs from the
 * 9.5 that it costs to echo a message of 125 bytes which is alone in its tick.
 *
 * Not for bytes: where those flow, Node 26 counts its queue as empty while it still has a chunk to give.
 */
import type { Readable } from 'node:stream';

/**
 * Gives the next object.
 *
 * @param stream of objects; not destroyed: it is not asked here, which would take a tenth of what a message costs among many
 * @returns as `push` does: whether there is room for more
 */
export function give(stream: Readable, object: unknown): boolean {
  // The first one is pushed: the stream notes then that it has been read.
  const isFlowing = stream.readableFlowing === true && stream.readableLength === 0 && stream.readableDidRead;
  // Where text is asked for, `push` decodes.
  const isPlain = isFlowing && stream.readableEncoding === null;
  if (!isPlain || stream.listenerCount('data') === 0) return stream.push(object);
  stream.emit('data', object);
  return true;
}
