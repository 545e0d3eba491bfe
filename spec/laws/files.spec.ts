/** Law: a file is short, states its law at its head, and is named after what it holds. */
import { describe, expect, it } from 'vitest';
import { listFiles, readSources, readText } from './sources.ts';

/** The public face of a connection is half docstrings, and its core joins all the other parts: both would only be cut for the count. */
const heart = ['lib/connection/bend.ts', 'lib/connection/ws-connection.ts'];
/** Specs are mostly tables, which do not get clearer by being cut. */
const maxLines = (path: string): number => (path.startsWith('spec/') || heart.includes(path) ? 400 : 300);
const written = [...['lib', 'spec', 'scripts', 'bench'].flatMap((folder) => listFiles(folder, /\.(ts|js|py)$/))];
const lib = readSources('lib');

describe('a file', () => {
  it('has fewer than 300 lines; a spec, and the heart of the connection, fewer than 400', () => {
    const lengths = written.map((path) => ({ path, lines: readText(path).trimEnd().split('\n').length }));
    expect(lengths.filter(({ path, lines }) => lines >= maxLines(path))).toEqual([]);
  });

  it('has a name in kebab-case that says what it holds', () => {
    const kebab = /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z-]+)*\.(?:ts|js|py)$/;
    const drawers = /^(?:utils?|helpers?|types|constants|common|misc|shared)\./;
    const name = (path: string): string => path.split('/').at(-1) ?? '';
    // An interpreter other than ours may ask for an underscore in the names of its modules.
    expect(written.filter((path) => !path.endsWith('.py') && !kebab.test(name(path)))).toEqual([]);
    expect(written.filter((path) => drawers.test(name(path)))).toEqual([]);
  });
});

describe('a file of lib/', () => {
  it('opens with a docblock', () => {
    const bare = lib.filter(({ text }) => !text.replace(/^#!.*\n/, '').startsWith('/**\n'));
    expect(bare.filter(({ text }) => !/^(?:#!.*\n)?\/\*\* .* \*\/\n/.test(text)).map(({ path }) => path)).toEqual([]);
  });

  it('has no default export, no enum, and no promise to finish it later', () => {
    const broken = lib.filter(
      ({ text, code }) =>
        /^export default\b/m.test(code) ||
        /^(?:export )?(?:const )?enum\b/m.test(code) ||
        /\b(?:TODO|FIXME|XXX)\b/.test(text),
    );
    expect(broken.map(({ path }) => path)).toEqual([]);
  });
});

describe('a spec', () => {
  it('runs: none is skipped, left for later, or run alone', () => {
    const specs = readSources('spec').filter(({ path }) => path.endsWith('.spec.ts'));
    const idle = /\b(?:it|test|describe)\.(?:only|skip|todo|skipIf|runIf|fails)\b/;
    expect(specs.filter(({ code }) => idle.test(code)).map(({ path }) => path)).toEqual([]);
  });
});
