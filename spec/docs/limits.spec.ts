/** Every knob stands in docs/options.md, and every channel and limit that is told stands in docs/guide/diagnostics.md. */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { resolveBackoff } from '../../lib/endpoint/client/backoff.ts';
import { resolveForeverOptions } from '../../lib/endpoint/client/forever-options.ts';
import { resolveConnectOptions, resolveServerOptions } from '../../lib/endpoint/endpoint-options.ts';
import { createPair } from '../../lib/endpoint/pair.ts';
import { Lobby } from '../../lib/endpoint/server/lobby.ts';
import { resolveSettings } from '../../lib/fanout/backplane/backplane-options.ts';
import { resolveHistory } from '../../lib/fanout/backplane/memory-log.ts';
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

/** What can be compared: functions are made anew each time. */
const withoutFunctions = (resolved: object): unknown =>
  JSON.parse(JSON.stringify(resolved, (_name, value) => (value === Number.POSITIVE_INFINITY ? 'Infinity' : value)));

const strings = readSources('lib').flatMap(({ code }) => literals(code));
const options = new Set(
  [resolveConnectionOptions(), resolveServerOptions(), resolveConnectOptions(), resolveMemberOptions({})].flatMap(
    (resolved) => Object.keys(resolved),
  ),
);
/** What resolves options, with all that it takes. */
const resolvers: readonly (readonly [string, (options: object) => object])[] = [
  ['a connection', resolveConnectionOptions],
  ['a server', resolveServerOptions],
  ['a client', resolveConnectOptions],
  ['a client that comes back', (options) => resolveForeverOptions('ws://a.example', options)],
  ['its waits', resolveBackoff],
  ['a member of a topic', (options) => resolveMemberOptions(options)],
  ['a backplane', resolveSettings],
  ['a history', resolveHistory],
];
// What is left of the options for the connection is no option itself.
options.delete('connection');

describe('docs/options.md', () => {
  it('has a row for each option that is resolved', () => {
    const rows = new Set(rowsOf('docs/options.md'));
    expect([...options].filter((name) => !rows.has(name))).toEqual([]);
  });

  it.each(resolvers)('tells the truth of %s: what is undefined counts as not given', (_what, resolve) => {
    const without = resolve({});
    const names = [...Object.keys(without), ...Object.keys(Object(Reflect.get(without, 'connection')))];
    expect(names.length).toBeGreaterThan(1);
    const nothing = Object.fromEntries(names.map((name) => [name, undefined]));
    expect(withoutFunctions(resolve(nothing))).toEqual(withoutFunctions(without));
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
