/**
 * Law: `wspipe/web` runs, and its types compile, where there is no Node. Nothing that it imports at once leads to a
 * `node:` module, not even for a type.
 */
import { describe, expect, it } from 'vitest';
import * as web from '../../lib/web/index.ts';
import { readSource } from './sources.ts';

/** What a file imports without putting it off, and what that imports. */
function loadedWith(path: string): string[] {
  const reached = new Set([path]);
  for (const file of reached) {
    if (!file.startsWith('lib/')) continue;
    for (const { target, isType, isDynamic } of readSource(file).imports)
      if (!isType && !isDynamic) reached.add(target);
  }
  return [...reached];
}

describe('wspipe/web', () => {
  it('exports these names and no others', () => {
    expect(Object.keys(web).sort()).toEqual([
      'FrameDecoderStream',
      'FrameEncoderStream',
      'WebSocketError',
      'WebSocketStream',
    ]);
  });

  it('loads no node: module, and nothing of the rooms that do', () => {
    const loaded = loadedWith('lib/web/index.ts');
    expect(loaded).toContain('lib/web/web-socket-stream.ts');
    const rooms = /^lib\/(?:web|protocol|handshake|errors\.ts)/;
    expect(loaded.filter((path) => !rooms.test(path))).toEqual([]);
  });

  it('loads the transport when a WebSocketStream is constructed', () => {
    const put = readSource('lib/web/web-socket-stream.ts').imports.filter(({ isDynamic }) => isDynamic);
    expect(put.map(({ target }) => target)).toEqual(['lib/endpoint/client/connect.ts']);
  });

  it('uses no name that only Node has', () => {
    const nodes = /\b(?:Buffer|setImmediate|require|__dirname)\b/;
    const users = loadedWith('lib/web/index.ts').filter((path) => nodes.test(readSource(path).code));
    expect(users).toEqual([]);
  });
});
