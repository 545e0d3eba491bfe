/**
 * Who reads, as far as one can know: loops that are open or were left, and whether somebody has the reading side for
 * himself, as the reader of a WHATWG stream has.
 */
import { WsError } from '../../errors.ts';

export class ReadLock {
  #isLocked = false;
  #openLoops = 0;
  #hasLeftLoop = false;

  /** Whether a loop is open, or somebody has the reading side for himself. */
  get hasOpenLoop(): boolean {
    return this.#openLoops > 0;
  }

  /** Whether the last thing that was heard of a reader is that it left its loop. */
  get hasLeftLoop(): boolean {
    return this.#hasLeftLoop;
  }

  openLoop(): void {
    this.#openLoops++;
  }

  leaveLoop(): void {
    this.#openLoops--;
    this.#hasLeftLoop = true;
  }

  /** Somebody reads. */
  touch(): void {
    this.#hasLeftLoop = false;
  }

  /**
   * Takes the reading side for one reader alone.
   *
   * @param isRead whether somebody is reading at the moment
   * @throws WsError (`WS_ERR_LOCKED`)
   */
  lock(isRead: boolean): void {
    this.assertUnlocked();
    if (isRead) throw lockedError();
    this.#isLocked = true;
    this.openLoop();
  }

  unlock(): void {
    this.#isLocked = false;
    this.leaveLoop();
  }

  /** @throws WsError (`WS_ERR_LOCKED`) when somebody has the reading side for himself */
  assertUnlocked(): void {
    if (this.#isLocked) throw lockedError();
  }
}

function lockedError(): WsError {
  return new WsError('WS_ERR_LOCKED', 'somebody reads this connection already: it is locked');
}
