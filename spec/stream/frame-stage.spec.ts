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

  use(count: number): boolean {
    return this.useNow(count);
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

describe('an input that is used up at once', () => {
  it('leaves nothing behind where its frames are taken', () => {
    const stage = new Counting();
    let count = 0;
    stage.on('data', () => count++);
    stage.resume();
    stage.write(3);
    return turn().then(() => {
      expect([stage.use(30), count, stage.writableLength]).toEqual([true, 22, 0]);
      stage.destroy();
    });
  });

  it('waits as a write does where its frames are not taken', async () => {
    const stage = new Counting({ readableHighWaterMark: 2, writableHighWaterMark: 1 });
    expect([stage.use(6), stage.writableLength, stage.readableLength]).toEqual([false, 1, 2]);
    expect([stage.use(3), stage.writableLength]).toEqual([false, 2]);
    let drained = 0;
    stage.on('drain', () => drained++);
    let count = 0;
    stage.on('data', () => count++);
    await turn();
    await turn();
    expect([count, stage.made, stage.writableLength, drained]).toEqual([6, 9, 0, 1]);
    stage.destroy();
  });

  it('is followed by what is written, and by the end, while its frames are taken', async () => {
    const stage = new Counting();
    const order: string[] = [];
    stage.once('data', () => {
      stage.write(3, () => order.push('written'));
      stage.end(() => order.push('ended'));
    });
    stage.on('data', () => order.push(`${stage.made}`)).on('end', () => order.push('end'));
    await turn();
    stage.use(4);
    await turn();
    await turn();
    expect(order.filter((word) => /\d/.test(word))).toEqual(['1', '2', '4', '5', '7']);
    expect(order.filter((word) => !/\d/.test(word)).sort()).toEqual(['end', 'ended', 'written']);
    expect(stage.closed).toBe(true);
  });

  it('is followed by the end alone, which is judged behind it', async () => {
    const stage = new Counting();
    let count = 0;
    stage.once('data', () => stage.end());
    stage.on('data', () => count++);
    await turn();
    stage.use(30);
    await turn();
    expect([count, stage.readableEnded, stage.errored]).toEqual([20, true, null]);
  });

  it('fails behind what came before it, and at once where nothing did', async () => {
    const stage = new Counting();
    stage.use(2);
    stage.use(-1);
    await turn();
    expect([stage.readableLength, stage.destroyed]).toEqual([2, false]);
    stage.read();
    stage.read();
    await turn();
    expect(stage.errored).toMatchObject({ message: 'negative' });
    const empty = new Counting();
    empty.use(-1);
    await turn();
    expect(empty.errored).toMatchObject({ message: 'negative' });
  });

  it('is nothing more to a stage that a listener destroys, and an error to one that has ended', async () => {
    const stage = new Counting();
    stage.on('data', () => stage.destroy());
    await turn();
    expect([stage.use(9), stage.made, stage.errored]).toEqual([true, 1, null]);
    const ended = new Counting().resume();
    ended.use(1);
    ended.end();
    ended.use(1);
    await turn();
    expect(ended.errored).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
  });

  it('lets out what a listener throws, and gives what comes behind it in the next turn', async () => {
    const stage = new Counting();
    let seen = 0;
    stage.on('data', () => {
      seen++;
      if (seen % 2 === 1) throw new Error(`of ${seen}`);
    });
    await turn();
    expect(() => stage.use(3)).toThrow('of 1');
    await turn();
    expect([seen, stage.destroyed, stage.writableLength]).toEqual([2, false, 0]);
  });
});
