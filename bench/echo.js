// Echo, beside ws and beside the ceiling of Node. Server and load generator are processes of their own; the peers take
// turns, round by round, and the medians are printed. The load is masked frames, made before, on plain sockets; what
// comes back is unframed and compared.
//
//   npm run bench                 a quick table
//   npm run bench -- --full       five rounds of three seconds
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const isFull = process.argv.includes('--full');
const [rounds, seconds] = isFull ? [5, 3] : [3, 1];
const peers = ['raw', 'ws', 'wspipe data', 'wspipe for await'];
const loads = [
  { connections: 1, inFlight: 64, bytes: 125 },
  { connections: 100, inFlight: 16, bytes: 125 },
  { connections: 100, inFlight: 1, bytes: 125 },
  { connections: 10, inFlight: 4, bytes: 16_384 },
  { connections: 4, inFlight: 1, bytes: 1_048_576 },
];

const KEY = [1, 2, 3, 4];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function maskedFrame(bytes) {
  const size = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10;
  const frame = Buffer.alloc(size + 4 + bytes);
  frame[0] = 0x82;
  frame[1] = 0x80 | (bytes < 126 ? bytes : bytes < 65_536 ? 126 : 127);
  if (size === 4) frame.writeUInt16BE(bytes, 2);
  if (size === 10) frame.writeBigUInt64BE(BigInt(bytes), 2);
  frame.set(KEY, size);
  for (let i = 0; i < bytes; i++) frame[size + 4 + i] = (i & 0xff) ^ KEY[i & 3];
  return frame;
}

/** Counts the messages in what comes back, and looks at their first bytes. Raw bytes are masked frames, as sent. */
class Counter {
  messages = 0;
  #left = 0;
  #isFinal = false;
  #isFirst = true;
  #header = Buffer.alloc(0);

  push(chunk) {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left === 0) {
        const bytes = this.#header.length > 0 ? Buffer.concat([this.#header, chunk.subarray(at)]) : chunk.subarray(at);
        const size = headerSize(bytes);
        if (size === 0 || bytes.length < size) {
          this.#header = bytes;
          return;
        }
        at += size - this.#header.length;
        this.#header = Buffer.alloc(0);
        this.#left = payloadLength(bytes);
        this.#isFinal = (bytes[0] & 0x80) !== 0;
        const isMasked = (bytes[1] & 0x80) !== 0;
        if (this.#isFirst && !isMasked && chunk.length > at + 1 && this.#left > 1 && chunk[at + 1] !== 1) {
          throw new Error('what came back is not what was sent');
        }
        this.#isFirst = this.#isFinal;
      }
      const taken = Math.min(this.#left, chunk.length - at);
      this.#left -= taken;
      at += taken;
      if (this.#left === 0 && this.#isFinal) this.messages++;
    }
  }
}

function headerSize(bytes) {
  if (bytes.length < 2) return 0;
  const code = bytes[1] & 0x7f;
  return 2 + (code === 126 ? 2 : code === 127 ? 8 : 0) + (bytes[1] & 0x80 ? 4 : 0);
}

function payloadLength(bytes) {
  const code = bytes[1] & 0x7f;
  if (code < 126) return code;
  return code === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
}

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true).once('error', reject);
    const fields = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==';
    socket.write(`GET / HTTP/1.1\r\nHost: bench\r\n${fields}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
    socket.once('data', () => resolve(socket));
  });
}

async function measure(peer, { connections, inFlight, bytes }) {
  const child = fork(fileURLToPath(new URL('server.js', import.meta.url)), [peer]);
  const answer = () => new Promise((resolve) => child.once('message', resolve));
  const ask = () => {
    child.send('report');
    return answer();
  };
  const sockets = await Promise.all(
    Array.from({ length: connections }, await answer().then((port) => () => open(port))),
  );
  const frame = maskedFrame(bytes);
  const counters = sockets.map((socket) => {
    const counter = new Counter();
    socket.on('data', (chunk) => {
      const before = counter.messages;
      counter.push(chunk);
      const count = counter.messages - before;
      if (count > 0) socket.write(count === 1 ? frame : Buffer.concat(Array(count).fill(frame)));
    });
    socket.write(Buffer.concat(Array(inFlight).fill(frame)));
    return counter;
  });
  const total = () => counters.reduce((sum, counter) => sum + counter.messages, 0);
  await pause(300);
  const [first, countedBefore, startedAt] = [await ask(), total(), performance.now()];
  await pause(seconds * 1000);
  const [last, counted, elapsed] = [await ask(), total() - countedBefore, performance.now() - startedAt];
  for (const socket of sockets) socket.destroy();
  child.kill();
  if (counted === 0) throw new Error(`${peer} echoed nothing`);
  return { rate: (counted / elapsed) * 1000, cpu: (last.cpuMicros - first.cpuMicros) / counted, rss: last.rssBytes };
}

console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0].model}, medians of ${rounds} rounds of ${seconds} s\n`,
);
console.log('| load | server | messages/s | server CPU a message | of ws | resident |\n|---|---|---|---|---|---|');
for (const load of loads) {
  const results = Object.fromEntries(peers.map((peer) => [peer, []]));
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers) results[peer].push(await measure(peer, load));
  }
  const cpuOf = (peer) => median(results[peer].map(({ cpu }) => cpu));
  for (const peer of peers) {
    const rate = Math.round(median(results[peer].map((result) => result.rate))).toLocaleString('en');
    const rss = Math.round(median(results[peer].map((result) => result.rss)) / 2 ** 20);
    const of = (cpuOf('ws') / cpuOf(peer)).toFixed(2);
    const name = `${load.connections}×${load.inFlight}, ${load.bytes.toLocaleString('en')} B`;
    console.log(`| ${name} | ${peer} | ${rate} | ${cpuOf(peer).toFixed(2)} µs | ${of}× | ${rss} MiB |`);
  }
}
