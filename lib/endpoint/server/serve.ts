/**
 * Runs a handler for every connection of a server, all at once, and sees each of them to its end.
 */

import { inspect } from 'node:util';
import { Crowd } from '../../connection/crowd.ts';
import { handlerErrorChannel } from '../../connection/diagnostics.ts';
import type { WsConnection } from '../../connection/ws-connection.ts';
import { WS_CLOSE_NORMAL, WS_CLOSE_UNEXPECTED } from '../../protocol/close-code.ts';

/** Does what is to be done with one connection; the connection is closed when it is through. */
export type ConnectionHandler<Context = unknown> = (connection: WsConnection<Context>) => unknown;

/** What serving needs of a server. */
export interface Servable {
  accept(): Promise<WsConnection | null>;
  close(): Promise<void>;
  emit(event: 'handlerError', error: unknown, connection: WsConnection): boolean;
}

/** ms for which a handler is waited for whose connection has ended: time to clean up, and no way to hang for ever. */
const FAREWELL_MS = 1000;

/**
 * Serves until the server has stopped, its connections have ended, and their handlers have returned; a handler that
 * goes on for more than a second after its connection is no longer waited for.
 *
 * @param signal an abort closes the server
 */
export async function serveConnections(
  server: Servable,
  handler: ConnectionHandler,
  signal: AbortSignal | undefined,
): Promise<void> {
  const onAbort = (): void => void server.close();
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort);
  const running = new Crowd<Promise<void>>();
  for (let connection: WsConnection | null; (connection = await server.accept()) !== null; ) {
    const task: Promise<void> = serveOne(server, handler, connection).finally(() => running.delete(task));
    running.add(task);
  }
  await Promise.all(running);
  signal?.removeEventListener('abort', onAbort);
  if (signal?.aborted) await server.close();
}

async function serveOne(server: Servable, handler: ConnectionHandler, connection: WsConnection): Promise<void> {
  const handled = handleOne(server, handler, connection);
  await connection.closeInfo;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FAREWELL_MS);
  });
  await Promise.race([handled, late]);
  clearTimeout(timer);
}

async function handleOne(server: Servable, handler: ConnectionHandler, connection: WsConnection): Promise<void> {
  try {
    await handler(connection);
  } catch (error) {
    report(server, error, connection);
    await connection.close(WS_CLOSE_UNEXPECTED);
    return;
  }
  await connection.close(WS_CLOSE_NORMAL);
}

/** Tells of a handler that threw, from outside any promise: a listener that throws in turn is an uncaught exception. */
function report(server: Servable, error: unknown, connection: WsConnection): void {
  if (handlerErrorChannel.hasSubscribers) handlerErrorChannel.publish({ connection, error });
  process.nextTick(() => {
    if (server.emit('handlerError', error, connection)) return;
    process.emitWarning(`A connection handler failed: ${inspect(error)}`, { code: 'WS_WARN_HANDLER' });
  });
}

/**
 * Sends every message back as it comes, fragment by fragment, waiting for room before the next one is read: messages of
 * any size pass in constant memory.
 *
 * @param maxMessageBytes a larger message fails the connection with 1009
 */
export async function echo(connection: WsConnection, maxMessageBytes?: number | undefined): Promise<void> {
  for await (const fragment of connection.fragments({ maxMessageBytes })) await connection.sendFrame(fragment);
}
