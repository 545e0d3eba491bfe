// The servers that are measured, and how each is started.
import { fileURLToPath } from 'node:url';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const WITHOUT_ADDONS = { WS_NO_BUFFER_UTIL: '1', WS_NO_UTF_8_VALIDATE: '1' };

function onNode(file, env = {}) {
  return { file: path(file), start: ({ node, nodeFlags }) => [node, '--expose-gc', ...nodeFlags], env };
}

const bun = path('node_modules/bun/bin/bun.exe');
const deno = path('node_modules/deno/deno');

/**
 * By name. `isRaw`: bytes come back as they were sent, nobody unmasks; `isBare`: there is not even a handshake.
 * `compresses`: takes part in the workloads with permessage-deflate.
 */
export const SERVERS = {
  'raw-net': { ...onNode('servers/raw-net.js'), isRaw: true, isBare: true },
  'raw-upgrade': { ...onNode('servers/raw-upgrade.js'), isRaw: true },
  wspipe: { ...onNode('servers/wspipe.js'), compresses: true },
  'wspipe-for-await': { ...onNode('servers/wspipe-for-await.js'), compresses: true },
  ws: { ...onNode('servers/ws.js', WITHOUT_ADDONS), compresses: true },
  'ws-native': { ...onNode('servers/ws.js'), compresses: true },
  'faye-websocket': onNode('servers/faye-websocket.js'),
  websocket: onNode('servers/websocket.js'),
  uws: { ...onNode('servers/uws.js'), compresses: true },
  bun: { file: path('servers/bun.js'), start: () => [bun], env: {}, compresses: true },
  deno: {
    file: path('servers/deno.js'),
    start: () => [deno, 'run', '--quiet', '--allow-all', '--no-prompt', '--v8-flags=--expose-gc'],
    env: {},
  },
};
