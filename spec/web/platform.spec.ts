import { describe, expect, it } from 'vitest';
import { chooseClass, hasSockets } from '../../lib/web/platform.ts';

class Ours {}
class Platforms {}

const NODE = { process: { versions: { node: '20.0.0' } } };

describe.each([
  ['Node and Bun', NODE, true],
  ['Node that has a WebSocketStream', { ...NODE, Stream: Platforms }, true],
  ['Deno', { Deno: {}, Stream: Platforms }, true],
  ['a page', {}, false],
  ['a page with a bundler’s process', { process: { env: {} } }, false],
])('on %s', (_where, scope, expected) => {
  it(`there are ${expected ? '' : 'no '}sockets, and our class is taken`, () => {
    expect(hasSockets(scope)).toBe(expected);
    expect(chooseClass<unknown>('Stream', Ours, scope)).toBe(Ours);
  });
});

it("takes the platform's class in a page that has it", () => {
  expect(chooseClass<unknown>('Stream', Ours, { Stream: Platforms })).toBe(Platforms);
});

it('finds sockets here', () => {
  expect(hasSockets()).toBe(true);
  expect(chooseClass('Ours', Ours)).toBe(Ours);
});
