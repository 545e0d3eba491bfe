/** How messages are sent, and how long the methods of a connection that wait do so. */

export interface WaitOptions {
  /** Ends the wait with an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
}

/** How one message is sent. */
export interface MessageOptions {
  /**
   * Whether this message is compressed, where permessage-deflate was negotiated. `false` keeps a secret out of a context
   * that an attacker can put text into (CRIME, BREACH). Default: what the frame says, else the connection's policy.
   */
  readonly compress?: boolean | undefined;
}

/** What every send takes. */
export interface SendOptions extends WaitOptions, MessageOptions {}

/** What `ping()` takes. */
export interface PingOptions extends WaitOptions {
  /** ms after which the result is `null`. Default: as long as the connection lasts. */
  readonly timeoutMs?: number | undefined;
}
