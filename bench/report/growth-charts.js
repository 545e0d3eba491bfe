// How cost grows: with the number of connections, and with the size of messages.
import { lineChart } from './line-chart.js';

const UNITS = [
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
  [1, 'B'],
];

function formatBytes(bytes) {
  const [unit, name] = UNITS.find(([size]) => bytes >= size);
  return `${bytes / unit} ${name}`;
}

function formatNanos(nanos) {
  return nanos >= 1000 ? `${nanos / 1000} µs` : `${Number(nanos.toPrecision(1))} ns`;
}

/** One line for each peer; `x` and `y` read a workload and a row. */
function seriesOf(results, growth, x, y) {
  const byPeer = new Map();
  for (const { workload, rows } of Object.values(results.workloads)) {
    if (workload.growth !== growth) continue;
    for (const row of rows) {
      if (row.cpuMicrosPerMessage === undefined) continue;
      byPeer.set(row.peer, [...(byPeer.get(row.peer) ?? []), [x(workload), y(row, workload)]]);
    }
  }
  return [...byPeer].map(([name, points]) => ({ name, points: points.sort(([one], [other]) => one - other) }));
}

const CHARTS = {
  connections: {
    title: 'Server CPU a message, 125 B, one in flight on each connection',
    xTitle: 'connections',
    xBase: 10,
    formatX: (value) => value.toLocaleString('en'),
    x: ({ connections }) => connections,
    y: ({ cpuMicrosPerMessage }) => cpuMicrosPerMessage * 1000,
  },
  bytes: {
    title: 'Server CPU a byte, one connection, 256 KiB in flight (at most 64 messages, at least one)',
    xTitle: 'bytes a message',
    xBase: 16,
    formatX: formatBytes,
    x: ({ bytes }) => bytes,
    y: ({ cpuMicrosPerMessage }, { bytes }) => (cpuMicrosPerMessage * 1000) / bytes,
  },
};

/** Gives `{ name, svg }` for each growth that was measured. */
export function growthCharts(results) {
  const charts = Object.entries(CHARTS).map(([name, { x, y, ...chart }]) => {
    return { name, chart: { ...chart, formatY: formatNanos, series: seriesOf(results, name, x, y) } };
  });
  return charts
    .filter(({ chart }) => chart.series.length > 0)
    .map(({ name, chart }) => ({ name, svg: lineChart({ ...chart, title: `${chart.title}, Node ${results.node}` }) }));
}
