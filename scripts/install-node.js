// Any Node from the npm registry. The package `node` is a shell around one package for each platform, which is taken
// directly here because it needs no install script. The binaries are kept under node_modules/.cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isWindows = process.platform === 'win32';
const platformPackage = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;

/** Installs a Node, unless the newest of its line is there already, and gives the path of its binary. */
export function installNode(version) {
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
