// The serving side of soak.js: echoes frames, or messages as streams, or sends to all, as the path says.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { WsServer } from '../dist/index.js';

const { patient } = JSON.parse(process.argv[2]);
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();

async function echoFrames(conn) {
  for await (const frame of conn) await conn.sendFrame(frame);
}

async function echoStreams(conn) {
  for await (const message of conn.messages()) {
    const answer = conn.createMessage(message.type);
    // A message that is cut errs, and so does what was made of it: that is the peer's doing.
    for await (const bytes of message) {
      if (!answer.write(bytes)) await new Promise((resolve) => answer.once('drain', resolve).once('close', resolve));
    }
    answer.end();
  }
}

/** Sends without being asked, and never reads. */
async function pour(conn) {
  while ((await conn.sendBinary(Buffer.alloc(20_000))) > 0);
}

/** Reads what comes, which is nothing; see `broadcast`. */
async function ignore(conn) {
  for await (const _frame of conn);
}

const ways = { '/frames': echoFrames, '/streams': echoStreams, '/pour': pour, '/listen': ignore };
const server = await WsServer.bind(
  { port: 0, host: '0.0.0.0', backlog: 4096 },
  { ...patient, heartbeat: { intervalMs: 20_000, timeoutMs: patient.closeTimeoutMs }, perMessageDeflate: true },
);
server.on('connection', (conn) => void ways[conn.request.url](conn).catch(() => conn.forceClose()));

let broadcasts = 0;
setInterval(() => {
  const text = JSON.stringify({ number: broadcasts++, text: 'to all who listen, '.repeat(broadcasts % 40) });
  server.broadcast(text, ({ request }) => request.url === '/listen');
}, 500);

const LASTING = /^(?:TCP|TLS|Pipe(?!Wrap)|Process)/;
const handles = () => process.getActiveResourcesInfo().filter((type) => LASTING.test(type)).length;
const idle = handles();

function state() {
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  const delays = { delayP99: delay.percentile(99) / 1e6, delayMax: delay.max / 1e6 };
  delay.reset();
  return { connections: server.connections.size, rss, live: heapUsed + external, handles: handles(), ...delays };
}

/** Waits until the last connection has gone. */
async function finish() {
  for (let turn = 0; turn < 600 && (server.connections.size > 0 || handles() > idle); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return state();
}

process.on('message', async (name) => {
  const answers = { port: () => ({ port: server.port, idle }), state, finish };
  process.send({ name, value: await answers[name]() });
});
