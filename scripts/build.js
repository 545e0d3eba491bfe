// Compiles lib/ to dist/ with plain tsc, from scratch, and copies what tsc does not know (the echo page).
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
const { status } = spawnSync(
  process.execPath,
  [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`],
  {
    stdio: 'inherit',
  },
);
if (status !== 0) process.exit(status ?? 1);
const page = `${root}lib/cli/echo/echo-page.html`;
if (existsSync(page)) cpSync(page, `${root}dist/cli/echo/echo-page.html`);
const main = `${root}dist/cli/main.js`;
if (existsSync(main)) chmodSync(main, 0o755);
