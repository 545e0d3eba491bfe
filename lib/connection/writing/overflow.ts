/**
 * What becomes of a connection to which more is sent than its peer takes, by a caller who does not wait.
 *
 * A send that is refused would have to reject; but it is the peer who does not read, and what a peer does may not reject
 * at callers who are not prepared for it. Dropping the message would lose it in silence. So the connection is failed:
 * all that waits settles with `0`, and `closeInfo` says why.
 */
import { WsError } from '../../errors.ts';
import { WS_CLOSE_TRY_AGAIN_LATER } from '../../protocol/close-code.ts';
import { WsFrame } from '../../protocol/frame.ts';

/** About what a ping takes that waits for its pong (measured on Node 20: 840 bytes). */
const PING_OVERHEAD = 1024;

/** A connection, as far as it may overflow. */
export interface Overflowable {
  readonly options: { readonly maxQueuedBytes: number };
  /** What waits to be sent, in bytes, overhead counted. */
  readonly sender: { readonly load: number };
  readonly liveness: { readonly pingCount: number };
  limitReached(limit: string): void;
  giveUp(error: WsError, frame: WsFrame): void;
}

/** Fails a connection for which so much waits that no more may. @returns whether that was so */
export function overflows(connection: Overflowable): boolean {
  const { maxQueuedBytes } = connection.options;
  const load = connection.sender.load + connection.liveness.pingCount * PING_OVERHEAD;
  if (load < maxQueuedBytes || load === 0) return false;
  connection.limitReached('maxQueuedBytes');
  const error = new WsError(
    'WS_ERR_QUEUE_FULL',
    `${load} bytes wait to be sent, and maxQueuedBytes is ${maxQueuedBytes}`,
  );
  // "try again later": the peer broke no rule; it was too slow for what there was to say.
  connection.giveUp(error, WsFrame.close(WS_CLOSE_TRY_AGAIN_LATER, 'too much waits to be sent'));
  return true;
}
