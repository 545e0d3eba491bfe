/**
 * A connection and a TCP socket made one: bytes travel both ways, in binary messages on one side, at the pace of who is
 * slower.
 *
 * WebSocket knows no half-close: when the socket's peer has said its last, the closing handshake begins, and what comes
 * before the other side's close frame is still delivered.
 */
import type { Socket } from 'node:net';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WS_CLOSE_NORMAL, WS_CLOSE_UNSUPPORTED } from '../../protocol/close-code.ts';
import { Sink } from '../sink.ts';

/** ms that a TCP peer may be silent after we have said that nothing follows. */
const FAREWELL_MS = 10_000;

/**
 * Leads each into the other, until both are over.
 *
 * @param socket with `allowHalfOpen`
 * @param cutCode what the connection is closed with where the socket is cut
 */
export async function joinSocket(conn: WsConnection, socket: Socket, cutCode: number): Promise<void> {
  const output = new Sink(socket);
  void output.broken.then(() => {
    // Cut, or over on both sides; where the closing handshake has begun, this changes nothing.
    void conn.close(output.error === undefined ? WS_CLOSE_NORMAL : cutCode, reasonOf(output.error));
  });
  await Promise.all([readConnection(conn, socket, output), readSocket(conn, socket), output.broken]);
}

async function readConnection(conn: WsConnection, socket: Socket, output: Sink): Promise<void> {
  let isRefused = false;
  for await (const frame of conn.fragments()) {
    isRefused = frame.isText();
    if (isRefused || !(await output.write(frame.payload))) break;
  }
  if (isRefused) await conn.close(WS_CLOSE_UNSUPPORTED, 'only binary messages lead to TCP');
  const { wasClean } = await conn.closeInfo;
  if (!wasClean) socket.resetAndDestroy();
  socket.end();
  socket.setTimeout(FAREWELL_MS, () => socket.destroy());
}

async function readSocket(conn: WsConnection, socket: Socket): Promise<void> {
  try {
    // The other half of the socket may still have something to write.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      // Nobody hears it any more; it is read, as what is unread would make our end of the socket a reset.
      if ((await conn.sendBinary(chunk)) === 0) break;
    }
  } catch {
    // The socket was cut, which its other half tells of.
    return;
  }
  await conn.close(WS_CLOSE_NORMAL);
  socket.resume();
}

function reasonOf(error: Error | undefined): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return error === undefined ? '' : `the TCP connection broke off${code === undefined ? '' : `: ${code}`}`;
}
