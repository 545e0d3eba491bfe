/**
 * Two connections made one: messages travel both ways as they are, in the fragments they come in, and a close takes its
 * code along. Nothing is gathered: who is slow holds the other back.
 */
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WS_CLOSE_BAD_GATEWAY, WS_CLOSE_GOING_AWAY, WS_CLOSE_NO_STATUS } from '../../protocol/close-code.ts';

/**
 * Leads each connection into the other, until both are over.
 *
 * @param near who came to us. When it is cut, the far side is closed with 1001 (it went away)
 * @param far whom we asked. When it is cut, the near side is closed with 1014 (bad gateway)
 */
export async function joinConnections(near: WsConnection, far: WsConnection): Promise<void> {
  await Promise.all([
    forward(near, far, WS_CLOSE_GOING_AWAY, 'the client is gone'),
    forward(far, near, WS_CLOSE_BAD_GATEWAY, 'the server is gone'),
  ]);
}

async function forward(from: WsConnection, to: WsConnection, cutCode: number, cutReason: string): Promise<void> {
  for await (const frame of from.fragments()) if ((await to.sendFrame(frame)) === 0) break;
  const { code, reason, wasClean } = await from.closeInfo;
  if (!wasClean) await to.close(cutCode, cutReason);
  else if (code !== WS_CLOSE_NO_STATUS) await to.close(code, reason);
  else await to.sendClose();
  await to.closeInfo;
}
