/** Stages of extensions that do what a test says. */
import { Transform, type TransformCallback } from 'node:stream';
import type { WsFrame } from '../../lib/protocol/frame.ts';

/** What a stage does with a frame. */
export type Act = (frame: WsFrame, callback: TransformCallback, stage: Transform) => void;

/** A stage that does with each frame what the test says; it passes it on where the test says nothing. */
export function stageOf(act: Act = (frame, callback) => callback(null, frame)): Transform {
  const stage: Transform = new Transform({
    objectMode: true,
    transform: (frame: WsFrame, _encoding, callback) => act(frame, callback, stage),
  });
  return stage;
}

/** Waits for a few turns of the event loop. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve));
}
