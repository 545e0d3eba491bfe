// What is measured. `kind` names the load, `server` the job of the server; what else is there goes to the load.
const MIB = 2 ** 20;

function echo(name, connections, inFlight, bytes, more = {}) {
  return { name, kind: 'echo', server: 'echo', connections, inFlight, bytes, ...more };
}

export const WORKLOADS = [
  echo('echo-125-1x1', 1, 1, 125),
  echo('echo-125-100x1', 100, 1, 125),
  echo('echo-125-1x64', 1, 64, 125),
  echo('echo-125-100x16', 100, 16, 125),
  echo('echo-1k-text', 10, 4, 1024, { isText: true }),
  echo('echo-16k', 10, 4, 16_384),
  echo('echo-1m', 4, 1, MIB),
  echo('echo-64m', 1, 1, 64 * MIB),
  { name: 'connects', kind: 'connects', server: 'echo', connections: 32 },
  { name: 'idle-memory', kind: 'idle-memory', server: 'echo', connections: 10_000 },
];
