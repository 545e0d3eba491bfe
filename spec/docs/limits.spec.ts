/** Every knob stands in docs/options.md, and every channel and limit that is told stands in docs/diagnostics.md. */
import { describe, expect, it } from 'vitest';
import { resolveConnectOptions, resolveServerOptions } from '../../lib/endpoint/endpoint-options.ts';
import { resolveConnectionOptions } from '../../lib/options.ts';
import { literals, readSources, readText } from '../laws/sources.ts';

/** The names in the first cells of a document's tables. */
function rowsOf(path: string): string[] {
  const cells = readText(path)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|')[1] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([\w:-]+)[^`]*`/g)].map((match) => match[1] ?? ''));
}

const strings = readSources('lib').flatMap(({ code }) => literals(code));
const options = new Set(
  [resolveConnectionOptions(), resolveServerOptions(), resolveConnectOptions()].flatMap((resolved) =>
    Object.keys(resolved),
  ),
);
// What is left of the options for the connection is no option itself.
options.delete('connection');

describe('docs/options.md', () => {
  it('has a row for each option that is resolved', () => {
    const rows = new Set(rowsOf('docs/options.md'));
    expect([...options].filter((name) => !rows.has(name))).toEqual([]);
  });
});

describe('docs/diagnostics.md', () => {
  const rows = new Set(rowsOf('docs/diagnostics.md'));

  it('has a row for each channel, and no other', () => {
    const channels = strings.filter((text) => text.startsWith('wspipe:')).sort();
    expect(channels).toHaveLength(6);
    expect([...rows].filter((name) => name.startsWith('wspipe:')).sort()).toEqual(channels);
  });

  it('tells of limits that are options, and of each limit that anything publishes', () => {
    const limits = [...rows].filter((name) => !name.startsWith('wspipe:') && name !== 'limit');
    expect(limits.filter((name) => !options.has(name))).toEqual([]);
    const published = readSources('lib').flatMap(({ code }) => [
      ...[...code.matchAll(/limit: '(\w+)'/g)].map((match) => match[1] ?? ''),
      ...[...code.matchAll(/(?:limitReached|publishLimit)\((?:stream, )?'(\w+)'\)/g)].map((match) => match[1] ?? ''),
    ]);
    expect(published.length).toBeGreaterThan(10);
    expect(published.filter((name) => !rows.has(name))).toEqual([]);
  });
});
