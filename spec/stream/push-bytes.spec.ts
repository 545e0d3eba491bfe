import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { pushBytes } from '../../lib/stream/push-bytes.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('loses nothing that comes while a listener has the chunk before, and keeps the order', async () => {
  let ahead = '';
  const give = (text: string): boolean => pushBytes(source, Buffer.from(text));
  const source = new Readable({
    highWaterMark: 4,
    read() {
      if (ahead !== '') give(ahead);
      ahead = '';
    },
  });
  const got: string[] = [];
  source.on('data', (chunk) => {
    got.push(String(chunk));
    if (String(chunk) === 'large') give('answer');
  });
  await turn();
  give('hello');
  source.pause();
  give('large');
  ahead = 'small';
  source.resume();
  await turn();
  give('later');
  source.push(null);
  await turn();
  expect(got).toEqual(['hello', 'large', 'small', 'answer', 'later']);
});

it('pushes bytes as they are, also where text is read, and says whether there is room', () => {
  const source = new Readable({ highWaterMark: 4, read() {} });
  expect([pushBytes(source, Buffer.from('ü')), pushBytes(source, new Uint8Array([0xc3, 0xbc]))]).toEqual([true, false]);
  expect(source.setEncoding('utf8').read()).toBe('üü');
  source.destroy();
});
