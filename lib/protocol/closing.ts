/**
 * The closing handshake as a table: state × event → state. What is sent, and when, is the connection's business; what
 * has happened, and what follows from it for `CloseInfo`, is here.
 *
 * ```
 *            send       receive     fail       end
 *  open      closing    answered    failing    closed
 *  closing   closing    answered    failing    closed
 *  answered  answered   answered    answered   closed
 *  failing   failing    failing     failing    closed
 *  closed    closed     closed      closed     closed
 * ```
 *
 * @see RFC 6455 §7.1
 */
import { WS_CLOSE_ABNORMAL } from './close-code.ts';

/** The handshake before the connection; a `WsConnection` exists only after it. */
export const WS_STATE_CONNECTING = 0;
/** Messages go both ways. */
export const WS_STATE_OPEN = 1;
/** A close frame has been sent or has taken effect. */
export const WS_STATE_CLOSING = 2;
/** It is over. What came before and was not read stays readable. */
export const WS_STATE_CLOSED = 3;

/** One of `WS_STATE_*`. */
export type WsState = 0 | 1 | 2 | 3;

/**
 * - `open`: neither side has closed
 * - `closing`: our close frame is on its way, theirs has not come
 * - `answered`: both close frames are on their way; the transport still has to end (§7.1.1)
 * - `failing`: we gave up on the peer and told it why (§7.1.7)
 * - `closed`: the transport is over (§7.1.4)
 */
export type ClosingState = 'open' | 'closing' | 'answered' | 'failing' | 'closed';

/**
 * - `send`: we begin the closing handshake
 * - `receive`: the peer's close frame takes effect
 * - `fail`: the peer broke a rule
 * - `end`: the transport is over
 */
export type ClosingEvent = 'send' | 'receive' | 'fail' | 'end';

/** State × event → state. */
export const CLOSING_TABLE: Readonly<Record<ClosingState, Readonly<Record<ClosingEvent, ClosingState>>>> = {
  open: { send: 'closing', receive: 'answered', fail: 'failing', end: 'closed' },
  closing: { send: 'closing', receive: 'answered', fail: 'failing', end: 'closed' },
  answered: { send: 'answered', receive: 'answered', fail: 'answered', end: 'closed' },
  failing: { send: 'failing', receive: 'failing', fail: 'failing', end: 'closed' },
  closed: { send: 'closed', receive: 'closed', fail: 'closed', end: 'closed' },
};

/** Who sent the first close frame, or broke off. */
export type ClosingSide = 'local' | 'remote';

/** What became of a connection. */
export interface ClosingResult {
  /** What the peer said; 1005 when it gave no code, 1006 when the transport was cut; what we sent when we failed it. */
  readonly code: number;
  readonly reason: string;
  /** Whether both close frames were exchanged before the transport ended (§7.1.4). */
  readonly wasClean: boolean;
  readonly initiator: ClosingSide;
}

interface CloseWords {
  readonly code: number;
  readonly reason: string;
}

const CUT: CloseWords = { code: WS_CLOSE_ABNORMAL, reason: '' };

/** Runs the table for one connection and remembers what was said by whom. */
export class ClosingHandshake {
  #state: ClosingState = 'open';
  #initiator: ClosingSide | undefined;
  #sent: CloseWords | undefined;
  #received: CloseWords | undefined;
  #wasAnswered = false;
  #hasFailed = false;
  #story = '';

  get state(): ClosingState {
    return this.#state;
  }

  /** The state as `WS_STATE_*` has it. */
  get wsState(): WsState {
    if (this.#state === 'open') return WS_STATE_OPEN;
    return this.#state === 'closed' ? WS_STATE_CLOSED : WS_STATE_CLOSING;
  }

  /** We begin to close. @returns whether a close frame is to be sent */
  send(code: number, reason: string): boolean {
    if (this.#state !== 'open') return false;
    this.#sent = { code, reason };
    this.#step('send', 'local', `we sent ${describe(this.#sent)}`);
    return true;
  }

  /**
   * The peer's close frame takes effect.
   *
   * @returns whether a close frame is to be sent in answer (§5.5.1 "If an endpoint receives a Close frame and did not
   * previously send a Close frame, the endpoint MUST send a Close frame in response")
   */
  receive(code: number, reason: string): boolean {
    const mustAnswer = this.#state === 'open';
    if (!mustAnswer && this.#state !== 'closing') return false;
    this.#received = { code, reason };
    this.#step('receive', 'remote', `the peer sent ${describe(this.#received)}`);
    this.#wasAnswered = !mustAnswer;
    return mustAnswer;
  }

  /** Our answer to the peer's close frame is on its way. */
  answer(): void {
    if (this.#state !== 'answered' || this.#wasAnswered) return;
    this.#wasAnswered = true;
    this.#tell('we answered it');
  }

  /**
   * The peer broke a rule, or we cannot go on.
   *
   * @param isWithdrawn whether the close frame that we had begun with has not left and never will
   * @returns whether a close frame is to be sent: not a second one
   */
  fail(code: number, reason: string, why: string, isWithdrawn: boolean): boolean {
    const maySend = this.#state === 'open' || (this.#state === 'closing' && isWithdrawn);
    if (!maySend && this.#state !== 'closing') return false;
    if (maySend) this.#sent = { code, reason };
    this.#hasFailed = true;
    this.#step('fail', 'local', `we failed the connection (${why})`);
    return maySend;
  }

  /**
   * The transport is over.
   *
   * @param side who ended it, where no close frame had been sent
   * @param why for the narrative
   */
  end(side: ClosingSide, why: string): void {
    if (this.#state !== 'closed') this.#step('end', side, why);
  }

  /** What is to be said of it; final once the state is `closed`. */
  get result(): ClosingResult {
    const { code, reason } = this.#received ?? (this.#hasFailed ? this.#sent : undefined) ?? CUT;
    return { code, reason, wasClean: this.#wasAnswered, initiator: this.#initiator ?? 'local' };
  }

  /** Who sent and received which close frame, in which order. */
  get narrative(): string {
    return `The connection is over: ${this.#story}`;
  }

  #tell(event: string): void {
    this.#story += `${this.#story === '' ? '' : ', then '}${event}`;
  }

  #step(event: ClosingEvent, side: ClosingSide, story: string): void {
    this.#initiator ??= side;
    this.#tell(story);
    this.#state = CLOSING_TABLE[this.#state][event];
  }
}

function describe({ code, reason }: CloseWords): string {
  return `a close frame with ${code}${reason === '' ? '' : ` ${JSON.stringify(reason)}`}`;
}
