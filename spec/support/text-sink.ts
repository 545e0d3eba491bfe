/** A Writable at the end of a pipe from a connection. */
import { Writable } from 'node:stream';
import type { WsFrame } from '../../lib/protocol/frame.ts';

/** Collects the texts of frames; slow enough to be held back. */
export function textSink(texts: string[]): Writable {
  return new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(frame: WsFrame, _encoding, done) {
      texts.push(frame.payloadText());
      setImmediate(done);
    },
  });
}
