/**
 * Turns one upgrade request into a connection, or into its refusal.
 *
 * Law: nobody reads from the socket until the connection does, so every byte behind the handshake arrives, in order.
 * Whatever happens meanwhile, the result is a connection or `null`; a promise of it never rejects.
 */

import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import { limitChannel, publishHandshake, refusedChannel } from '../../connection/diagnostics.ts';
import { WsConnection } from '../../connection/ws-connection.ts';
import type { HandshakeError } from '../../errors.ts';
import { groupFields } from '../../handshake/field-grammar.ts';
import type { WsRequest } from '../../options.ts';
import type { ResolvedUpgradeOptions } from '../endpoint-options.ts';
import type { UpgradeAnswer } from '../http2/http2-answer.ts';
import { JudgedRequest } from './judged-request.ts';
import { formatHead, Refusal, sendRefusal } from './refusal.ts';
import { type Interruption, SocketWatch } from './socket-watch.ts';
import { type Admission, type Agreement, describeRequest, negotiate, type RequestHead } from './upgrade-request.ts';

/** A request and what came with it. */
export interface Upgrade {
  readonly message: RequestHead;
  readonly socket: Duplex;
  /** Bytes behind the request that were already read. */
  readonly head: Uint8Array;
  /** How it is answered, where it did not come over HTTP/1.1. */
  readonly answer?: UpgradeAnswer | undefined;
}

/** What a server has to say in the matter. */
export interface UpgradeHooks {
  /** A further question, asked when the request is known to be in order. */
  readonly admit?: Admission | undefined;
  /** Takes the connection in the moment in which it begins. */
  readonly welcome?: ((connection: WsConnection) => void) | undefined;
}

/** Begins to watch a socket whose request is complete: from now on, a delay is ours and not the peer's. */
export function watchUpgrade(socket: Duplex, timeoutMs: number): SocketWatch {
  return new SocketWatch(socket, timeoutMs, slowRefusal);
}

/** The answer when `authorize` and its like take too long. */
export function slowRefusal(): Refusal {
  const details = { code: 'WS_ERR_HANDSHAKE_TIMEOUT', limit: 'handshakeTimeoutMs' } as const;
  return new Refusal(503, 'the handshake could not be judged in time', details);
}

/**
 * Judges the request, answers it, and makes the connection: at once where no function of the caller's has to be waited
 * for.
 *
 * @param watch the watch over the socket; it ends here
 * @returns null where the handshake was refused, or the socket is gone
 */
export function acceptUpgrade(
  upgrade: Upgrade,
  options: ResolvedUpgradeOptions,
  watch: SocketWatch,
  hooks: UpgradeHooks = {},
): WsConnection | null | Promise<WsConnection | null> {
  const { message, socket } = upgrade;
  const fields = groupFields(message.rawHeaders);
  const request = describeRequest(message, socket, fields);
  const ended = publishHandshake(() => ({ role: 'server', url: request.url, request }));
  const answer = (result: Agreement | Interruption): WsConnection | null => {
    const connection = answerUpgrade(upgrade, request, result, options, watch, hooks);
    ended?.({ connection: connection ?? undefined, error: result instanceof Refusal ? result.toError() : undefined });
    return connection;
  };
  // Where a request that was pipelined before this one is not answered yet, its answer would end up among our frames.
  if (socket.destroyed || hasPendingResponse(message)) return answer(null);
  const result = negotiate(message, request, options, hooks.admit, fields);
  if (result instanceof Promise) {
    watch.watchEnd();
    return Promise.race([watch.interrupted, result]).then((outcome) => {
      if (watch.reason !== undefined) JudgedRequest.giveUp(request, watch.reason);
      return answer(outcome);
    });
  }
  // What it was asked may have stopped the server.
  return answer(watch.reason === undefined ? result : watch.reason);
}

function answerUpgrade(
  upgrade: Upgrade,
  request: WsRequest,
  result: Agreement | Interruption,
  options: ResolvedUpgradeOptions,
  watch: SocketWatch,
  { welcome }: UpgradeHooks,
): WsConnection | null {
  const { message, socket, answer } = upgrade;
  if (result === null || socket.destroyed || !socket.writable) {
    socket.destroy();
    watch.release();
    return null;
  }
  const refusal = result instanceof Refusal ? result : answer?.accept(result.lines);
  if (refusal === undefined) {
    const connection = establish(upgrade, result as Agreement, options, watch);
    welcome?.(connection);
    return connection;
  }
  if (answer === undefined) sendRefusal(socket, refusal, message.method === 'HEAD');
  else answer.refuse(refusal);
  watch.release();
  reportRefusal(refusal, options, request);
  return null;
}

/** Asks Node, which says so nowhere in public; only a request that upgrades shares its socket with an answer. */
function hasPendingResponse({ upgrade, socket }: RequestHead & { readonly upgrade?: unknown }): boolean {
  const { _httpMessage: response } = socket as { readonly _httpMessage?: unknown };
  return upgrade === true && (response ?? null) !== null;
}

function establish(
  { socket, head, answer }: Upgrade,
  { lines, protocol, extensions, request, context }: Agreement,
  options: ResolvedUpgradeOptions,
  watch: SocketWatch,
): WsConnection {
  prepareSocket(socket);
  if (answer === undefined) socket.write(formatHead('HTTP/1.1 101 Switching Protocols', lines));
  const established = { protocol, extensions, request, context, head };
  const connection = new WsConnection('server', socket, established, options.connection);
  watch.release();
  return connection;
}

/** Frames are gathered by us, so the socket need not wait for more of them; and no timer of node:http may end it. */
export function prepareSocket(
  socket: Duplex & { setNoDelay?(on: boolean): void; setTimeout?(ms: number): void },
): void {
  socket.setNoDelay?.(true);
  socket.setTimeout?.(0);
}

/** Tells `onRefused` and the diagnostics channels why a handshake was refused. */
export function reportRefusal(
  refusal: Refusal,
  { onRefused }: { onRefused?: ((error: HandshakeError) => void) | undefined },
  request?: WsRequest | undefined,
): void {
  const { limit } = refusal;
  const isLimitHeard = limit !== undefined && limitChannel.hasSubscribers;
  if (onRefused === undefined && !refusedChannel.hasSubscribers && !isLimitHeard) return;
  const error = refusal.toError();
  if (isLimitHeard) limitChannel.publish({ limit, error, request });
  if (refusedChannel.hasSubscribers) refusedChannel.publish({ error, request });
  try {
    onRefused?.(error);
  } catch (thrown) {
    // The peer brought this about, so it may not end the process.
    process.emitWarning(`onRefused failed: ${inspect(thrown)}`, { code: 'WS_WARN_ON_REFUSED' });
  }
}
