/**
 * The patience of a closing connection. As long as there is progress it is given more time; a slow peer that still
 * reads is not cut in the middle of what was accepted for it.
 */
import { WheelTimer } from './wheel-timer.ts';

export class CloseTimer {
  #timer: WheelTimer | undefined;

  /**
   * Starts anew.
   *
   * @param ms how long nothing may move
   * @param progress a number that changes whenever something moves
   * @param expired called once, when nothing has moved for so long
   */
  start(ms: number, progress: () => number, expired: () => void): void {
    this.stop();
    const before = progress();
    this.#timer = new WheelTimer(() => {
      if (progress() === before) expired();
      else this.start(ms, progress, expired);
    });
    this.#timer.start(ms);
  }

  stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }
}
