/** The table of docs/conformance.md is complete: it counts what RFC 6455 demands, and says of each how things stand. */
import { describe, expect, it } from 'vitest';
import { exists, literals, readSource, readText } from '../laws/sources.ts';

const SECTION = /§\d+(?:\.\d+)*/g;

/** The rows of a table, by how their first cell begins. */
const readRows = (beginning: RegExp) =>
  readText('docs/conformance.md')
    .split('\n')
    .filter((line) => beginning.test(line))
    .map((line) => {
      const [section = '', demand = '', count = '', files = '', specs = '', status = ''] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim());
      return { section, demand, count, files, specs, status };
    });

const rows = readRows(/^\|\s*§/);
const http2Rows = readRows(/^\|\s*RFC 8441 §/);

/** The strings of a spec, and of the vectors that fill its tables: its titles are among them. */
function titlesOf(path: string): string[] {
  const { code, imports } = readSource(path);
  const vectors = imports.filter(({ target }) => target.startsWith('spec/vectors/'));
  return [code, ...vectors.map(({ target }) => readSource(target).code)].flatMap((text) => literals(text));
}

describe('the table of conformance', () => {
  it('has every MUST and MUST NOT of the RFC outside §2: 112 and 25', () => {
    const sums = rows.map(({ count }) => (count === '–' ? [0, 0] : count.split('/').map(Number)));
    expect(sums.reduce((sum, [must = 0, not = 0]) => [sum[0]! + must, sum[1]! + not], [0, 0])).toEqual([112, 25]);
  });

  it('has those of RFC 8441: 5 and 3, each with specs whose titles name its section', () => {
    const sums = http2Rows.map(({ count }) => (count === '–' ? [0, 0] : count.split('/').map(Number)));
    expect(sums.reduce((sum, [must = 0, not = 0]) => [sum[0]! + must, sum[1]! + not], [0, 0])).toEqual([5, 3]);
    const hollow = http2Rows.filter(({ section, files, specs, status }) => {
      const paths = [...specs.matchAll(/`(spec\/[^`]+)`/g)].map((match) => match[1] ?? '');
      const lib = [...files.matchAll(/`(lib\/[^`]+)`/g)].map((match) => match[1] ?? '');
      const isProved = paths.every((path) => exists(path) && titlesOf(path).some((title) => title.includes(section)));
      return !isProved || paths.length === 0 || lib.length === 0 || !lib.every(exists) || !/^done\b/.test(status);
    });
    expect(hollow.map(({ section, demand }) => `${section}: ${demand}`)).toEqual([]);
  });

  it('says of each how things stand, and gives a reason for what is not done', () => {
    const statuses = rows.map(({ status }) => status);
    expect(statuses.filter((status) => !/^(?:done|(?:partly|not ours|not done): \S)/.test(status))).toEqual([]);
  });

  it('names specs of which each has tests for a section of the row, and runs all of them', () => {
    const idle = /\b(?:it|test|describe)(?:\.\w+)*\.(?:only|skip|todo|skipIf|runIf|fails)\b/;
    const hollow = rows.flatMap(({ section, specs }) =>
      [...specs.matchAll(/`(spec\/[^`]+)`/g)]
        .map((match) => match[1] ?? '')
        .filter((path) => {
          if (!exists(path)) return true;
          const sections: readonly string[] = section.match(SECTION) ?? [];
          const titled = titlesOf(path).flatMap((title) => title.match(SECTION) ?? []);
          return !sections.some((name) => titled.includes(name)) || idle.test(readSource(path).code);
        })
        .map((path) => `${section}: ${path}`),
    );
    expect(hollow).toEqual([]);
  });

  it('names a file and a spec for all that is done', () => {
    const done = rows.filter(({ status }) => /^(?:done|partly)/.test(status));
    expect(done.filter(({ files, specs }) => !files.includes('`lib/') || !specs.includes('`spec/'))).toEqual([]);
  });
});
