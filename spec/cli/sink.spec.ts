import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { Sink } from '../../lib/cli/sink.ts';

/** Takes a chunk when it is told to. */
function slowStream(): { stream: Writable; take: (error?: Error) => void; taken: string[] } {
  let done: ((error?: Error) => void) | undefined;
  const taken: string[] = [];
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, callback) {
      taken.push(String(chunk));
      done = callback;
    },
  });
  return { stream, taken, take: (error) => done?.(error) };
}

describe('Sink', () => {
  it('waits until there is room, for all who write', async () => {
    const { stream, take, taken } = slowStream();
    const sink = new Sink(stream);
    const [one, two] = [sink.write('a'), sink.write('b')];
    take();
    await new Promise((resolve) => setImmediate(resolve));
    take();
    expect([await one, await two, taken]).toEqual([true, true, ['a', 'b']]);
    expect([sink.isBroken, sink.error]).toEqual([false, undefined]);
  });

  it('says false to who waits, and to whoever comes later, when the other side is gone', async () => {
    const { stream, take } = slowStream();
    const sink = new Sink(stream);
    const waiting = sink.write('a');
    take(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    expect([await waiting, await sink.write('b')]).toEqual([false, false]);
    await sink.broken;
    expect([sink.isBroken, sink.error]).toEqual([true, expect.objectContaining({ code: 'EPIPE' })]);
    sink.end();
  });

  it('has no error where the stream was closed and nothing else', async () => {
    const { stream } = slowStream();
    const sink = new Sink(stream);
    stream.destroy();
    await sink.broken;
    expect([await sink.write('a'), sink.error]).toEqual([false, undefined]);
  });

  it('ends the stream behind what was written', async () => {
    const { stream, take, taken } = slowStream();
    const sink = new Sink(stream);
    void sink.write('a');
    sink.end();
    take();
    await sink.broken;
    expect([taken, stream.writableFinished]).toEqual([['a'], true]);
  });

  it('keeps nothing of the waits that are over', async () => {
    const { stream, take } = slowStream();
    const sink = new Sink(stream);
    const before = stream.listenerCount('drain');
    for (let turn = 0; turn < 20; turn++) {
      const written = sink.write('x');
      take();
      await written;
    }
    expect(stream.listenerCount('drain')).toBe(before);
  });
});
