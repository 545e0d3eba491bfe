// Thousands of connections come and go for as long as one wants: `npm run soak -- --minutes 30 --connections 5000`.
//
// A process of ours serves, and another one connects, half of the connections with permessage-deflate. Each of its places
// runs one session after the other: messages that are echoed and compared, messages that are streamed both ways,
// broadcasts that are counted, clients that stall and read later, that die in the middle, that never finish their
// handshake. Prints a line every minute (`--every 60` s); fails where a message that was owed did not come or came changed,
// where a session hung, where memory grew, or where something is left at the end. Connections that the system never let
// in, because the queue of the listening socket was full, are counted; of every hundred, five may be.
//
// The run begins when as many connections have come as there are places. Growth is judged from its first half (but for
// the beginning) to its last third, by the smallest live memory (after a collection) of each: `--max-growth` (24) MiB.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const text = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({
  options: {
    minutes: text('1'),
    connections: text('5000'),
    every: text('60'),
    'max-growth': text('24'),
    seed: text(String(Date.now() % 1e9)),
  },
});
const MIB = 1024 * 1024;
const connections = Number(values.connections);
const durationMs = Number(values.minutes) * 60_000;
const everyMs = Math.min(Number(values.every) * 1000, durationMs / 3);
const maxGrowth = Number(values['max-growth']);
/** Longer than a busy machine may stop us, or leave us waiting in the system's queue: what is slow then is no fault. */
const patient = { handshakeTimeoutMs: 600_000, closeTimeoutMs: 600_000, writeTimeoutMs: 600_000 };
/** How long the first connections take to come: not all at once. */
const rampMs = Math.min(60_000, durationMs / 10);
const SAMPLE_MS = Math.max(500, Math.min(5000, durationMs / 40));

function start(role, settings) {
  const script = fileURLToPath(new URL(`soak-${role}.js`, import.meta.url));
  const child = fork(script, [JSON.stringify(settings)], { execArgv: ['--expose-gc'] });
  const waiting = new Map();
  child.on('message', ({ name, value }) => {
    waiting.get(name)?.(value);
    waiting.delete(name);
  });
  child.on('exit', (code) => {
    if (waiting.size > 0) fail(`the ${role} ended with ${code} while it was asked for ${[...waiting.keys()]}`);
  });
  /** Asks for something, and waits for the answer. */
  const ask = (name) =>
    new Promise((resolve) => {
      waiting.set(name, resolve);
      if (child.connected) child.send(name);
      else fail(`the ${role} is gone`);
    });
  return { child, ask };
}

function fail(why) {
  console.error(`FAILED: ${why}`);
  server.child.kill();
  clients?.child.kill();
  process.exit(1);
}

let clients;
const server = start('server', { patient });
const { port, idle } = await server.ask('port');
const seed = Number(values.seed);
clients = start('clients', { port, connections, seed, patient, rampMs });
// Else it would be taken for growth that they come.
while ((await clients.ask('opened')) < connections) await new Promise((resolve) => setTimeout(resolve, 100));

const samples = [];
const startedAt = performance.now();
const elapsed = () => performance.now() - startedAt;
const padded = (value, width) => String(value).padStart(width);
const columns = [
  ['s', 5],
  ['open', 6],
  ['sessions', 9],
  ['messages', 10],
  ['lost', 5],
  ['server MiB (live)', 18],
  ['clients MiB (live)', 19],
  ['delay ms p99/max', 17],
  ['handles', 8],
];
console.log(`seed ${seed}`);
console.log(columns.map(([name, width]) => padded(name, width)).join(' '));

let saidAt = 0;
async function sample() {
  const [ours, theirs] = await Promise.all([server.ask('state'), clients.ask('state')]);
  samples.push({ at: elapsed(), ours: ours.live, theirs: theirs.live });
  if (elapsed() - saidAt < everyMs) return theirs;
  saidAt = elapsed();
  const memory = ({ rss, live }) => `${Math.round(rss / MIB)} (${Math.round(live / MIB)})`;
  const cells = [
    Math.round(elapsed() / 1000),
    ours.connections,
    theirs.sessions,
    theirs.messages,
    theirs.lost,
    memory(ours),
    memory(theirs),
    `${ours.delayP99.toFixed(0)}/${ours.delayMax.toFixed(0)}`,
    ours.handles,
  ];
  console.log(cells.map((cell, index) => padded(cell, columns[index][1])).join(' '));
  return theirs;
}

while (elapsed() < durationMs) {
  await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  await sample();
}

/** The smallest of a stretch of the run: what is there whatever happens to be under way. */
const least = (name, from, to) =>
  Math.min(
    ...samples
      .filter(({ at }) => at >= durationMs * from && at <= durationMs * to + SAMPLE_MS)
      .map((each) => each[name]),
  );
const growths = ['ours', 'theirs'].map((name) => (least(name, 2 / 3, 1) - least(name, 0.2, 1 / 2)) / MIB);

const done = await clients.ask('finish');
const end = await server.ask('finish');
clients.child.kill();
server.child.kill();
console.log(
  `${done.sessions} sessions, ${done.messages} messages, ${done.lost} lost, ${done.hung} hung, ` +
    `${done.unconnected} never came in; ` +
    `memory grew by ${growths.map((growth) => growth.toFixed(1)).join(' and ')} MiB (server, clients); ` +
    `${end.connections} connections and ${end.handles - idle} handles are left`,
);
for (const error of done.errors) console.error(error);
const isFine =
  done.lost === 0 &&
  done.hung === 0 &&
  done.unconnected <= done.sessions / 20 &&
  done.messages > 0 &&
  end.connections === 0 &&
  end.handles <= idle &&
  growths.every((growth) => growth <= maxGrowth);
if (!isFine) console.error('FAILED');
process.exitCode = isFine ? 0 : 1;
