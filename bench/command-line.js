// What may be asked of the benchmark.
import { parseArgs } from 'node:util';
import { SERVERS } from './peers.js';
import { WORKLOADS } from './workloads.js';

export const USAGE = `npm run bench                         a quick table, about a minute
npm run bench -- --full               everything; writes results/ and the section of bench/README.md
npm run bench -- --smoke              everything at a tiny size: does it run, and is it correct?

  --only a,b        workloads, by name or beginning (--list shows them)
  --peers a,b       peers, by name
  --rounds n        rounds, of which the median is taken
  --seconds n       length of each
  --connections n   instead of the workload's own
  --node PATH       the Node that the peers run on; the load generator stays on this one
  --node-flags f    given to peers on Node, for instance "--cpu-prof --cpu-prof-dir=/tmp/profile"
  --json PATH       write what was measured
  --list            workloads and peers
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

const QUICK = { rounds: 3, seconds: 0.7, warmUpMs: 400, settleMs: 200 };
const FULL = { rounds: 5, seconds: 2, warmUpMs: 700, settleMs: 500 };
const QUICK_PEERS = ['raw-upgrade', 'ws', 'wspipe'];
const QUICK_WORKLOADS = ['echo-125', 'echo-16k', 'echo-1m'];

function choose(asked, names, fallback) {
  const beginnings = asked?.split(',') ?? fallback;
  const chosen = names.filter((name) => beginnings.some((beginning) => name.startsWith(beginning)));
  const unknown = beginnings.filter((beginning) => !names.some((name) => name.startsWith(beginning)));
  if (unknown.length > 0) throw new RangeError(`there is no ${unknown.join(', ')}: --list shows what there is`);
  return chosen;
}

export function parseCommandLine(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  const mode = values.full ? FULL : QUICK;
  const everything = [''];
  const only = choose(
    values.only,
    WORKLOADS.map(({ name }) => name),
    values.full ? everything : QUICK_WORKLOADS,
  );
  const exact = values.peers?.split(',').filter((name) => !(name in SERVERS)) ?? [];
  if (exact.length > 0) throw new RangeError(`there is no peer ${exact.join(', ')}: --list shows what there is`);
  return {
    ...values,
    workloads: WORKLOADS.filter(({ name }) => only.includes(name)),
    peers: values.peers?.split(',') ?? (values.full ? Object.keys(SERVERS) : QUICK_PEERS),
    rounds: Number(values.rounds ?? mode.rounds),
    windowMs: Number(values.seconds ?? mode.seconds) * 1000,
    warmUpMs: mode.warmUpMs,
    settleMs: mode.settleMs,
    connections: values.connections && Number(values.connections),
    nodeFlags: values['node-flags'].split(' ').filter((flag) => flag !== ''),
  };
}
