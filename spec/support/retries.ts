/**
 * What specs of the client that comes back have in common.
 */
import { onTestFinished } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { type ConnectionIterator, connectForever } from '../../lib/endpoint/client/connect-forever.ts';
import type { ConnectForeverOptions } from '../../lib/endpoint/client/forever-options.ts';
import { byteServer } from './endpoints.ts';

/** As quick as it goes. */
export const AT_ONCE: ConnectForeverOptions = { backoff: () => 0 };

/** A port at which nobody listens. */
export async function deadPort(): Promise<number> {
  const { server, port } = await byteServer(() => {});
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Iterates, and ends with the test. */
export function forever(
  url: Parameters<typeof connectForever>[0],
  options?: ConnectForeverOptions,
): ConnectionIterator {
  const connections = connectForever(url, options);
  onTestFinished(async () => void (await connections.return()));
  return connections;
}

/** Takes the next connection, which ends with the test. */
export async function nextOf(connections: ConnectionIterator): Promise<WsConnection> {
  const { value } = await connections.next();
  onTestFinished(() => value?.forceClose());
  return value!;
}
