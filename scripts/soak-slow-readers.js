// Offers more than is read, and watches the memory of both processes: `npm run soak:slow-readers`. For each way of
// reading, with the client and with the server as the slow reader, and after a warm-up at full speed:
//
// unread  200,000 messages of 1 KiB are offered and nobody reads; when the sender has come to a halt, all are read
// slow    256 MiB in messages of 64 KiB are offered to a reader that sleeps 4 ms after each 64 KiB: about 20 s, which is
//         the same as 1 MB/s for a longer time. `--bytes 1e9 --sleep 64` offers 1 GB to a reader of 1 MB/s.
//
// Options: `--messages`, `--bytes`, `--sleep` (ms), `--only <face>`, `--reader client|server`, `--max-growth` (16 MiB),
// `--jobs` (rows at a time, 4), `--live` (what lives after a collection, instead of what is resident). Prints a Markdown table, and fails where a process grew more or something was lost.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MIB } from './resident-memory.js';

const FACES = ['frames', 'messages', 'byteStream', 'toWeb', 'WebSocketStream'];
const text = (value) => ({ type: 'string', default: value });
const { values } = parseArgs({
  options: {
    messages: text('200000'),
    bytes: text(`${256 * MIB}`),
    sleep: text('4'),
    only: text('all'),
    reader: text('both'),
    'warm-up': text(`${64 * MIB}`),
    'max-growth': text('16'),
    jobs: text('4'),
    live: { type: 'boolean', default: false },
  },
});
const maxGrowth = Number(values['max-growth']);
const warmUpBytes = Number(values['warm-up']);

const trial = (messageBytes, count, pace) => ({
  messageBytes,
  count,
  pace,
  warmUp: Math.ceil(warmUpBytes / messageBytes),
});
const trials = [
  trial(1024, Number(values.messages), 'unread'),
  trial(65_536, Math.ceil(Number(values.bytes) / 65_536), Number(values.sleep)),
].filter(({ count }) => count > 0);
const faces = values.only === 'all' ? FACES : [values.only];
const readers = values.reader === 'both' ? ['client', 'server'] : [values.reader];

/** Starts one side of a connection. `when(name)` waits for what it sends under that name. */
function start(settings) {
  const script = fileURLToPath(new URL('soak-slow-readers-process.js', import.meta.url));
  const child = fork(script, [JSON.stringify(settings)], { execArgv: values.live ? ['--expose-gc'] : [] });
  const said = {};
  const wake = [];
  const wakeAll = () => {
    for (const each of wake.splice(0)) each();
  };
  child.on('message', (message) => {
    Object.assign(said, message);
    wakeAll();
  });
  let hasExited = false;
  child.on('exit', () => {
    hasExited = true;
    wakeAll();
  });
  const when = async (name) => {
    while (said[name] === undefined && !hasExited) await new Promise((resolve) => wake.push(resolve));
    if (said[name] === undefined) throw new Error(`a process ended: ${JSON.stringify(settings)}`);
    return said[name];
  };
  return { child, said, when };
}

async function run(face, readerRole, settings) {
  const common = { face, ...settings };
  const server = start({ ...common, role: 'server', isReader: readerRole === 'server' });
  const port = await server.when('port');
  const client = start({ ...common, role: 'client', isReader: readerRole === 'client', port });
  const [reader, sender] = readerRole === 'client' ? [client, server] : [server, client];
  try {
    if (settings.pace === 'unread') {
      await reader.when('held');
      await Promise.race([sender.when('stalled'), sender.when('memory')]);
      reader.child.send('go on');
    }
    await Promise.all([reader.when('memory'), sender.when('memory')]);
    const isIntact = reader.said.digest === sender.said.digest && reader.said.messages === sender.said.messages;
    return { reader: reader.said.memory.growth, sender: sender.said.memory.growth, isIntact };
  } finally {
    reader.child.kill();
    sender.child.kill();
  }
}

async function runRow({ face, readerRole }) {
  const cells = [readerRole, face];
  let isFine = true;
  for (const settings of trials) {
    const { reader, sender, isIntact } = await run(face, readerRole, settings);
    cells.push(reader.toFixed(1), sender.toFixed(1), isIntact ? 'nothing' : 'SOMETHING');
    // Written so that a number that is none fails too.
    isFine &&= isIntact && reader <= maxGrowth && sender <= maxGrowth;
  }
  return { line: `| ${cells.join(' | ')} |`, isFine };
}

const waiting = readers.flatMap((readerRole) => faces.map((face) => ({ face, readerRole })));
const results = waiting.map(() => undefined);
let next = 0;
async function work() {
  while (next < waiting.length) {
    const index = next++;
    results[index] = await runRow(waiting[index]);
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work));

const heads = trials.flatMap(({ pace }) => {
  const name = pace === 'unread' ? 'unread' : 'slow';
  return [`${name}: reader`, `${name}: sender`, `${name}: lost`];
});
console.log(`| the reader is | and reads by | ${heads.join(' | ')} |`);
console.log(`|${' --- |'.repeat(heads.length + 2)}`);
for (const { line } of results) console.log(line);
if (results.some(({ isFine }) => !isFine)) {
  console.error(`\nFAILED: something was lost, or a process grew by more than ${maxGrowth} MiB`);
  process.exitCode = 1;
}
