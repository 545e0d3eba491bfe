// Tries wspipe where it is meant to run: npm run test:runtimes
//
// The whole suite on each other Node, the checks of spec/interop/runtime-checks.js on Node, Bun and Deno, and those of
// wspipe/web there and in Chromium. With --quick the suite is left out. It needs a built package, `npm ci --prefix
// spec/interop`, `npm ci --prefix spec/browser` and a Chromium.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const bin = (name) => here(`../spec/interop/node_modules/.bin/${name}`);
const CHECKS = here('../spec/interop/runtime-checks.js');
const PERMISSIONS = ['--no-prompt', '--allow-net', '--allow-env', '--allow-read', '--allow-sys'];

const isQuick = process.argv.includes('--quick');
const RUNS = [
  ['the suite on other Nodes', process.execPath, [here('test-nodes.js')]],
  ['checks on Node', process.execPath, [CHECKS]],
  ['checks on Bun', bin('bun'), [CHECKS]],
  ['checks on Deno', bin('deno'), ['run', ...PERMISSIONS, CHECKS]],
  ['wspipe/web on Node, Bun, Deno and in Chromium', process.execPath, [here('web-runtimes.js')]],
].slice(isQuick ? 1 : 0);

const failed = RUNS.filter(([title, command, args]) => {
  console.log(`\n== ${title} ==`);
  return spawnSync(command, args, { stdio: 'inherit' }).status !== 0;
});
for (const [title] of failed) console.error(`FAIL ${title}`);
process.exitCode = failed.length > 0 ? 1 : 0;
