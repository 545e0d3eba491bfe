/**
 * One message to many connections, in one turn: what is sent at once costs no promise, and only those that are slow are
 * waited for.
 */
import type { WsConnection } from '../connection/ws-connection.ts';
import { WsFrame } from '../protocol/frame.ts';
import { isFragment } from '../protocol/message-assembler.ts';
import { type Message, prepare } from './prepared-frame.ts';

/** Picks those who get a message. */
export type ConnectionFilter<Context = unknown> = (connection: WsConnection<Context>) => boolean;

/**
 * Sends a message on all connections that `filter` picks.
 *
 * @returns a promise of the number of connections that it was sent on, kept when all of them have room for more
 * @throws TypeError for what is no message, or where a connection is inside a message of raw fragments; as a rejection,
 * and not before all others have been sent it
 */
export async function broadcast(
  connections: Iterable<WsConnection>,
  message: Message,
  filter?: ConnectionFilter | undefined,
): Promise<number> {
  const frame = toShared(message);
  const chosen = filter === undefined ? connections : [...connections].filter(filter);
  const slow: Promise<number>[] = [];
  let sent = 0;
  for (const connection of chosen) {
    const size = post(connection, frame);
    if (typeof size !== 'number') slow.push(size);
    else if (size > 0) sent++;
  }
  if (slow.length === 0) return sent;
  const sizes = await Promise.all(slow);
  return sent + sizes.filter((size) => size > 0).length;
}

/** Control frames and fragments are small or rare enough to be encoded for each. */
function toShared(message: Message): WsFrame {
  if (message instanceof WsFrame && (message.isControl() || isFragment(message) || message.rsv !== 0)) return message;
  return prepare(message);
}

function post(connection: WsConnection, frame: WsFrame): number | Promise<number> {
  try {
    return connection.sendAtOnce(frame);
  } catch (error) {
    // One that cannot be sent it does not keep it from the others.
    return Promise.reject(error);
  }
}
