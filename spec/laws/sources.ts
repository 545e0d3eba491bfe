/**
 * The repository as text: what the laws read. Regular expressions suffice, because the formatter leaves one shape of
 * import line and TypeScript 7 has no compiler API to ask.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export interface Import {
  /** A path from the root (`lib/errors.ts`) for a relative import, else the specifier as it stands (`node:net`). */
  readonly target: string;
  /** Erased by the compiler. */
  readonly isType: boolean;
  /** `import('…')`. */
  readonly isDynamic: boolean;
}

export interface Source {
  /** From the root, with slashes: `lib/protocol/opcode.ts`. */
  readonly path: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
  readonly imports: readonly Import[];
}

/** Lists the files below a folder of the repository, sorted; none where the folder is missing. */
export function listFiles(folder: string, pattern: RegExp): string[] {
  if (!exists(folder)) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => posix.join(folder, join(entry.parentPath, entry.name).slice(join(ROOT, folder).length + 1)))
    .sort();
}

/** Tells whether a path from the root exists. */
export function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}

/** Reads a file of the repository. */
export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Reads a TypeScript file: text, code, imports. */
export function readSource(path: string): Source {
  const text = readText(path);
  const code = withoutComments(text);
  return { path, text, code, imports: findImports(path, code) };
}

/** Reads all TypeScript files below a folder. */
export function readSources(folder: string): Source[] {
  return listFiles(folder, /\.ts$/).map(readSource);
}

/** Drops comments. Strings and template literals are kept, so that a `//` inside them is no comment. */
export function withoutComments(text: string): string {
  const tokens = /\/\*[\s\S]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`/g;
  return text.replace(tokens, (token) => (token.startsWith('/*') || token.startsWith('//') ? '' : token));
}

/** Lists the string literals of a code: what stands between quotes or backticks. */
export function literals(code: string): string[] {
  const strings = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\[\s\S])*)`/g;
  return [...code.matchAll(strings)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** Lists what a file imports; `path` is from the root. */
export function findImports(path: string, code: string): Import[] {
  const resolve = (specifier: string): string =>
    specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier;
  const statements = code.matchAll(/^(?:import|export)\s+(?:([^'";]*?)\s*from\s+)?'([^']+)'/gm);
  const dynamics = code.matchAll(/\bimport\(\s*'([^']+)'/g);
  return [
    ...[...statements].map(([, names = '', specifier = '']) => ({
      target: resolve(specifier),
      isType: names.startsWith('type '),
      isDynamic: false,
    })),
    ...[...dynamics].map(([, specifier = '']) => ({ target: resolve(specifier), isType: false, isDynamic: true })),
  ];
}
