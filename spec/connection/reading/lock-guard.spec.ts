import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { guardReading } from '../../../lib/connection/reading/lock-guard.ts';

class Guarded extends PassThrough {
  isLocked = false;

  static {
    guardReading(Guarded.prototype, (stream) => {
      if (stream.isLocked) throw new Error('locked');
    });
  }
}

const READING: readonly [string, (stream: Guarded) => unknown][] = [
  ["on('data')", (stream) => stream.on('data', () => {})],
  ["once('data')", (stream) => stream.once('data', () => {})],
  ["addListener('readable')", (stream) => stream.addListener('readable', () => {})],
  ['pipe', (stream) => stream.pipe(new PassThrough())],
  ['resume', (stream) => stream.resume()],
];

it.each(READING)('%s fails while the stream is locked, and leaves no listener', (_name, read) => {
  const stream = new Guarded();
  const before = stream.eventNames();
  stream.isLocked = true;
  expect(() => read(stream)).toThrow('locked');
  expect(stream.eventNames()).toEqual(before);
  expect(stream.readableFlowing).toBe(null);
});

it.each(READING)('%s does what it always did while it is not', (_name, read) => {
  const stream = new Guarded();
  expect(read(stream)).toBeInstanceOf(PassThrough);
  expect(stream.readableFlowing !== null || stream.listenerCount('readable') > 0).toBe(true);
});

it('lets other listeners come at any time', () => {
  const stream = new Guarded();
  stream.isLocked = true;
  stream.on('error', () => {}).once('end', () => {});
  expect([stream.listenerCount('error'), stream.listenerCount('end')]).toEqual([1, 1]);
});
