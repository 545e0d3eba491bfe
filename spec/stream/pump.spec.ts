import { once } from 'node:events';
import { Duplex, PassThrough, Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { pump, stopPump } from '../../lib/stream/pump.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A Writable that takes a chunk only when it is told to. */
class Gate extends Writable {
  readonly taken: string[] = [];
  #callback: (() => void) | undefined;

  constructor() {
    super({ objectMode: true, highWaterMark: 1 });
  }

  override _write(chunk: string, _encoding: BufferEncoding, callback: () => void): void {
    this.taken.push(chunk);
    this.#callback = callback;
  }

  open(): void {
    this.#callback?.();
  }
}

describe('pump', () => {
  it('carries all that comes, and the end', async () => {
    const sink = new PassThrough();
    pump(Readable.from([Buffer.from('one '), Buffer.from('two')]), sink);
    expect((await sink.toArray()).join('')).toBe('one two');
  });

  it('stops the source while the sink is full, and lets it go on', async () => {
    const source = new PassThrough({ objectMode: true });
    const sink = new Gate();
    pump(source, sink);
    for (const chunk of ['a', 'b', 'c']) source.write(chunk);
    await turn();
    expect([sink.taken, source.isPaused()]).toEqual([['a'], true]);
    sink.open();
    await turn();
    expect([sink.taken, source.isPaused()]).toEqual([['a', 'b'], true]);
    sink.open();
    await turn();
    expect(sink.taken).toEqual(['a', 'b', 'c']);
  });

  it('does not start into a sink that is full', async () => {
    const source = new PassThrough({ objectMode: true });
    const sink = new Gate();
    sink.write('first');
    pump(source, sink);
    source.write('second');
    await turn();
    expect([sink.taken, source.isPaused()]).toEqual([['first'], true]);
    sink.open();
    await turn();
    expect(sink.taken).toEqual(['first', 'second']);
  });

  it('starts a source that was paused', async () => {
    const source = Readable.from(['late']).pause();
    const sink = new PassThrough({ objectMode: true });
    pump(source, sink);
    expect(await sink.toArray()).toEqual(['late']);
  });

  it('ends the sink of a source that has ended already', async () => {
    const source = new PassThrough();
    source.resume().end();
    await once(source, 'end');
    const sink = new PassThrough();
    pump(source, sink);
    expect(await sink.toArray()).toEqual([]);
  });

  it('joins the two directions of one Duplex with two others', async () => {
    const socket = new Duplex({
      objectMode: true,
      read: () => {},
      write: (chunk, _encoding, callback) => {
        socket.push(chunk);
        callback();
      },
      final: (callback) => {
        socket.push(null);
        callback();
      },
    });
    const inbound = new PassThrough({ objectMode: true });
    pump(socket, inbound);
    pump(Readable.from(['there', 'and back']), socket);
    expect(await inbound.toArray()).toEqual(['there', 'and back']);
  });
});

describe('stopPump', () => {
  it('leaves no listener, and nothing more arrives', async () => {
    const source = new PassThrough({ objectMode: true });
    const sink = new PassThrough({ objectMode: true });
    const names = [source.eventNames(), sink.eventNames()];
    pump(source, sink);
    source.write('before');
    await turn();
    stopPump(source);
    stopPump(source);
    expect([source.eventNames(), sink.eventNames()]).toEqual(names);
    source.end('after');
    await turn();
    sink.end();
    expect(await sink.toArray()).toEqual(['before']);
  });

  it('does not stop a source whose sink parted from it in the middle of a chunk', () => {
    const source = new PassThrough({ objectMode: true });
    const sink = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write: () => {
        stopPump(source);
        source.resume();
      },
    });
    pump(source, sink);
    source.write('only');
    return turn().then(() => expect(source.isPaused()).toBe(false));
  });
});
