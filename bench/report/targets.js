// What is to be reached, and whether it was. "×" of a peer is in messages per CPU second of the measured process.

function figureOf(results, workload, peer, figure) {
  return results.workloads[workload]?.rows.find((row) => row.peer === peer)?.[figure];
}

/** How many times less wspipe costs than a peer. */
function timesLess(workload, peer, figure = 'cpuMicrosPerMessage', own = 'wspipe') {
  return (results) => figureOf(results, workload, peer, figure) / figureOf(results, workload, own, figure);
}

/** The least of several, for what must hold against the best of them. */
function least(...measures) {
  return (results) => Math.min(...measures.map((measure) => measure(results)).filter((value) => !Number.isNaN(value)));
}

/** wspipe's messages per second, of a peer's. */
function rateOf(workload, peer) {
  const rate = (results, name) => figureOf(results, workload, name, 'messagesPerSecond');
  return (results) => rate(results, 'wspipe') / rate(results, peer);
}

const atLeast = (title, measure, limit) => ({ title, measure, limit, isMost: false });
const atMost = (title, measure, limit) => ({ title, measure, limit, isMost: true });

/** The same against ws, and the same against the ceiling. */
function echoTargets(workload, timesWs, ofRaw) {
  return [
    atLeast(`${workload}, × ws`, timesLess(workload, 'ws'), timesWs),
    atLeast(`${workload}, of raw`, timesLess(workload, 'raw-upgrade'), ofRaw),
  ];
}

const fewerBytes = (workload) => timesLess(workload, 'ws', 'bytesPerConnection');
const bytesOf = (workload) => (results) => figureOf(results, workload, 'wspipe', 'bytesPerConnection');

export const TARGETS = [
  atLeast('echo-125-1x64, × ws', timesLess('echo-125-1x64', 'ws'), 6),
  atLeast('echo-125-100x16, × ws', timesLess('echo-125-100x16', 'ws'), 6),
  atLeast('echo-125-1x64, messages/s of uWebSockets.js', rateOf('echo-125-1x64', 'uws'), 1),
  atLeast('echo-125-1x64, of raw', timesLess('echo-125-1x64', 'raw-upgrade'), 0.5),
  ...echoTargets('echo-125-100x1', 1.3, 0.88),
  atLeast('echo-125-1x1, × ws', timesLess('echo-125-1x1', 'ws'), 1),
  ...echoTargets('echo-1k-text', 3, 0.75),
  ...echoTargets('echo-16k', 3, 0.75),
  ...['echo-1m', 'echo-64m'].flatMap((workload) => [
    ...echoTargets(workload, 4, 0.75),
    atLeast(
      `${workload}, × the better of Bun and Deno`,
      least(timesLess(workload, 'bun'), timesLess(workload, 'deno')),
      1,
    ),
  ]),
  ...echoTargets('upload-64k', 4, 0.85),
  atLeast('download-64k, × ws', timesLess('download-64k', 'ws'), 1.05),
  ...['fan-out-500', 'fan-out-5000'].flatMap((workload) => [
    atLeast(`${workload}, × ws`, timesLess(workload, 'ws'), 1.5),
    atLeast(`${workload}, × Bun`, timesLess(workload, 'bun'), 0.8),
  ]),
  atLeast('connects, × ws', timesLess('connects', 'ws'), 1.25),
  atLeast('idle-memory, bytes of ws by ours', fewerBytes('idle-memory'), 1),
  ...['client-125-1x64', 'client-125-100x1'].map((workload) =>
    atLeast(
      `${workload}, × the best of ws and undici`,
      least(timesLess(workload, 'ws'), timesLess(workload, 'undici')),
      1.2,
    ),
  ),
  atLeast('decode-125, × ws', timesLess('decode-125', 'ws'), 4),
  ...['decode-64k', 'decode-1m'].flatMap((workload) => [
    atLeast(`${workload}, × ws`, timesLess(workload, 'ws'), 20),
    atLeast(`${workload}, × ws with bufferutil`, timesLess(workload, 'ws-native'), 2),
  ]),
  ...['echo-1k-text', 'echo-125-1x64'].map((workload) =>
    atMost(`${workload}, for await by 'data'`, timesLess(workload, 'wspipe-for-await', 'cpuMicrosPerMessage'), 1.35),
  ),
  ...['takeover', 'no-takeover'].flatMap((compression) => [
    atLeast(`deflate-1k-1x64-${compression}, × ws`, timesLess(`deflate-1k-1x64-${compression}`, 'ws'), 3),
    atLeast(`deflate-1k-100x4-${compression}, × ws`, timesLess(`deflate-1k-100x4-${compression}`, 'ws'), 3),
    atLeast(`deflate-64k-${compression}, × ws`, timesLess(`deflate-64k-${compression}`, 'ws'), 1.2),
  ]),
  ...['takeover', 'no-takeover'].map((compression) =>
    atLeast(`deflate-fan-out-500-${compression}, × ws`, timesLess(`deflate-fan-out-500-${compression}`, 'ws'), 10),
  ),
  atMost('deflate-idle-memory-no-takeover, bytes', bytesOf('deflate-idle-memory-no-takeover'), 12_000),
  atMost('deflate-idle-memory-takeover, bytes', bytesOf('deflate-idle-memory-takeover'), 45_000),
];

const format = (value) => (value < 1000 ? value.toFixed(2) : Math.round(value).toLocaleString('en'));

/** The targets whose workloads and peers were measured. */
export function judge(results) {
  return TARGETS.map(({ title, measure, limit, isMost }) => {
    const value = measure(results);
    return {
      title,
      value,
      isMet: isMost ? value <= limit : value >= limit,
      wanted: `${isMost ? '≤' : '≥'} ${format(limit)}`,
    };
  }).filter(({ value }) => Number.isFinite(value));
}

export function formatTargets(results) {
  const judged = judge(results);
  if (judged.length === 0) return '';
  const lines = judged.map(({ title, value, isMet, wanted }) => {
    return `| ${title} | ${wanted} | ${format(value)} | ${isMet ? 'met' : '**not met**'} |`;
  });
  return `| target | wanted | measured | |\n| --- | ---: | ---: | --- |\n${lines.join('\n')}\n`;
}
