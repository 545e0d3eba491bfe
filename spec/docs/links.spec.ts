/** Law: no link of a document leads nowhere: the file is there, and so is the heading. */
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exists, listFiles, readText } from '../laws/sources.ts';

const documents = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...['docs', 'bench', 'spec'].flatMap((folder) => listFiles(folder, /\.md$/)),
];

/** The text without its code, in which brackets are no links. */
const withoutCode = (text: string): string =>
  text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ' '));

/** The anchor that a heading gets. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

const anchorsOf = (path: string): Set<string> =>
  new Set([...readText(path).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading)));

describe.each(documents)('%s', (path) => {
  const links = [...withoutCode(readText(path)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    // Addresses, and places of the repository's host.
    .filter((target) => !/^(?:[a-z]+:|(?:\.\.\/)+(?:security|issues)\/)/.test(target));

  it('links to what is there', () => {
    const broken = links.filter((target) => {
      const [file = '', anchor] = target.split('#');
      const found = file === '' ? path : posix.join(posix.dirname(path), file);
      if (!exists(found)) return true;
      return anchor !== undefined && found.endsWith('.md') && !anchorsOf(found).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});
