// What may be asked of the benchmark.
import { parseArgs } from 'node:util';
import { PEER_NAMES } from './peers.js';
import { shrink, WORKLOADS } from './workloads.js';

export const USAGE = `npm run bench                a quick table, about a minute
npm run bench -- --full      everything, about an hour and a half; writes bench/results/ and the tables of bench/README.md
npm run bench -- --smoke     everything at a tiny size: does it run, and is it correct?

  --only a,b        workloads, by name or by its beginning (--list shows them)
  --peers a,b       peers, by name
  --rounds n        rounds, of which the median is taken
  --seconds n       length of each
  --connections n   instead of the workload's own
  --node PATH       the Node that the peers run on; the load generator stays on this one
  --node-flags=f    given to peers on Node, for instance "--cpu-prof --cpu-prof-dir=/tmp/profile"
  --json PATH       write what was measured; with --full, where instead of bench/results/node-<major>.json
  --list            workloads and peers

With --full and --only, the workloads that were not asked for keep their figures of the last time.
`;

const OPTIONS = {
  full: { type: 'boolean', default: false },
  smoke: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  only: { type: 'string' },
  peers: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  connections: { type: 'string' },
  node: { type: 'string', default: process.execPath },
  'node-flags': { type: 'string', default: '' },
  json: { type: 'string' },
};

const EVERYTHING = [''];
const MODES = {
  quick: {
    rounds: 3,
    timing: { windowMs: 500, warmUpMs: 300 },
    workloads: ['echo-125', 'echo-16k', 'echo-1m'],
    peers: ['raw-upgrade', 'ws', 'wspipe'],
  },
  full: {
    rounds: 5,
    timing: { windowMs: 1500, warmUpMs: 600 },
    workloads: EVERYTHING,
    peers: PEER_NAMES,
  },
  smoke: {
    rounds: 1,
    timing: { windowMs: 30, warmUpMs: 10, lookMs: 10 },
    workloads: EVERYTHING,
    peers: ['ws', 'wspipe'],
  },
};
/** Where a smoke run tries every peer. */
const SMOKE_ALL_PEERS = ['echo-125-1x64', 'client-125-1x64'];
/** The same at many sizes: some are enough for a smoke run. */
const NOT_SMOKED = /^growth-connections-\d+0$|^growth-bytes-(?!16$)|^(?:mask|utf8)-(?!125$|64k$)/;

function split(names) {
  return names.split(',').filter((name) => name !== '');
}

/** Those with this very name, or else those whose names begin so. */
function workloadsOf(asked) {
  const exact = WORKLOADS.filter(({ name }) => name === asked);
  const chosen = exact.length > 0 ? exact : WORKLOADS.filter(({ name }) => name.startsWith(asked));
  if (chosen.length === 0) throw new RangeError(`there is no workload ${asked}: --list shows them`);
  return chosen;
}

function chooseWorkloads(asked) {
  const chosen = new Set(asked.flatMap(workloadsOf));
  return WORKLOADS.filter((workload) => chosen.has(workload));
}

function choosePeers(names) {
  const unknown = names.filter((name) => !PEER_NAMES.includes(name));
  if (unknown.length > 0) throw new RangeError(`there is no peer ${unknown.join(', ')}: --list shows them`);
  return names;
}

function positive(name, text) {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`--${name} must be more than 0, not ${text}`);
  return value;
}

function smokeWorkloads(workloads, asked) {
  const smoked = workloads.filter(({ name }) => !NOT_SMOKED.test(name));
  return smoked.map((workload) => ({
    ...shrink(workload),
    ...(asked === undefined && SMOKE_ALL_PEERS.includes(workload.name) && { smokePeers: PEER_NAMES }),
  }));
}

/** @throws RangeError, TypeError for what there is not */
export function parseCommandLine(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const { node, json, connections, rounds, seconds, peers, only } = values;
  const mode = MODES[values.smoke ? 'smoke' : values.full ? 'full' : 'quick'];
  let workloads = chooseWorkloads(only === undefined ? mode.workloads : split(only));
  if (values.smoke) workloads = smokeWorkloads(workloads, peers);
  if (connections !== undefined) {
    workloads = workloads.map((workload) => ({ ...workload, connections: positive('connections', connections) }));
  }
  return {
    isFull: values.full,
    isSmoke: values.smoke,
    isHelp: values.help,
    isList: values.list,
    node,
    json,
    workloads,
    peers: choosePeers(peers === undefined ? mode.peers : split(peers)),
    rounds: rounds === undefined ? mode.rounds : Math.ceil(positive('rounds', rounds)),
    timing: { ...mode.timing, ...(seconds !== undefined && { windowMs: positive('seconds', seconds) * 1000 }) },
    nodeFlags: values['node-flags'].split(' ').filter((flag) => flag !== ''),
  };
}
