// Runs the specs on every Node that is supported beside the one at hand: `npm run test:nodes`, or with versions as
// arguments (`npm run test:nodes -- 20.19.0 26`), and with vitest's own arguments behind `--`.
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installNode } from './install-node.js';

const VERSIONS = ['22', '24', '26'];
const LIMIT_MS = 10 * 60_000;

const root = fileURLToPath(new URL('..', import.meta.url));

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
  const binary = installNode(version);
  const exact = spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\n== Node ${exact} ==`);
  return { exact, passed: test(binary, vitestArgs) };
});

console.log();
for (const { exact, passed } of results) console.log(`${exact.padEnd(12)} ${passed ? 'ok' : 'FAIL'}`);
if (results.some(({ passed }) => !passed)) process.exitCode = 1;
