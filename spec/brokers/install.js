// Puts wspipe, as it is published beside the clients of the brokers, as npm would.
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = `${root}spec/brokers/node_modules/`;

/** It needs `npm run build` and `npm ci --prefix spec/brokers`. */
export function installBesideClients() {
  rmSync(`${modules}wspipe`, { recursive: true, force: true });
  for (const name of ['dist', 'package.json'])
    cpSync(`${root}${name}`, `${modules}wspipe/${name}`, { recursive: true });
}
