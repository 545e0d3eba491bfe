// Puts wspipe, as it is published, and the chat beside the clients of the brokers, as npm would: each uses the others as a
// stranger would.
import { cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = `${root}spec/brokers/node_modules/`;

/** It needs `npm run build` and `npm ci --prefix spec/brokers`. @returns where the chat is */
export function installBesideClients() {
  for (const name of ['wspipe', 'wspipe-chat']) rmSync(`${modules}${name}`, { recursive: true, force: true });
  for (const name of ['dist', 'package.json'])
    cpSync(`${root}${name}`, `${modules}wspipe/${name}`, { recursive: true });
  cpSync(`${root}docs/examples/chat`, `${modules}wspipe-chat`, { recursive: true });
  return `${modules}wspipe-chat/`;
}
