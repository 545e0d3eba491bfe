/**
 * The part of an HTTP/2 server that takes WebSockets: it finds the extended CONNECTs among its streams, and leaves all
 * other streams to whom they belong.
 *
 * Law: nobody is tunnelled to what `:authority` names. A CONNECT that nobody takes and nobody else may take is refused.
 *
 * @see RFC 8441
 */

import type { EventEmitter } from 'node:events';
import type { Http2SecureServer, Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { readTunnelKind, type TunnelKind } from '../../handshake/extended-connect.ts';
import { reportRefusal, type Upgrade } from '../upgrade/accept-upgrade.ts';
import { Refusal } from '../upgrade/refusal.ts';
import { Http2Answer } from './http2-answer.ts';
import { readHttp2Upgrade } from './http2-upgrade.ts';

/** What a request of either HTTP has. */
interface AnyRequest {
  readonly httpVersionMajor: number;
}

/** Says whether a server speaks HTTP/2. */
export function isHttp2Server(server: EventEmitter): server is Http2Server | Http2SecureServer {
  return typeof (server as Partial<Http2Server>).updateSettings === 'function';
}

/** Listens for extended CONNECTs. */
export class Http2Switch {
  readonly #server: Http2Server | Http2SecureServer;
  readonly #take: (upgrade: Upgrade) => boolean;

  /** @param take takes an upgrade and answers it, or says that it is for somebody else */
  constructor(server: Http2Server | Http2SecureServer, take: (upgrade: Upgrade) => boolean) {
    this.#server = server;
    this.#take = take;
    // Without it no client may ask (§3). Who attaches wants it, so nobody has to know; it counts for sessions to come.
    server.updateSettings({ enableConnectProtocol: true });
    server.on('stream', this.#onStream).on('connect', this.#onConnect);
  }

  /** Stops to listen. That CONNECTs are taken is said as before: what was said once may not be taken back (§3). */
  release(): void {
    this.#server.off('stream', this.#onStream).off('connect', this.#onConnect);
  }

  readonly #onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[] = listFields(headers),
  ): void => {
    if (headers[':method'] !== 'CONNECT') return;
    // Until it is known whose it is, nobody else may be listening.
    stream.on('error', ignore);
    // Who listens beside us may have answered by then.
    process.nextTick(() => {
      if (!stream.headersSent) this.#onTunnel(stream, headers, rawHeaders);
      stream.off('error', ignore);
    });
  };

  #onTunnel(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): void {
    const kind = readTunnelKind(headers[':protocol'] as string | undefined);
    if (kind === 'websocket') {
      const upgrade = readHttp2Upgrade({ stream, headers, rawHeaders });
      if (upgrade === undefined || this.#take(upgrade)) return;
    }
    if (!this.#isAlone) return;
    const refusal = refusalOf(kind);
    new Http2Answer(stream).refuse(refusal);
    reportRefusal(refusal, {});
  }

  /**
   * Node's own part for `'request'` listeners hands each CONNECT to a listener of this event, and answers 405 where there
   * is none. Over HTTP/1.1, it destroys the socket where there is none.
   */
  readonly #onConnect = ({ httpVersionMajor }: AnyRequest, socket: Duplex): void => {
    if (httpVersionMajor === 1 && this.#server.listenerCount('connect') === 1) socket.destroy();
  };

  /** Whether nobody else may take a CONNECT. */
  get #isAlone(): boolean {
    const own = this.#server.listenerCount('request') > 0 ? 2 : 1;
    return this.#server.listenerCount('stream') <= own && this.#server.listenerCount('connect') === 1;
  }
}

function refusalOf(kind: TunnelKind): Refusal {
  if (kind === 'websocket') return new Refusal(404, 'nothing is served here');
  if (kind === 'other') return new Refusal(501, 'this protocol is not spoken here');
  return new Refusal(405, 'there are no tunnels here');
}

/** For a runtime that does not give the fields as they came. */
function listFields(headers: IncomingHttpHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap((line) => [name, line]));
}

function ignore(): void {}
