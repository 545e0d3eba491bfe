/**
 * A stream of HTTP/2 as the transport of a connection. It is a Duplex like any other: its flow control is the
 * backpressure, END_STREAM is its FIN. Only how it is cut has to be said to Node.
 *
 * @see RFC 8441 §5
 */

import type { Http2Stream } from 'node:http2';

/** The code of RST_STREAM that says "no longer needed" (RFC 9113 §7). */
const CANCEL = 0x8;

/**
 * Makes a stream end as a TCP socket does. It is ours from now on.
 *
 * "Orderly TCP-level closures are represented as END_STREAM flags. RST exceptions are represented with the RST_STREAM
 * frame with the CANCEL error code." (RFC 8441 §5) Node's own `destroy` says NO_ERROR, which tells the peer of no cut.
 */
export function asTransport<T extends Http2Stream>(stream: T): T {
  const destroy = stream.destroy;
  stream.destroy = function (this: T, error?: Error | undefined): T {
    const hasEnded = this.readableEnded && this.writableEnded;
    if (!this.destroyed && !hasEnded) this.close(CANCEL);
    return destroy.call(this, error) as T;
  };
  // The errors of a stream are told by its connection; before there is one, and after, by nobody.
  stream.on('error', ignore);
  return stream;
}

function ignore(): void {}
