/** Law: an editor shows on hover what a thing is: every export has a docstring, every option its default. */
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSource } from './sources.ts';

const ENTRIES = [
  'lib/index.ts',
  'lib/protocol/index.ts',
  'lib/web/index.ts',
  'lib/redis/index.ts',
  'lib/nats/index.ts',
];

/** What the entries of the package export, by file: a name, or all of it. */
function exportedNames(): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const entry of ENTRIES) {
    for (const [, list = '*', target = ''] of readSource(entry).code.matchAll(
      /^export (?:type )?(?:\{([^}]*)\}|\*) from '([^']+)'/gm,
    )) {
      const path = posix.join(posix.dirname(entry), target);
      const known = names.get(path) ?? new Set();
      names.set(path, known);
      for (const name of list.split(',')) known.add(name.replace(/\btype\b/, '').trim());
    }
  }
  return names;
}

const exported = exportedNames();
const sources = [...exported.keys()].map(readSource);
const isExported = (path: string, name: string): boolean => {
  const names = exported.get(path);
  return names?.has(name) === true || names?.has('*') === true;
};

/** The lines before a declaration hold the end of a docstring, decorators and overloads aside. */
const isDocumented = (text: string, at: number): boolean => /\*\/\s*$/.test(text.slice(0, at));

interface Member {
  readonly path: string;
  readonly name: string;
  /** Whether it is a number or a switch that may be left out. */
  readonly isKnob: boolean;
  readonly doc: string;
}

/** The members of the exported interfaces whose names end with Options or Limits. */
function optionMembers(): Member[] {
  return sources.flatMap(({ path, text }) =>
    [...text.matchAll(/^export interface (\w+(?:Options|Limits))\b[^{]*\{\n([\s\S]*?)^\}/gm)]
      .filter(([, name = '']) => isExported(path, name))
      .flatMap(([, owner = '', body = '']) =>
        [...body.matchAll(/(\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n)?^ {2}(?:readonly )?(\w+)(\??)[:(](.*)$/gm)].map(
          ([, doc = '', name = '', optional = '', type = '']) => ({
            path: `${path} ${owner}.${name}`,
            name,
            isKnob: optional === '?' && /^\s*(?:number|boolean)\b/.test(type),
            doc,
          }),
        ),
      ),
  );
}

describe('an export of the package', () => {
  it('has a docstring', () => {
    const bare = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/^export (?:abstract )?(?:async )?(?:class|function|interface|type) (\w+)/gm)]
        .filter(({ index, 1: name = '' }) => isExported(path, name) && !isDocumented(text, index))
        // The one behind its overloads, which have theirs.
        .filter(({ index, 1: name }) => !new RegExp(`export function ${name}[<(]`).test(text.slice(0, index)))
        .map(([, name]) => `${path} ${name}`),
    );
    expect(bare).toEqual([]);
  });
});

describe('an option', () => {
  const members = optionMembers();

  it('is found by this spec', () => {
    expect(members.length).toBeGreaterThan(60);
    expect(members.map(({ name }) => name)).toEqual(expect.arrayContaining(['maxMessageBytes', 'handshakeTimeoutMs']));
  });

  it('has a docstring', () => {
    expect(members.filter(({ doc }) => doc === '').map(({ path }) => path)).toEqual([]);
  });

  it('says its default, where it is a number or a switch', () => {
    const silent = members.filter(({ isKnob, doc }) => isKnob && !/[Dd]efault/.test(doc));
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  it('has its unit in its name or in its docstring, where it is a number of bytes or of ms', () => {
    const vague = members.filter(
      ({ name, doc }) =>
        /(?:timeout|interval|delay|size|bytes)/i.test(name) &&
        !/(?:Ms|Bytes|Bits)\b/.test(name) &&
        !/\b(?:ms|bytes|MiB|KiB|seconds?)\b/.test(doc),
    );
    expect(vague.map(({ path }) => path)).toEqual([]);
  });
});
