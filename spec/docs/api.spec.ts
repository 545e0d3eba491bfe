/** Law: docs/api.md tells of every name that the package exports, of its members and of its events, and of nothing else. */
import { describe, expect, it } from 'vitest';
import { readSources, readText } from '../laws/sources.ts';
import { type Declaration, ENTRIES, exportsOf } from './declarations.ts';

const page = readText('docs/api.md').replace(/^```[\s\S]*?^```/gm, '');
/** Where the members of options are told, with their units and reasons. */
const optionPages = ['docs/options.md', 'docs/guide/compression.md', 'docs/guide/client.md'].map(readText).join('\n');

/** The part of the page under a heading, up to the next one of its rank. */
const sectionsOf = (text: string, rank: string): { heading: string; text: string }[] =>
  text
    .split(new RegExp(`^${rank} `, 'm'))
    .slice(1)
    .map((section) => ({ heading: section.split('\n', 1)[0] ?? '', text: section }));

/** Without the names of others. */
const ours = page.slice(0, page.indexOf('## If you know it by other names'));
const parts = sectionsOf(ours, '##');
const partOf = (entry: string): string =>
  parts
    .filter(({ heading }) => heading.includes(`\`${entry}\``))
    .map(({ text }) => text)
    .join('\n');

/** The code in a text. */
const codeIn = (text: string): string[] => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
const wordsOf = (code: string): string[] => code.match(/[A-Za-z_$][\w$]*/g) ?? [];
const firstCell = (row: string): string => row.split(/(?<!\\)\|/)[1] ?? '';
const says = (text: string, name: string): boolean =>
  codeIn(text).some((code) => (name.startsWith('[') ? code.includes(name) : wordsOf(code).includes(name)));

/** A table of the page: its rows, the first one with its heads, and the class that it is about, where it is about one. */
interface Table {
  readonly rows: readonly string[];
  readonly owner: string | undefined;
}

const tablesOf = ({ heading, text }: { heading: string; text: string }): Table[] =>
  text
    .split(/\n(?!\|)/)
    .map((block) => block.split('\n').filter((line) => line.startsWith('|') && !/^[|\s-]*$/.test(line)))
    .filter((rows) => rows.length > 1)
    .map((rows) => ({ rows, owner: codeIn(firstCell(rows[0]!)).at(-1) ?? heading }));

const entries = Object.entries(ENTRIES).map(([name, path]) => ({ name, declared: exportsOf(path) }));
const declared: readonly Declaration[] = entries.flatMap((entry) => entry.declared);
const members = new Set(declared.flatMap((declaration) => declaration.members));
const membersOf = (owner: string | undefined): readonly string[] =>
  declared.filter(({ name }) => name === owner).flatMap((declaration) => declaration.members);
const events = declared.filter(({ name, kind }) => kind === 'interface' && /Events$/.test(name));
const sections = [
  ...sectionsOf(ours, '###'),
  ...parts.map((part) => ({ ...part, text: part.text.split('\n### ', 1)[0]! })),
];
const tables = sections.flatMap(tablesOf);
const eventNames = new Set(events.flatMap((declaration) => declaration.members));

/** All that is said of a class or an interface: its rows, and the tables that are about it. */
function placeOf(name: string): string {
  const own = tables.filter(({ owner }) => owner === name).flatMap(({ rows }) => rows);
  const rows = tables.flatMap((table) => table.rows).filter((row) => says(firstCell(row), name));
  return [...own, ...rows].join('\n');
}

/** Errors have names as all errors do. */
const isTold = ({ name }: Declaration, member: string): boolean =>
  says(placeOf(name), member) ||
  (/(?:Options|Limits)$/.test(name) && says(optionPages, member)) ||
  (/Error$/.test(name) && /^(?:name|code)$/.test(member));

describe('docs/api.md', () => {
  it.each(entries)('has all that $name exports', ({ name, declared: all }) => {
    expect(all.length).toBeGreaterThan(1);
    const untold = all.filter(
      (declaration) =>
        !says(partOf(name), declaration.name) &&
        !(/^WS_/.test(declaration.name) && says(partOf('wspipe'), declaration.name)),
    );
    expect(untold.map((declaration) => declaration.name)).toEqual([]);
  });

  it('has all members of what is exported', () => {
    expect(members.size).toBeGreaterThan(250);
    const untold = declared.flatMap((declaration) =>
      declaration.members
        .filter((member) => !isTold(declaration, member))
        .map((member) => `${declaration.name} ${member}`),
    );
    expect([...new Set(untold)]).toEqual([]);
  });

  it('has all events, in tables of their own', () => {
    expect(events.map(({ name }) => name).sort()).toEqual([
      'BackplaneEvents',
      'TopicEvents',
      'WsConnectionEvents',
      'WsServerEvents',
    ]);
    const owners = new Map([
      ['BackplaneEvents', 'Backplane'],
      ['TopicEvents', 'Topic'],
      ['WsConnectionEvents', 'WsConnection'],
      ['WsServerEvents', 'WsServer'],
    ]);
    const untold = events.flatMap(({ name, members: names }) =>
      names
        .filter((event) => !codeIn(placeOf(owners.get(name)!)).includes(`'${event}'`))
        .map((event) => `${name} ${event}`),
    );
    expect(untold).toEqual([]);
  });

  it('has all events that anything emits', () => {
    const emitted = readSources('lib')
      .filter(({ path }) => !path.startsWith('lib/cli/'))
      .flatMap(({ code }) => [...code.matchAll(/(?:\.emit|#tell)\('(\w+)'/g)].map(([, event = '']) => event));
    expect(emitted.length).toBeGreaterThan(9);
    expect(emitted.filter((event) => !eventNames.has(event))).toEqual([]);
  });

  it('names in the first column of its tables nothing that is not there', () => {
    const names = new Set(declared.map(({ name }) => name));
    const cells = tables.flatMap(({ rows, owner }) =>
      rows.slice(1).flatMap((row) => codeIn(firstCell(row)).map((code) => ({ code, owner }))),
    );
    expect(cells.length).toBeGreaterThan(300);
    const strange = cells.filter(({ code, owner }) => {
      const event = code.match(/^'(\w+)'$/)?.[1];
      if (event !== undefined) return !eventNames.has(event);
      const [name = '', member] = code
        .replace(/^new /, '')
        .replace(/\(.*\)$/, '')
        .split(/(?<!Symbol)\./);
      if (member !== undefined) return !membersOf(name).includes(member);
      return !names.has(name) && !membersOf(owner).includes(name);
    });
    // What Node's stream has of itself.
    expect(strange.map(({ code }) => code)).toEqual(['destroy()']);
  });

  it('names nothing anywhere that does not occur in the code', () => {
    const words = readSources('lib').flatMap(({ code }) => wordsOf(code));
    const known = new Set([...words, 'Headers', 'using', 'pipeThrough']);
    const strange = [...new Set(codeIn(ours).flatMap(wordsOf))]
      // Of `WS_STATE_*` there are some.
      .filter((word) => !(word.endsWith('_') ? words.some((name) => name.startsWith(word)) : known.has(word)));
    expect(strange).toEqual([]);
  });
});
