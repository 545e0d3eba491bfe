// Sends one huge message through connections in separate processes and back, and watches their memory:
// `npm run soak:message`, with `--bytes 10e9`, `--through direct|web|proxy|web-socket-stream|all`, `--from 100e6` (the bytes after which a
// process counts as warm) and `--max-growth 32` (MiB that its resident memory may grow from there);
// with `--live`, what lives after a collection is watched instead. `--node-flags "--single-threaded-gc"` passes flags on.
//
// direct  client ─▶ messages() → createMessage() ─▶ client
// web     the same with FrameEncoderStream and FrameDecoderStream on both sides, in slices
// proxy   direct, through the proxy of docs/guide/streams.md
// web-socket-stream  a WebSocketStream and toWeb(), in messages of at most 64 KiB: their chunks are whole messages
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** What lives is what a collection leaves: buffers that it found dead are freed then, and not later in the background. */
const LIVE_FLAGS = ['--expose-gc', '--no-concurrent-array-buffer-sweeping'];

const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: '10e9' },
    through: { type: 'string', default: 'all' },
    from: { type: 'string', default: '100e6' },
    'max-growth': { type: 'string', default: '32' },
    live: { type: 'boolean', default: false },
    'node-flags': { type: 'string', default: '' },
  },
});
const bytes = Number(values.bytes);
const from = Number(values.from);
const maxGrowth = Number(values['max-growth']);

/** The processes of each way: each one is told the port of the one before it; the last one is the client. */
const WAYS = {
  direct: ['echo', 'client'],
  web: ['webEcho', 'webClient'],
  proxy: ['echo', 'proxy', 'client'],
  'web-socket-stream': ['messageEcho', 'messageClient'],
};
const ways = values.through === 'all' ? Object.keys(WAYS) : [values.through];
if (!(bytes > from) || !ways.every((way) => way in WAYS)) {
  console.error(
    `usage: soak-message.js [--bytes n] [--through ${Object.keys(WAYS).join('|')}|all] [--from n] [--max-growth MiB] [--live] [--node-flags flags]`,
  );
  process.exit(2);
}

/** Starts a part; `next()` gives what it sends. */
function start(part, port) {
  const script = fileURLToPath(new URL('soak-message-process.js', import.meta.url));
  const settings = JSON.stringify({ bytes, from, port });
  const child = fork(script, [part, settings], {
    execArgv: [...values['node-flags'].split(' ').filter(Boolean), ...(values.live ? LIVE_FLAGS : [])],
  });
  const messages = [];
  let wake = () => {};
  child.on('message', (message) => {
    messages.push(message);
    wake();
  });
  let hasExited = false;
  child.on('exit', () => {
    hasExited = true;
    wake();
  });
  const next = async () => {
    while (messages.length === 0 && !hasExited) await new Promise((resolve) => (wake = resolve));
    if (messages.length === 0) throw new Error(`${part} ended with nothing to report`);
    return messages.shift();
  };
  return { part, child, next };
}

async function run(way) {
  const began = performance.now();
  const processes = [];
  try {
    let port;
    for (const part of WAYS[way]) {
      const started = start(part, port);
      processes.push(started);
      if (processes.length < WAYS[way].length) ({ port } = await started.next());
    }
    const { isIntact, received, memory } = await processes.at(-1).next();
    const seconds = (performance.now() - began) / 1000;
    const reports = [];
    for (const { part, next } of processes.slice(0, -1)) reports.push({ part, ...(await next()).memory });
    reports.push({ part: processes.at(-1).part, ...memory });
    return { way, isIntact, received, seconds, reports };
  } finally {
    for (const { child } of processes) child.kill();
  }
}

const mib = (number) => number.toFixed(1);
console.log(`${bytes / 1e6} MB; resident memory in MiB, from ${from / 1e6} MB on.\n`);
console.log('| through | process | at first | at most | growth | MB/s | intact |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
let hasFailed = false;
for (const way of ways) {
  const { isIntact, received, seconds, reports } = await run(way);
  for (const { part, base, peak, growth } of reports) {
    const cells = [way, part, mib(base), mib(peak), mib(growth), Math.round(received / 1e6 / seconds), isIntact];
    console.log(`| ${cells.join(' | ')} |`);
    // Written so that a number that is none fails too.
    if (!(isIntact && growth <= maxGrowth)) hasFailed = true;
  }
}
if (hasFailed) {
  console.error(`\nFAILED: the message came back changed, or a process grew by more than ${maxGrowth} MiB`);
  process.exitCode = 1;
}
