// Who is measured, and how each is started.
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const WITHOUT_ADDONS = { WS_NO_BUFFER_UTIL: '1', WS_NO_UTF_8_VALIDATE: '1' };

const onNode = ({ node, nodeFlags }) => [node, '--expose-gc', ...nodeFlags];
const onBun = () => [path('node_modules/bun/bin/bun.exe')];
const onDeno = () => [path('node_modules/deno/deno'), 'run', '--quiet', '--allow-all', '--v8-flags=--expose-gc'];

function peer(file, { runtime = onNode, env = {}, ...traits } = {}) {
  return { command: (options) => [...runtime(options), path(file)], env, ...traits };
}

/**
 * `isRaw`: bytes come back as they were sent, nobody unmasks. `isBare`: there is not even a handshake. `compresses`: takes
 * part in the workloads with permessage-deflate.
 */
const SERVERS = {
  'raw-net': peer('servers/raw-net.js', { isRaw: true, isBare: true }),
  'raw-upgrade': peer('servers/raw-upgrade.js', { isRaw: true }),
  wspipe: peer('servers/wspipe.js', { compresses: true }),
  'wspipe-for-await': peer('servers/wspipe-for-await.js', { compresses: true }),
  ws: peer('servers/ws.js', { env: WITHOUT_ADDONS, compresses: true }),
  'ws-native': peer('servers/ws.js', { compresses: true }),
  'faye-websocket': peer('servers/faye-websocket.js'),
  websocket: peer('servers/websocket.js'),
  uws: peer('servers/uws.js', { compresses: true }),
  bun: peer('servers/bun.js', { runtime: onBun, compresses: true }),
  deno: peer('servers/deno.js', { runtime: onDeno }),
};

const CLIENTS = {
  'raw-upgrade': peer('clients/raw-upgrade.js'),
  wspipe: peer('clients/wspipe.js'),
  ws: peer('clients/ws.js', { env: WITHOUT_ADDONS }),
  'ws-native': peer('clients/ws.js'),
  undici: peer('clients/undici.js'),
  bun: peer('clients/platform.js', { runtime: onBun }),
  deno: peer('clients/platform.js', { runtime: onDeno }),
};

const LIBRARIES = {
  memcpy: peer('in-process/main.js', { library: 'memcpy' }),
  wspipe: peer('in-process/main.js', { library: 'wspipe' }),
  ws: peer('in-process/main.js', { library: 'ws', env: WITHOUT_ADDONS }),
  'ws-native': peer('in-process/main.js', { library: 'ws' }),
};

const GROUPS = { client: CLIENTS, 'in-process': LIBRARIES };

export const PEER_NAMES = [...new Set([SERVERS, CLIENTS, LIBRARIES].flatMap((group) => Object.keys(group)))];

/** Those who take part in a workload, by name. */
export function peersOf(workload) {
  const group = GROUPS[workload.kind] ?? SERVERS;
  const taking = Object.entries(group).filter(
    ([name, { compresses }]) =>
      (workload.peers === undefined || workload.peers.includes(name)) &&
      (workload.compression === undefined || compresses),
  );
  return Object.fromEntries(taking);
}
