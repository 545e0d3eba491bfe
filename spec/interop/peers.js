/** Who plays which game, in which role, and what their interfaces have no way to do or to see. */
import { fileURLToPath } from 'node:url';
import { CASE_NAMES } from './cases.js';
import { COMPRESSION_CASE_NAMES } from './compression-cases.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';
/** The command of a package of this folder. */
export const bin = (name) => here(`node_modules/.bin/${name}`);

const WS_CLIENT = [process.execPath, here('peers/ws-client.js')];
const PYTHON_CLIENT = [PYTHON, here('peers/websockets_client.py')];
const BUN_CLIENT = [bin('bun'), here('peers/global-client.js')];
const DENO_CLIENT = [bin('deno'), 'run', '--no-prompt', '--allow-net', here('peers/global-client.js')];
const WS_SERVER = [process.execPath, here('peers/ws-server.js')];
const PYTHON_SERVER = [PYTHON, here('peers/websockets_server.py')];
const bunServer = (size) => [bin('bun'), here('peers/bun-server.js'), size, size];

const PLATFORM_CANNOT = ['fragments sent', 'ping sent'];
const LEGACY_PYTHON_CANNOT = ['close without code sent'];
const CURL_CASES = [
  'handshake 101',
  'own origin 101',
  'no upgrade 426',
  'version 8 426',
  'POST 405',
  'short key 400',
  'foreign origin 403',
  'large head 431',
  'refused 403',
  'refused 404',
];

const without = (names) => CASE_NAMES.filter((name) => !names.includes(name));
const compressing = (cannot) => COMPRESSION_CASE_NAMES.filter((name) => !cannot.some((pattern) => pattern.test(name)));

/** A page and Bun offer what they like, and know neither fragments nor pings. Deno offers nothing. */
export const PLATFORM_COMPRESSION_NAMES = compressing([/^client asks/, /^mixture sent/, /fragments sent/, /between/]);
// Python's zlib has no raw window of 8 bits.
const PYTHON_CLIENT_CANNOT = [/\/8$/, /^mixture sent/, /^closed between/];
const PYTHON_SERVER_CANNOT = [/ 8\//, /^mixture received/, /^what is sent/];
const BUN_SERVER_CANNOT = [/^server asks/, /received$/, /^what is sent/];

/** They connect to us. */
export const CLIENTS = [
  { title: 'ws → us', game: 'plain', names: CASE_NAMES, command: WS_CLIENT },
  { title: 'python → us', game: 'plain', names: without(LEGACY_PYTHON_CANNOT), command: PYTHON_CLIENT },
  { title: 'bun → us', game: 'plain', names: without(PLATFORM_CANNOT), command: BUN_CLIENT },
  { title: 'deno → us', game: 'plain', names: without(PLATFORM_CANNOT), command: DENO_CLIENT },
  { title: 'curl → us', game: 'plain', names: CURL_CASES, command: [process.execPath, here('peers/curl.js')] },
  { title: 'ws → us', game: 'compression', names: COMPRESSION_CASE_NAMES, command: WS_CLIENT },
  { title: 'python → us', game: 'compression', names: compressing(PYTHON_CLIENT_CANNOT), command: PYTHON_CLIENT },
  { title: 'bun → us', game: 'compression', names: PLATFORM_COMPRESSION_NAMES, command: BUN_CLIENT },
];

/** We connect to them. */
export const SERVERS = [
  { title: 'us → ws', game: 'plain', names: CASE_NAMES, command: WS_SERVER },
  { title: 'us → python', game: 'plain', names: CASE_NAMES, command: PYTHON_SERVER },
  { title: 'us → ws', game: 'compression', names: COMPRESSION_CASE_NAMES, command: WS_SERVER },
  { title: 'us → python', game: 'compression', names: compressing(PYTHON_SERVER_CANNOT), command: PYTHON_SERVER },
  { title: 'us → bun', game: 'compression', names: compressing(BUN_SERVER_CANNOT), command: bunServer('dedicated') },
  {
    title: 'us → bun, shared',
    game: 'compression',
    names: compressing(BUN_SERVER_CANNOT),
    command: bunServer('shared'),
  },
];
