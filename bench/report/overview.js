// One table for a whole run: what a message costs, workload by workload and peer by peer.
const PEERS = [
  'raw-net',
  'raw-upgrade',
  'wspipe',
  'wspipe-for-await',
  'ws',
  'ws-native',
  'undici',
  'uws',
  'bun',
  'deno',
];

function formatCost({ cpuMicrosPerMessage, bytesPerConnection }) {
  if (bytesPerConnection !== undefined) return `${(bytesPerConnection / 1000).toFixed(1)} kB`;
  const micros = cpuMicrosPerMessage;
  return micros >= 1000 ? Math.round(micros).toLocaleString('en') : micros.toPrecision(3);
}

function cell(rows, peer) {
  const row = rows.find((each) => each.peer === peer);
  if (row === undefined) return '';
  if (row.failure !== undefined) return 'failed';
  return row.unavailable === undefined ? formatCost(row) : '';
}

export function formatOverview(results) {
  const shown = Object.values(results.workloads).filter(
    ({ workload }) => workload.growth === undefined && workload.kind !== 'in-process',
  );
  const lines = shown.map(
    ({ workload, rows }) => `| ${workload.name} | ${PEERS.map((peer) => cell(rows, peer)).join(' | ')} |`,
  );
  const head = `| CPU a message, µs; memory of a connection | ${PEERS.join(' | ')} |`;
  return [head, `| --- |${' ---: |'.repeat(PEERS.length)}`, ...lines].join('\n');
}
