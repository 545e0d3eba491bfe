// Looks at all that has to be true before a release, packs, and says how large it is: npm run release
//
// With --publish it publishes with provenance, which needs a workflow that may ask for an identity token. With --allow
// NAME, what NAME finds is only told: `npm run release -- --allow repository --allow changelog`.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (command, ...args) => execFileSync(command, args, { cwd: root, encoding: 'utf8' }).trim();
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const args = process.argv.slice(2);
const allowed = args.filter((_, index) => args[index - 1] === '--allow');

/** Every file that the manifest names. */
function namedFiles(value) {
  if (typeof value === 'string') return value.startsWith('.') ? [value.slice(2)] : [];
  return Object.values(value).flatMap(namedFiles);
}

const findings = {
  tree: () => run('git', 'status', '--porcelain') && 'there are changes that are not committed',
  tag() {
    if (run('git', 'tag', '--list', `v${manifest.version}`) === '') return '';
    const tagged = run('git', 'rev-list', '-1', `v${manifest.version}`);
    return tagged === run('git', 'rev-parse', 'HEAD') ? '' : `v${manifest.version} is another commit`;
  },
  changelog() {
    const version = manifest.version.replaceAll('.', '\\.');
    const heading = new RegExp(`^## ${version} \\(\\d{4}-\\d\\d-\\d\\d\\)$`, 'm');
    return heading.test(readFileSync(`${root}CHANGELOG.md`, 'utf8'))
      ? ''
      : `${manifest.version} has no date in CHANGELOG.md`;
  },
  repository: () => (manifest.repository === undefined ? 'package.json names no repository' : ''),
  dependencies: () => (Object.keys(manifest.dependencies ?? {}).length > 0 ? 'there are dependencies' : ''),
  scripts() {
    const runs = ['preinstall', 'install', 'postinstall'].filter((name) => name in manifest.scripts);
    return runs.length > 0 ? `the package runs ${runs.join(', ')} where it is installed` : '';
  },
  files() {
    const packed = new Set(pack.files.map(({ path }) => path));
    const named = [manifest.main, manifest.types, ...namedFiles(manifest.exports), ...Object.values(manifest.bin)];
    const missing = named.map((path) => path.replace(/^\.\//, '')).filter((path) => !packed.has(path));
    return missing.length > 0 ? `not in the package: ${missing.join(', ')}` : '';
  },
};

run('npm', 'run', '--silent', 'build');
const [pack] = JSON.parse(run('npm', 'pack', '--dry-run', '--ignore-scripts', '--json'));
let isReady = true;
for (const [name, find] of Object.entries(findings)) {
  const finding = find();
  if (finding) isReady &&= allowed.includes(name);
  console.log(
    `${finding ? (allowed.includes(name) ? 'note' : 'FAIL') : 'ok  '} ${name}${finding ? `: ${finding}` : ''}`,
  );
}
const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;
console.log(
  `${pack.id}: ${kilobytes(pack.size)} packed, ${kilobytes(pack.unpackedSize)} unpacked, ${pack.files.length} files`,
);
if (!isReady) process.exitCode = 1;
else if (args.includes('--publish'))
  execFileSync('npm', ['publish', '--provenance', '--access', 'public'], { cwd: root, stdio: 'inherit' });
