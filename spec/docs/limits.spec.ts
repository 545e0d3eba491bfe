/** Every knob stands in docs/options.md, and every channel and limit that is told stands in docs/guide/diagnostics.md. */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { resolveConnectOptions, resolveServerOptions } from '../../lib/endpoint/endpoint-options.ts';
import { createPair } from '../../lib/endpoint/pair.ts';
import { Lobby } from '../../lib/endpoint/server/lobby.ts';
import { resolveMemberOptions } from '../../lib/fanout/topic/topic-options.ts';
import { resolveConnectionOptions } from '../../lib/options.ts';
import { literals, readSources, readText } from '../laws/sources.ts';

/** The names in the first cells of a document's tables, or of those under one of its headings. */
function rowsOf(path: string, heading?: string): string[] {
  const sections = readText(path).split('\n## ');
  const cells = sections
    .filter((section) => heading === undefined || section.startsWith(`${heading}\n`))
    .flatMap((section) => section.split('\n'))
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|')[1] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([\w:-]+)[^`]*`/g)].map((match) => match[1] ?? ''));
}

const strings = readSources('lib').flatMap(({ code }) => literals(code));
const options = new Set(
  [resolveConnectionOptions(), resolveServerOptions(), resolveConnectOptions(), resolveMemberOptions({})].flatMap(
    (resolved) => Object.keys(resolved),
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

describe('docs/guide/diagnostics.md', () => {
  const rows = new Set(rowsOf('docs/guide/diagnostics.md', 'Channels'));

  it('has a row for each channel, and no other', () => {
    const channels = strings.filter((text) => text.startsWith('wspipe:')).sort();
    expect(channels).toHaveLength(11);
    expect([...rows].filter((name) => name.startsWith('wspipe:')).sort()).toEqual(channels);
  });

  it('tells of limits that are options, and of each limit that anything publishes', () => {
    const limits = [...rows].filter((name) => !name.startsWith('wspipe:') && name !== 'limit');
    // One is an option of `perMessageDeflate`.
    expect(limits.filter((name) => !options.has(name))).toEqual(['maxInflatedRatio']);
    const published = readSources('lib').flatMap(({ code }) => [
      ...[...code.matchAll(/limit: '(\w+)'/g)].map((match) => match[1] ?? ''),
      ...[...code.matchAll(/(?:limitReached|publishLimit)\((?:stream, )?'(\w+)'\)/g)].map((match) => match[1] ?? ''),
    ]);
    expect(published.length).toBeGreaterThan(10);
    expect(published.filter((name) => !rows.has(name))).toEqual([]);
  });

  it('has a row for each figure of conn.stats and server.stats, and no other', () => {
    const { client, server } = createPair();
    const lobby = new Lobby(resolveServerOptions(), new EventEmitter());
    const figures = [client.stats, client.stats.received, lobby.stats].flatMap((stats) => Object.keys(stats));
    const told = rowsOf('docs/guide/diagnostics.md', 'Counters').filter((name) => !/^(?:conn|server)$/.test(name));
    expect(new Set(told)).toEqual(new Set(figures));
    client.forceClose();
    server.forceClose();
  });
});
