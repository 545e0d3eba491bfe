/** Law: every known attack has a test that exists, or a reason; and SECURITY.md shows exactly that. */
import { describe, expect, it } from 'vitest';
import { ADVISORIES, type KnownAttack } from '../attacks/known-attacks.ts';
import { OBLIGATIONS, VECTORS } from '../attacks/known-vectors.ts';
import { exists, literals, readSource, readText } from './sources.ts';

const TABLES = Object.entries({ Advisories: ADVISORIES, Obligations: OBLIGATIONS, Vectors: VECTORS });
const all = TABLES.flatMap(([, rows]) => rows);

/** Whether a test by this title, or with titles that begin so, stands in the file. */
function hasTitle(path: string, title: string): boolean {
  if (!exists(path)) return false;
  return literals(readSource(path).code).some((text) => text.replaceAll("\\'", "'").startsWith(title));
}

/** A row as SECURITY.md has it. */
function formatRow({ ids, where, attack, proof }: KnownAttack): string {
  const cell = (path: string): string => `[${path.replace('spec/', '')}](${path})`;
  const shown = typeof proof === 'string' ? proof : [...new Set(proof.map(([path]) => cell(path)))].join(', ');
  return `| ${[ids, where, attack, shown].join(' | ')} |`;
}

describe('a known attack', () => {
  it.each(all.map((attack) => [attack.ids, attack] as const))(
    '%s has a test that exists, or a reason',
    (_ids, { proof }) => {
      if (typeof proof === 'string') expect(proof.length).toBeGreaterThan(20);
      else {
        expect(proof.length).toBeGreaterThan(0);
        expect(proof.filter(([path, title]) => !hasTitle(path, title))).toEqual([]);
      }
    },
  );

  it('stands in its table once', () => {
    const ids = all.flatMap((attack) => attack.ids.split(', '));
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    expect(ids.length).toBeGreaterThan(130);
  });

  it('whose data stands in a table of attacks is run by the spec of that table', () => {
    for (const name of ['frames', 'handshake']) {
      const imports = readSource(`spec/attacks/${name}.spec.ts`).imports.map(({ target }) => target);
      expect(imports.some((target) => target.endsWith('-attacks.ts'))).toBe(true);
    }
  });
});

describe('SECURITY.md', () => {
  it('shows each of them, with its test or its reason', () => {
    const lines = new Set(
      readText('SECURITY.md')
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
    );
    expect(all.map(formatRow).filter((line) => !lines.has(line))).toEqual([]);
  });

  it('shows no other', () => {
    const rows = readText('SECURITY.md')
      .split('\n')
      .filter((line) => /^\|.*\|.*\|.*\|.*\|$/.test(line));
    // A head and a ruler for each table.
    expect(rows).toHaveLength(all.length + 2 * TABLES.length);
  });
});
