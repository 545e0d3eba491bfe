// What is measured. `kind` names the load (load/main.js), `server` the job of the server (servers/contract.js); the rest
// goes to the load as it is. `peers` narrows who takes part, `mostRounds` how often.
const KIB = 2 ** 10;
const MIB = 2 ** 20;
/**
 * A compressed message takes so long that the usual time to run warm is too short: at 100 connections a server is then
 * still compiling its code, and each context touches its memory for the first time. That had been more than half of what
 * was measured there: in turns, 83 to 174 µs a message without these messages before, and 37 to 58 behind them (ws: 355
 * to 436, and 252 to 350).
 */
const COMPRESSED_WARM_UP = { warmUpMessages: 10_000 };
/** To wait for a process to come to rest takes most of a minute, and memory differs little from round to round. */
const MEMORY_ROUNDS = 3;
const COMPRESSIONS = ['takeover', 'no-takeover'];
const GROWTH_PEERS = ['raw-upgrade', 'wspipe', 'ws', 'ws-native', 'uws', 'bun'];
/** As much as is on its way at a time where the cost per byte is looked at. */
const GROWTH_BYTES_IN_FLIGHT = 256 * KIB;

function echo(name, connections, inFlight, bytes, more = {}) {
  return { name, kind: 'echo', server: 'echo', connections, inFlight, bytes, ...more };
}

function client(name, connections, inFlight, bytes) {
  return { name, kind: 'client', connections, inFlight, bytes };
}

function fanOut(name, connections, inFlight) {
  return { name, kind: 'fan-out', server: 'fan-out', connections, inFlight, bytes: 125 };
}

function deflateFanOut(compression) {
  const traits = { connections: 500, inFlight: 2, bytes: KIB };
  return {
    name: `deflate-fan-out-500-${compression}`,
    kind: 'compressed-fan-out',
    server: 'fan-out',
    compression,
    ...traits,
  };
}

function inProcess(task, bytes, peers = ['wspipe', 'ws', 'ws-native']) {
  return { name: `${task}-${sizeName(bytes)}`, kind: 'in-process', task, bytes, peers };
}

function deflate(compression, load, connections, inFlight, bytes, more = {}) {
  const name = `deflate-${load}-${compression}`;
  return { name, kind: 'compressed-echo', server: 'echo', compression, connections, inFlight, bytes, ...more };
}

function sizeName(bytes) {
  if (bytes >= MIB) return `${bytes / MIB}m`;
  return bytes >= KIB ? `${bytes / KIB}k` : String(bytes);
}

function growthByBytes(bytes) {
  const inFlight = Math.min(64, Math.max(1, Math.floor(GROWTH_BYTES_IN_FLIGHT / bytes)));
  return echo(`growth-bytes-${sizeName(bytes)}`, 1, inFlight, bytes, { peers: GROWTH_PEERS, growth: 'bytes' });
}

function growthByConnections(connections) {
  const traits = { peers: GROWTH_PEERS, growth: 'connections' };
  return echo(`growth-connections-${connections}`, connections, 1, 125, traits);
}

export const WORKLOADS = [
  echo('echo-125-1x1', 1, 1, 125),
  echo('echo-125-100x1', 100, 1, 125),
  echo('echo-125-1x64', 1, 64, 125),
  echo('echo-125-100x16', 100, 16, 125),
  echo('echo-1k-text', 10, 4, KIB, { isText: true }),
  echo('echo-16k', 10, 4, 16 * KIB),
  echo('echo-1m', 4, 1, MIB),
  // A byte less, because Deno takes no more and has no option for it.
  echo('echo-64m', 1, 1, 64 * MIB - 1),
  { name: 'upload-64k', kind: 'upload', server: 'upload', connections: 4, turns: 4, bytes: 64 * KIB },
  { name: 'download-64k', kind: 'download', server: 'download', connections: 4, turns: 4, bytes: 64 * KIB },
  fanOut('fan-out-500', 500, 2),
  fanOut('fan-out-500x16', 500, 16),
  fanOut('fan-out-5000', 5000, 2),
  // A server lives long: what is to be known is what a connection costs when the code has been compiled, and each takes
  // thousands of connections to get there.
  { name: 'connects', kind: 'connects', server: 'echo', connections: 32, warmUpMessages: 10_000 },
  { name: 'idle-memory', kind: 'idle-memory', server: 'echo', connections: 10_000, mostRounds: MEMORY_ROUNDS },
  client('client-125-1x64', 1, 64, 125),
  client('client-125-100x1', 100, 1, 125),
  client('client-16k', 10, 4, 16 * KIB),
  ...COMPRESSIONS.flatMap((compression) => [
    deflate(compression, '1k-1x64', 1, 64, KIB, COMPRESSED_WARM_UP),
    deflate(compression, '1k-100x4', 100, 4, KIB, COMPRESSED_WARM_UP),
    deflate(compression, '64k', 4, 4, 64 * KIB),
  ]),
  ...COMPRESSIONS.map(deflateFanOut),
  ...COMPRESSIONS.map((compression) => ({
    name: `deflate-idle-memory-${compression}`,
    kind: 'compressed-idle-memory',
    server: 'echo',
    compression,
    connections: 2000,
    bytes: 2 * KIB,
    mostRounds: MEMORY_ROUNDS,
  })),
  ...[125, 64 * KIB, MIB].map((bytes) => inProcess('decode', bytes)),
  ...[125, 64 * KIB].map((bytes) => inProcess('encode-server', bytes)),
  ...[125, 64 * KIB].map((bytes) => inProcess('encode-client', bytes)),
  ...[16, 125, KIB, 16 * KIB, 64 * KIB, MIB].map((bytes) =>
    inProcess('mask', bytes, ['memcpy', 'wspipe', 'ws', 'ws-native']),
  ),
  ...[125, KIB, 64 * KIB].map((bytes) => inProcess('utf8', bytes, ['wspipe', 'ws'])),
  ...[1, 10, 100, 1000, 10_000].map(growthByConnections),
  ...[16, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB].map(growthByBytes),
];

/** The same at a size at which it takes no time: does it run, and is it correct? */
export function shrink(workload) {
  const few = workload.kind.endsWith('idle-memory') ? 32 : 4;
  return {
    ...workload,
    ...(workload.connections !== undefined && { connections: Math.min(workload.connections, few) }),
    ...(workload.bytes !== undefined && { bytes: Math.min(workload.bytes, MIB) }),
    ...(workload.warmUpMessages !== undefined && { warmUpMessages: 1 }),
  };
}
