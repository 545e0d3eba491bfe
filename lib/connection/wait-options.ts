/** How long the methods of a connection that wait do so. */

export interface WaitOptions {
  /** Ends the wait with an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
}

export interface SendOptions extends WaitOptions {}

export interface PingOptions extends WaitOptions {
  /** ms after which the result is `null`. Default: as long as the connection lasts. */
  readonly timeoutMs?: number | undefined;
}
