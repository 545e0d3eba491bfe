import { describe, expect, it } from 'vitest';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { FrameStage } from '../../lib/stream/frame-stage.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Gives, for a number, so many frames of 10 bytes, each worth one byte of work; fails at a negative one. */
class Counting extends FrameStage<number> {
  made = 0;
  #left = 0;

  constructor(options: Partial<ConstructorParameters<typeof FrameStage>[0]> = {}) {
    super({
      writableObjectMode: true,
      writableHighWaterMark: 4,
      maxBytesPerTurn: Number.POSITIVE_INFINITY,
      ...options,
    });
  }

  protected override startInput(count: number): void {
    if (count < 0) throw new Error('negative');
    this.#left = count;
  }

  protected override nextFrame(): WsFrame | null | undefined {
    if (this.#left === 0) return null;
    this.#left--;
    this.made++;
    this.countWork(1);
    return this.made % 3 === 0 ? undefined : WsFrame.binary(new Uint8Array(10));
  }

  protected override endInput(): void {
    if (this.made === 0) throw new Error('nothing came');
  }
}

describe('a stage', () => {
  it('makes frames as they are taken, bounded by count and by bytes', async () => {
    for (const [options, bound] of [
      [{ readableHighWaterMark: 5 }, 5],
      [{ maxBufferedBytes: 25 }, 3],
    ] as const) {
      const stage = new Counting(options);
      stage.write(300);
      await turn();
      expect(stage.readableLength).toBe(bound);
      let count = 0;
      while (stage.read() !== null) {
        count++;
        expect(stage.readableLength).toBeLessThanOrEqual(bound);
      }
      expect([count, stage.made]).toEqual([200, 300]);
      stage.destroy();
    }
  });

  it('goes on in the next turn after enough work, in order', async () => {
    const stage = new Counting({ maxBytesPerTurn: 10 });
    const seen: number[] = [];
    stage.on('data', () => seen.push(stage.made));
    stage.write(24);
    stage.write(1);
    expect(stage.made).toBe(10);
    await turn();
    expect(stage.made).toBe(20);
    stage.read();
    expect(stage.made).toBe(20);
    await turn();
    expect([stage.made, seen.length]).toEqual([25, 17]);
    stage.destroy();
  });

  it('waits for no turn when it is destroyed', () => {
    const countTurns = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'Immediate').length;
    const before = countTurns();
    const stage = new Counting({ maxBytesPerTurn: 10 }).resume();
    stage.write(100);
    expect(countTurns()).toBe(before + 1);
    stage.destroy();
    expect(countTurns()).toBe(before);
  });

  it('fails behind what came before it, and needs no listener for that', async () => {
    const stage = new Counting();
    stage.write(2);
    stage.write(-1);
    await turn();
    expect([stage.readableLength, stage.destroyed]).toEqual([2, false]);
    stage.read();
    stage.read();
    await turn();
    expect(stage.errored).toMatchObject({ message: 'negative' });
  });

  it('judges whether it may end', async () => {
    const stage = new Counting().resume();
    stage.end();
    await turn();
    expect(stage.errored).toMatchObject({ message: 'nothing came' });
  });

  it('tells a write that is not used up when it is destroyed', async () => {
    const told: unknown[] = [];
    const stage = new Counting();
    stage.write(100, (error) => told.push(error?.name));
    stage.destroy();
    await turn();
    const broken = new Counting();
    broken.write(100, (error) => told.push(error?.message));
    broken.destroy(new Error('mine'));
    await turn();
    expect(told).toEqual(['ClosedError', 'mine']);
  });

  it('takes a frame back, and its bytes', async () => {
    const stage = new Counting({ maxBufferedBytes: 10 });
    stage.write(30);
    const frame = stage.read() as WsFrame;
    stage.unshift(frame);
    expect(stage.read()).toBe(frame);
    let rest = 0;
    while (stage.read() !== null) rest++;
    expect(rest).toBe(19);
    stage.destroy();
  });
});
