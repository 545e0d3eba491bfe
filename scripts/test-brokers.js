// Runs the specs that talk to real brokers: redis-server and nats-server, which they start and stop. wspipe is put beside
// the clients of the brokers as npm would put it there, so that the servers of the specs use both as a stranger would.
//   npm run test:brokers -- [--messages 100000] [vitest's arguments]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installBesideClients } from '../spec/brokers/install.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const at = args.indexOf('--messages');
const [, messages] = at < 0 ? [] : args.splice(at, 2);

installBesideClients();
const vitest = [`${root}node_modules/vitest/vitest.mjs`, 'run', '--config', 'spec/brokers/vitest.config.ts', ...args];
const env = messages === undefined ? process.env : { ...process.env, WSPIPE_MESSAGES: messages };
const { status } = spawnSync(process.execPath, vitest, { cwd: root, stdio: 'inherit', env });
process.exit(status ?? 1);
