/**
 * A request as the caller's functions and the connection see it. It holds nothing of the socket; its signal is made for
 * who asks for it.
 */
import type { PendingRequest, WsRequest } from '../../options.ts';
import { Refusal } from './refusal.ts';
import type { Interruption } from './socket-watch.ts';

export class JudgedRequest implements PendingRequest {
  readonly url: string;
  readonly headers: WsRequest['headers'];
  readonly remoteAddress: string | undefined;
  readonly protocols: readonly string[];
  readonly httpVersion: string;
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor({ url, headers, remoteAddress, protocols, httpVersion }: WsRequest) {
    this.url = url;
    this.headers = headers;
    this.remoteAddress = remoteAddress;
    this.protocols = protocols;
    this.httpVersion = httpVersion;
  }

  get signal(): AbortSignal {
    const controller = (this.#controller ??= new AbortController());
    if (this.#reason !== undefined) controller.abort(this.#reason);
    return controller.signal;
  }

  /** Tells that nobody waits for the judges any more. It is no method of the request, which is the caller's to see. */
  static giveUp(request: JudgedRequest, why: Interruption): void {
    // As Node's own aborts, where there is nobody who would be answered.
    const reason = why instanceof Refusal ? why.toError() : new DOMException('The client has gone', 'AbortError');
    request.#reason = reason;
    request.#controller?.abort(reason);
  }
}
