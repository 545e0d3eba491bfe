/**
 * What the package exports, read from its sources: each name, where it is declared, and its public members. The laws
 * keep the sources in one shape, so lines tell.
 */
import { posix } from 'node:path';
import { readSource } from '../laws/sources.ts';

/** An export, with the names of its members; none where it has none, or none that are anybody's business. */
export interface Declaration {
  readonly name: string;
  readonly kind: 'class' | 'interface' | 'type' | 'function' | 'const';
  readonly members: readonly string[];
}

/** Entry by entry, what can be imported from it. */
export const ENTRIES: Readonly<Record<string, string>> = {
  wspipe: 'lib/index.ts',
  'wspipe/protocol': 'lib/protocol/index.ts',
  'wspipe/web': 'lib/web/index.ts',
  'wspipe/redis': 'lib/redis/index.ts',
  'wspipe/nats': 'lib/nats/index.ts',
};

const DECLARATION = /^export (?:abstract )?(?:async )?(class|interface|type|function|const) (\w+)(.*)/gm;

/** Lists what an entry exports. */
export function exportsOf(entry: string): Declaration[] {
  const lists = [...readSource(entry).code.matchAll(/^export (?:type )?(?:\{([^}]*)\}|\*) from '([^']+)'/gm)];
  const found = lists.flatMap(([, list, target = '']): Declaration[] => {
    const declared = declarationsOf(posix.join(posix.dirname(entry), target));
    if (list === undefined) return [...declared.values()];
    const names = list.split(',').map((name) => name.replace(/\btype\b/, '').trim());
    return names
      .filter((name) => name !== '')
      .map((name) => declared.get(name) ?? { name, kind: 'const', members: [] });
  });
  return [...found, ...standInsOf(entry)];
}

/** What an entry declares itself stands for a class of ours, which it imports by another name. */
function standInsOf(entry: string): Declaration[] {
  const imports = readSource(entry).code.matchAll(/^import \{ (\w+) as Own\w+ \} from '([^']+)'/gm);
  return [...imports].flatMap(([, name = '', target = '']) => {
    const declaration = declarationsOf(posix.join(posix.dirname(entry), target)).get(name);
    return declaration === undefined ? [] : [declaration];
  });
}

function declarationsOf(path: string): Map<string, Declaration> {
  const { text } = readSource(path);
  const matches = [...text.matchAll(DECLARATION)];
  return new Map(
    matches.map(({ 1: kind, 2: name = '', 3: rest = '', index }) => {
      const hasBody = (kind === 'class' || kind === 'interface') && !rest.endsWith('{}');
      const body = hasBody ? text.slice(index, text.indexOf('\n}', index)) : '';
      return [name, { name, kind: kind as Declaration['kind'], members: membersOf(body) }];
    }),
  );
}

const MEMBER =
  /(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^ {2}(?!private|protected|constructor)((?:(?:static|override|readonly|async|abstract|get) |\*)*)(\w+|\[Symbol\.\w+\])\??[(:<=;]/gm;

/** Names of the members that are for everybody: not private, not of the stream machinery, not internal. */
function membersOf(body: string): string[] {
  const members = [...body.matchAll(MEMBER)].filter(
    ([, doc = '', , name = '']) => !doc.includes('@internal') && !/^_|toStringTag/.test(name),
  );
  return [...new Set(members.map(([, , , name = '']) => name))];
}
