// What one workload gave, as a table of Markdown, which reads well in a terminal too.
const CEILINGS = ['raw-upgrade', 'memcpy'];

const integer = (value) => Math.round(value).toLocaleString('en');
const percent = (value) => `${Math.round(value * 100)} %`;
const mib = (value) => `${Math.round(value / 2 ** 20)} MiB`;

function ms(value) {
  if (value === undefined) return '';
  if (value < 1) return value.toFixed(3);
  return value < 100 ? value.toPrecision(3) : integer(value);
}

function micros(value) {
  if (value < 0.1) return `${(value * 1000).toPrecision(3)} ns`;
  return `${value < 100 ? value.toPrecision(3) : integer(value)} µs`;
}

/** By how much this row's figure is less than another's; empty where the other was not measured. */
function ratio(row, rows, peers, figure) {
  const other = rows.find(({ peer, [figure]: value }) => peers.includes(peer) && value !== undefined);
  return other === undefined ? '' : `${(other[figure] / row[figure]).toFixed(2)}×`;
}

const OF_COST = [
  ['of ws', (row, rows) => ratio(row, rows, ['ws'], 'cpuMicrosPerMessage')],
  ['of raw', (row, rows) => ratio(row, rows, CEILINGS, 'cpuMicrosPerMessage')],
];

const LOAD_COLUMNS = [
  ['messages/s', (row) => integer(row.messagesPerSecond)],
  ['CPU a message', (row) => micros(row.cpuMicrosPerMessage)],
  ...OF_COST,
  ['p50 ms', (row) => ms(row.p50Ms)],
  ['p99 ms', (row) => ms(row.p99Ms)],
  ['resident', (row) => mib(row.residentBytes)],
  ['busy: peer, load', (row) => `${percent(row.peerShare)}, ${percent(row.loadShare)}`],
];

const COMPRESSED_COLUMNS = [...LOAD_COLUMNS, ['bytes a reply', (row) => integer(row.wireBytesPerMessage)]];

const MEMORY_COLUMNS = [
  ['bytes a connection', (row) => integer(row.bytesPerConnection)],
  ['of ws', (row, rows) => ratio(row, rows, ['ws'], 'bytesPerConnection')],
  ['of raw', (row, rows) => ratio(row, rows, CEILINGS, 'bytesPerConnection')],
  ['resident', (row) => mib(row.residentBytes)],
];

const IN_PROCESS_COLUMNS = [
  ['messages/s', (row) => integer(row.messagesPerSecond)],
  ['CPU a message', (row) => micros(row.cpuMicrosPerMessage)],
  ['MB/s', (row) => integer(row.bytesPerSecond / 1e6)],
  ...OF_COST,
];

const COLUMNS = {
  'compressed-echo': COMPRESSED_COLUMNS,
  'idle-memory': MEMORY_COLUMNS,
  'compressed-idle-memory': MEMORY_COLUMNS,
  'in-process': IN_PROCESS_COLUMNS,
};

function cellsOf(row, rows, columns) {
  const reason = row.unavailable ?? row.failure;
  if (reason === undefined) return columns.map(([, format]) => format(row, rows));
  const text = `${row.failure === undefined ? 'not measured' : 'failed'}: ${reason.split('\n', 1)[0]}`;
  return [text, ...columns.slice(1).map(() => '')];
}

export function formatTable({ workload, rows }) {
  const columns = COLUMNS[workload.kind] ?? LOAD_COLUMNS;
  const titles = [workload.name, ...columns.map(([title]) => title)];
  const rule = titles.map((_, index) => (index === 0 ? '---' : '---:'));
  const lines = [titles, rule, ...rows.map((row) => [row.peer, ...cellsOf(row, rows, columns)])];
  return `${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`;
}
