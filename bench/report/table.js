// A summary as a table of Markdown, which reads well in a terminal too.
const integer = (value) => Math.round(value).toLocaleString('en');
const micros = (value) => `${value < 100 ? value.toFixed(2) : integer(value)} µs`;
const ms = (value) => (value < 1 ? value.toFixed(3) : value.toPrecision(3));
const percent = (value) => `${Math.round(value * 100)} %`;
const mib = (value) => `${Math.round(value / 2 ** 20)} MiB`;

/** How many times the other's cost, where less is better. */
function ratio(rows, peer, row, figure) {
  const other = rows.find((each) => each.peer === peer && each.failure === undefined);
  return other === undefined ? '' : `${(other[figure] / row[figure]).toFixed(2)}×`;
}

const RATE_COLUMNS = [
  ['messages/s', (row) => integer(row.messagesPerSecond)],
  ['server CPU a message', (row) => micros(row.cpuMicrosPerMessage)],
  ['of ws', (row, rows) => ratio(rows, 'ws', row, 'cpuMicrosPerMessage')],
  ['of raw', (row, rows) => ratio(rows, 'raw-upgrade', row, 'cpuMicrosPerMessage')],
  ['p50 ms', (row) => ms(row.p50Ms)],
  ['p99 ms', (row) => ms(row.p99Ms)],
  ['resident', (row) => mib(row.residentBytes)],
  ['CPU server, load', (row) => `${percent(row.serverShare)}, ${percent(row.loadShare)}`],
];

const MEMORY_COLUMNS = [
  ['bytes a connection', (row) => integer(row.bytesPerConnection)],
  ['of ws', (row, rows) => ratio(rows, 'ws', row, 'bytesPerConnection')],
  ['resident', (row) => mib(row.residentBytes)],
];

const COLUMNS = { 'idle-memory': MEMORY_COLUMNS };

export function formatTable({ workload, rows }) {
  const columns = COLUMNS[workload.kind] ?? RATE_COLUMNS;
  const cells = rows.map((row) => [
    row.peer,
    ...(row.failure === undefined
      ? columns.map(([, format]) => format(row, rows))
      : [`failed: ${row.failure.split('\n', 3).join(' ').slice(0, 200)}`, ...columns.slice(1).map(() => '')]),
  ]);
  const titles = [workload.name, ...columns.map(([title]) => title)];
  const lines = [titles, titles.map(() => '---'), ...cells];
  return `${lines.map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`;
}
