// Runs the specs on every Node that is supported beside the one at hand: `npm run test:nodes`, or with versions as
// arguments (`npm run test:nodes -- 20.19.0 26`), and with vitest's own arguments behind `--`.
//
// The binaries come from the npm registry: the package `node` is a shell around one package for each platform, which is
// taken directly here because it needs no install script. They are kept under node_modules/.cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSIONS = ['22', '24', '26'];
const LIMIT_MS = 10 * 60_000;

const root = fileURLToPath(new URL('..', import.meta.url));
const isWindows = process.platform === 'win32';
const platformPackage = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;

/** Installs a Node, unless the newest of its line is there already, and gives the path of its binary. */
function install(version) {
  const folder = join(root, 'node_modules', '.cache', 'nodes', version);
  const binary = join(folder, 'node_modules', platformPackage, 'bin', isWindows ? 'node.exe' : 'node');
  mkdirSync(folder, { recursive: true });
  // A manifest of its own keeps npm from looking for one in the folders above.
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  const npm = isWindows ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(npm, ['install', ...options, `${platformPackage}@${version}`], {
    cwd: folder,
    stdio: 'inherit',
    shell: isWindows,
  });
  if (status !== 0 || !existsSync(binary)) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`${platformPackage}@${version} could not be installed`);
  }
  return binary;
}

/** Runs the specs on one Node, which is also the first in PATH for what the specs start. */
function test(binary, args) {
  const env = { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` };
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(binary, [vitest, 'run', ...args], {
    cwd: root,
    env,
    stdio: 'inherit',
    timeout: LIMIT_MS,
  });
  return status === 0;
}

const all = process.argv.slice(2);
const behind = all.indexOf('--');
const vitestArgs = behind < 0 ? [] : all.slice(behind + 1);
const asked = behind < 0 ? all : all.slice(0, behind);

const results = (asked.length > 0 ? asked : VERSIONS).map((version) => {
  const binary = install(version);
  const exact = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\n== Node ${exact} ==`);
  return { exact, passed: test(binary, vitestArgs) };
});

console.log();
for (const { exact, passed } of results) console.log(`${exact.padEnd(12)} ${passed ? 'ok' : 'FAIL'}`);
if (results.some(({ passed }) => !passed)) process.exitCode = 1;
