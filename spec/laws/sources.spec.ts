import { describe, expect, it } from 'vitest';
import { findImports, listFiles, literals, readSources, withoutComments } from './sources.ts';

describe('the reader of sources', () => {
  it('sees imports over several lines, types, re-exports, side effects and dynamic ones', () => {
    const code = `
import { a } from './a.ts';
import type { B } from '../b.ts';
import {
  c,
  type D,
} from 'node:net';
export * from './e.ts';
export { f } from './f.ts';
import 'node:http';
export const from = 1;
export function g() {
  return import('../web/g.ts');
}`;
    expect(findImports('lib/x/y.ts', code)).toEqual([
      { target: 'lib/x/a.ts', isType: false, isDynamic: false },
      { target: 'lib/b.ts', isType: true, isDynamic: false },
      { target: 'node:net', isType: false, isDynamic: false },
      { target: 'lib/x/e.ts', isType: false, isDynamic: false },
      { target: 'lib/x/f.ts', isType: false, isDynamic: false },
      { target: 'node:http', isType: false, isDynamic: false },
      { target: 'lib/web/g.ts', isType: false, isDynamic: true },
    ]);
  });

  it('drops comments and leaves strings', () => {
    const code = "/** a */ const url = 'ws://x'; // b\nconst t = `//x`; /* c\n */ end";
    expect(withoutComments(code)).toBe(" const url = 'ws://x'; \nconst t = `//x`;  end");
    expect(literals(withoutComments(code))).toEqual(['ws://x', '//x']);
  });

  it('finds the files that stand here', () => {
    expect(listFiles('spec/laws', /\.spec\.ts$/)).toContain('spec/laws/sources.spec.ts');
    expect(listFiles('no/such/folder', /./)).toEqual([]);
    const parser = readSources('lib').find(({ path }) => path === 'lib/protocol/frame-parser.ts');
    expect(parser?.imports.map(({ target }) => target)).toContain('lib/errors.ts');
  });
});
