import { PassThrough, Transform, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { endStage, type LinkHandlers, linkStages, writeStage } from '../../../lib/connection/road/stage-link.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';

const HANDLERS: LinkHandlers = { taken: () => {}, isForeign: () => false };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const frame = WsFrame.text('a');

const source = (): PassThrough => new PassThrough({ objectMode: true, highWaterMark: 100 });

describe('linkStages', () => {
  it('moves all that is there in one tick, even to a stage that holds no more than one', async () => {
    const from = source();
    const got: unknown[] = [];
    const to = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write(chunk, _encoding, callback) {
        got.push(chunk);
        callback();
      },
    });
    linkStages(from, to, HANDLERS);
    await turn();
    for (let i = 0; i < 20; i++) from.write(frame);
    expect(got).toHaveLength(20);
    from.end();
    await turn();
    expect(to.writableEnded).toBe(true);
  });

  it('holds the source while the next stage is full, loses nothing, and tells of each frame', async () => {
    const from = source();
    const callbacks: (() => void)[] = [];
    let taken = 0;
    const to = new Writable({
      objectMode: true,
      highWaterMark: 2,
      write: (_chunk, _encoding, cb) => void callbacks.push(cb),
    });
    linkStages(from, to, { ...HANDLERS, taken: () => void taken++ });
    for (let i = 0; i < 20; i++) from.write(frame);
    await turn();
    expect([to.writableLength, from.isPaused()]).toEqual([2, true]);
    for (let i = 0; i < 20; i++) {
      callbacks.shift()?.();
      await turn();
    }
    expect([taken, to.writableLength, from.readableLength]).toEqual([20, 0, 0]);
  });

  it('lets a stage that throws fail, and does not throw itself', async () => {
    const from = source();
    const to = new Transform({
      objectMode: true,
      transform() {
        throw 'no Error at all';
      },
    });
    const failed = new Promise<Error>((resolve) => to.once('error', resolve));
    linkStages(from, to, HANDLERS);
    from.write(frame);
    expect((await failed).message).toBe('no Error at all');
    // What comes after it is lost with it.
    from.write(frame);
    from.end();
    await turn();
    expect(from.readableEnded).toBe(true);
  });

  it('lets through what is thrown by somebody else', () => {
    const foreign = new Error('of a listener');
    const to = new Writable({
      objectMode: true,
      write() {
        throw foreign;
      },
    });
    const handlers: LinkHandlers = { ...HANDLERS, isForeign: (error) => error === foreign };
    expect(() => writeStage(to, frame, handlers, () => {})).toThrow(foreign);
    expect(to.destroyed).toBe(false);
  });
});

it('endStage ends a stage once, and lets one that throws at its end fail', async () => {
  const stage = new Transform({
    objectMode: true,
    flush() {
      throw new Error('at the end');
    },
  });
  const failed = new Promise<Error>((resolve) => stage.once('error', resolve));
  stage.resume();
  endStage(stage, HANDLERS);
  endStage(stage, HANDLERS);
  expect((await failed).message).toBe('at the end');
  endStage(stage, HANDLERS);
});
