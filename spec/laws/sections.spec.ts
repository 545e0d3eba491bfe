/**
 * Law: a rule of the RFC and its tests find each other by the section. Every violation is provoked in a spec that names
 * its section in a title, and every row of docs/conformance.md leads to files, and to titles with its section.
 */
import { describe, expect, it } from 'vitest';
import { VIOLATIONS } from '../../lib/errors.ts';
import { exists, literals, readSource, readSources, readText, type Source } from './sources.ts';

const CONFORMANCE = 'docs/conformance.md';
const SECTION = /§\d+(?:\.\d+)*/g;

/** The code of a spec and of the vectors that fill its tables. */
function codeOf({ code, imports }: Source): string {
  const vectors = imports.filter(({ target }) => target.startsWith('spec/vectors/'));
  return [code, ...vectors.map(({ target }) => readSource(target).code)].join('\n');
}

/** The strings of a spec that hold a section: its titles, and the rows that fill them. */
const titlesOf = (code: string): string[] => literals(code).filter((text) => text.includes('§'));

const specs = readSources('spec')
  .filter(({ path }) => path.endsWith('.spec.ts') && !path.startsWith('spec/laws/'))
  .map((source) => ({ path: source.path, code: codeOf(source), titles: titlesOf(codeOf(source)) }));

/** `§5.5` is named by `(§5.5)` and by `§5.5, §7.1`, not by `§5.5.1`. */
function names(title: string, section: string): boolean {
  const found: readonly string[] = title.match(SECTION) ?? [];
  return found.includes(section);
}

describe('the table of violations', () => {
  it.each(Object.entries(VIOLATIONS))('%s is provoked in a spec whose titles name its section', (code, { section }) => {
    const number = section.slice(section.indexOf('§'));
    const provoking = specs.filter((spec) => spec.code.includes(`'${code}'`));
    expect(
      provoking.map(({ path }) => path),
      `no spec expects ${code}`,
    ).not.toEqual([]);
    const titled = provoking.filter(({ titles }) => titles.some((title) => names(title, number)));
    expect(
      titled.map(({ path }) => path),
      `none of its specs has a title with ${number}`,
    ).not.toEqual([]);
  });
});

interface Row {
  readonly line: string;
  readonly sections: readonly string[];
  readonly files: readonly string[];
}

/** A row of the table: sections in its first cell, files as `lib/…` and `spec/…` in backticks. */
function readRows(): Row[] {
  const lines = exists(CONFORMANCE) ? readText(CONFORMANCE).split('\n') : [];
  return lines
    .filter((line) => /^\|\s*§/.test(line))
    .map((line) => ({
      line,
      sections: line.split('|')[1]?.match(SECTION) ?? [],
      files: [...line.matchAll(/`((?:lib|spec)\/[^`\s]+)`/g)].map((match) => match[1] ?? ''),
    }));
}

describe(CONFORMANCE, () => {
  const rows = readRows();

  it('has rows, for each section of the RFC that obliges an endpoint', () => {
    const obliging = '§4.1 §4.2.1 §4.2.2 §4.4 §5.1 §5.2 §5.3 §5.4 §5.5 §5.5.1 §5.5.2 §5.5.3 §5.6 §6.1 §6.2';
    const closing = '§7.1.1 §7.1.2 §7.1.5 §7.1.7 §7.2.1 §7.2.2 §7.2.3 §7.4.1 §7.4.2 §8.1 §9.1 §10.3 §10.4';
    const covered = new Set(rows.flatMap(({ sections }) => sections));
    expect(`${obliging} ${closing}`.split(' ').filter((section) => !covered.has(section))).toEqual([]);
  });

  it('names files that exist', () => {
    expect(rows.flatMap(({ files }) => files).filter((path) => !exists(path))).toEqual([]);
  });

  it('leads from each section of a row to a title that names it', () => {
    const lost = rows.flatMap(({ sections, files, line }) => {
      const tests = files.filter((path) => path.endsWith('.spec.ts') && exists(path));
      const titles = tests.flatMap((path) => titlesOf(codeOf(readSource(path))));
      if (tests.length === 0) return [];
      return sections.every((section) => titles.some((title) => names(title, section))) ? [] : [line];
    });
    expect(lost).toEqual([]);
  });
});
