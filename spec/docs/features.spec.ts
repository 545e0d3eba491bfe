/** Law: each feature that README ticks off leads to what proves it: a spec that runs, or a script that has a verb. */
import { describe, expect, it } from 'vitest';
import { exists, readText } from '../laws/sources.ts';

const section = readText('README.md').match(/^## What works today$([\s\S]*?)^## /m)?.[1] ?? '';
const rows = section
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(1)
  .map((line) => {
    const [feature = '', proof = ''] = line.split(' | ');
    const targets = [...proof.matchAll(/\[✓\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
    return { feature: feature.slice(2), proof, targets };
  });

/** The npm scripts; a script counts where one of them, or one that such a script runs, names it. */
const verbs = Object.values((JSON.parse(readText('package.json')) as { scripts: Record<string, string> }).scripts);

/** Rooms that `npm test` leaves out; their verbs stand for them. */
const apart = /^spec\/(?:interop|redis|nats|brokers)\//;

/** Whether a file has tests of which none is left out, or is run by a verb. */
function proves(path: string): boolean {
  if (!exists(path)) return false;
  if (path.endsWith('.js')) return verbs.some((verb) => verb.split(/[\s&]+/).includes(path));
  if (apart.test(path)) return false;
  const text = readText(path);
  return (
    /^spec\/.*\.spec\.ts$/.test(path) && /\bit(?:\.each|\.for)?\(/.test(text) && !/\.(?:skip|only|todo)\b/.test(text)
  );
}

describe('the features in README', () => {
  it('are many, and each has a tick, and nothing but ticks', () => {
    expect(rows.length).toBeGreaterThan(25);
    const hollow = rows.filter(
      ({ targets, proof }) => targets.length === 0 || /[^\s]/.test(proof.replace(/\[✓\]\([^)]+\)/g, '')),
    );
    expect(hollow.map(({ feature }) => feature)).toEqual([]);
  });

  it('lead to specs that run, and to scripts that have a verb', () => {
    expect(rows.flatMap(({ targets }) => targets).filter((target) => !proves(target))).toEqual([]);
  });

  it('lead to something that uses each name in them', () => {
    const unused = rows.flatMap(({ feature, targets }) => {
      const texts = targets.map(readText).join();
      const names = [...feature.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
      return names.filter((name) => !texts.includes(name)).map((name) => `${name}: ${feature}`);
    });
    expect(unused).toEqual([]);
  });
});
