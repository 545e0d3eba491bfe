/** Law: spec/ mirrors lib/. Who reads a file knows where its tests are, and the other way round. */
import { expect, it } from 'vitest';
import { exists, listFiles, readSources } from './sources.ts';

/** Rooms of spec/ that hold no file's own tests: they test laws, helpers, documents, and the package as a whole. */
const FREE_ROOMS = [
  ...['laws', 'support', 'vectors', 'docs', 'package', 'browser', 'interop'],
  ...['attacks', 'faults', 'fuzz', 'corpus', 'brokers'],
];

/** Has nothing that could run: types, names that live elsewhere, or plain numbers, which exports.spec.ts pins. */
function isInert(code: string): boolean {
  const rest = code.replace(/^(?:export )?const \w+ = [\d_]+;$/gm, '');
  return !/^(?:export\s+)?(?:default\s+)?(?:async\s+|abstract\s+)?(?:function|class|const|let)\b/m.test(rest);
}

it('has a spec for each file of lib/ that does something', () => {
  const missing = readSources('lib')
    .filter(({ path, code }) => !path.endsWith('/index.ts') && !isInert(code))
    .map(({ path }) => path.replace(/^lib\//, 'spec/').replace(/\.ts$/, '.spec.ts'))
    .filter((path) => !exists(path));
  expect(missing).toEqual([]);
});

it('has a file of lib/ for each spec; x.aspect.spec.ts belongs to x.ts as well', () => {
  const stray = listFiles('spec', /\.spec\.ts$/)
    .filter((path) => !FREE_ROOMS.includes(path.split('/')[1] ?? ''))
    .map((path) => path.replace(/^spec\//, 'lib/').replace(/(\/[^/.]+)\.(?:[^/]+\.)?spec\.ts$/, '$1.ts'))
    .filter((path) => !exists(path));
  expect(stray).toEqual([]);
});
