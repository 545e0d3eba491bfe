/** Law: straight pipes need straight imports. A file imports from its own room, or from one above it in this list. */
import { describe, expect, it } from 'vitest';
import { readSources, type Source } from './sources.ts';

const ROOMS = [
  'errors.ts',
  'protocol',
  'handshake',
  'options.ts',
  'stream',
  'deflate',
  'connection',
  'fanout',
  'redis',
  'nats',
  'endpoint',
  'web',
  'index.ts',
  'cli',
] as const;

const PURE: ReadonlySet<string> = new Set(['errors.ts', 'protocol', 'handshake']);
const NETWORK = /^node:(http|https|http2|net|tls|dgram|dns)$/;
const MAY_USE_NETWORK: ReadonlySet<string> = new Set(['endpoint', 'cli']);

const sources = readSources('lib');
const byPath = new Map(sources.map((source) => [source.path, source]));
const roomOf = (path: string): string => path.split('/')[1] ?? '';
const rank = (path: string): number => (ROOMS as readonly string[]).indexOf(roomOf(path));

function* imports() {
  for (const source of sources) for (const imported of source.imports) yield { source, ...imported };
}

describe('the layers of lib/', () => {
  it('has no room that is not in the list', () => {
    expect(sources.map(({ path }) => path).filter((path) => rank(path) < 0)).toEqual([]);
  });

  it('imports only from the same room or from one above it', () => {
    const upward = [...imports()]
      .filter(({ target }) => target.startsWith('lib/'))
      .filter(({ source, target }) => rank(target) < 0 || rank(target) > rank(source.path))
      .map(({ source, target }) => `${source.path} imports ${target}`);
    expect(upward).toEqual([]);
  });

  it('leaves index.ts to the command and to nobody else', () => {
    const users = [...imports()].filter(({ target }) => target === 'lib/index.ts').map(({ source }) => source.path);
    expect(users.filter((path) => roomOf(path) !== 'cli')).toEqual([]);
  });

  it('imports files that exist, by their name with .ts, and no package', () => {
    const strange = [...imports()]
      .filter(({ target }) => !target.startsWith('node:') && !byPath.has(target))
      .map(({ source, target }) => `${source.path} imports ${target}`);
    expect(strange).toEqual([]);
  });

  it('has no cycle of imports', () => {
    expect(findCycles()).toEqual([]);
  });
});

describe('the purity of lib/', () => {
  it('has no node: import in the pure rooms, nor in anything that they reach', () => {
    const impure = sources
      .filter(({ path }) => PURE.has(roomOf(path)))
      .flatMap((source) => source.imports.map(({ target }) => `${source.path} imports ${target}`))
      .filter((line) => line.includes('imports node:'));
    expect(impure).toEqual([]);
  });

  it('has no stream, socket, timer, clock or process in the pure rooms', () => {
    const impurities = /\b(Buffer|process|setTimeout|setInterval|setImmediate|queueMicrotask|performance|Date)\b/;
    const found = sources
      .filter(({ path }) => PURE.has(roomOf(path)))
      .flatMap(({ path, code }) => (impurities.test(withoutStrings(code)) ? [path] : []));
    expect(found).toEqual([]);
  });

  it('imports node:http, node:net, node:tls and their like only in endpoint/ and cli/', () => {
    const users = [...imports()]
      .filter(({ source, target }) => NETWORK.test(target) && !MAY_USE_NETWORK.has(roomOf(source.path)))
      .map(({ source, target }) => `${source.path} imports ${target}`);
    expect(users).toEqual([]);
  });

  it('takes timers from the global scope, where the leak check sees them', () => {
    const users = [...imports()].filter(({ target }) => target.startsWith('node:timers'));
    expect(users.map(({ source }) => source.path)).toEqual([]);
  });
});

function withoutStrings(code: string): string {
  return code.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`[^`$]*`/g, "''");
}

/** Depth first, over what remains after compilation; a file that is still on the road closes a cycle. */
function findCycles(): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (source: Source, road: readonly string[]): void => {
    if (road.includes(source.path)) cycles.push([...road.slice(road.indexOf(source.path)), source.path].join(' → '));
    if (road.includes(source.path) || done.has(source.path)) return;
    for (const { target, isType } of source.imports) {
      const next = byPath.get(target);
      if (!isType && next !== undefined) visit(next, [...road, source.path]);
    }
    done.add(source.path);
  };
  for (const source of sources) visit(source, []);
  return cycles;
}
