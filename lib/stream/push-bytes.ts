/**
 * Gives bytes to the reading side of a stream so that none are lost on Node 26.
 *
 * While bytes flow, Node 26.12 keeps what `_read` pushes apart from the queue, where there is one chunk of it. What is
 * pushed while a listener has the chunk before it (he may write, and be answered at once) goes into the queue, behind; but
 * then Node counts the queue as empty: it is overtaken, and lost at the end. A chunk that comes with an encoding is never
 * kept apart, and the encoding means nothing to bytes. Streams of objects have no such way.
 */
import type { Readable } from 'node:stream';

const ANY: BufferEncoding = 'latin1';

/** Pushes as `stream.push(bytes, ANY)` does. @returns whether there is room for more */
export function pushBytes(stream: Readable, bytes: Uint8Array): boolean {
  return stream.push(bytes, ANY);
}
