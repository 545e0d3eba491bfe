/**
 * Joins two stages, as `pipe` does, but with nothing lost of what one tick can do: a frame that the next stage has dealt
 * with at once does not wait for a later tick, even where that stage holds no more than one. And what a stage throws is
 * its own failure: it must not fly past us into the socket's event.
 */
import type { Readable, Writable } from 'node:stream';
import type { WsFrame } from '../../protocol/frame.ts';

export interface LinkHandlers {
  /** The next stage has dealt with a frame, or a frame is lost because it has failed. */
  taken(): void;
  /** Whether what was thrown does not come from a stage, but from whoever uses the connection. */
  isForeign(error: unknown): boolean;
}

/** Moves frames from one stage to the next, and then the end. Failures are not passed on. */
export function linkStages(source: Readable, target: Writable, handlers: LinkHandlers): void {
  const taken = (): void => handlers.taken();
  source.on('data', (frame: WsFrame) => {
    if (target.destroyed || target.writableEnded) return;
    guard(target, handlers, () => target.write(frame, taken));
    if (target.writableLength >= Math.max(1, target.writableHighWaterMark)) source.pause();
  });
  target.on('drain', () => void source.resume());
  source.once('end', () => endStage(target, handlers));
}

/** Tells a stage that nothing more comes. */
export function endStage(target: Writable, handlers: LinkHandlers): void {
  if (!target.destroyed && !target.writableEnded) guard(target, handlers, () => target.end());
}

/** Writes a frame to a stage. */
export function writeStage(target: Writable, frame: WsFrame, handlers: LinkHandlers, taken: () => void): void {
  guard(target, handlers, () => target.write(frame, taken));
}

function guard(target: Writable, handlers: LinkHandlers, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (handlers.isForeign(error)) throw error;
    target.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}
