// Measures one machine of a library by itself, without sockets.
//
//   node in-process/main.js <task> <library> <bytes> <ms to run warm> <ms>
//
// A task gives `{ messages, pass }`: a pass over so many messages, which may be a promise. It has been checked before.
import { decode } from './decode.js';
import { encodeAsClient, encodeAsServer } from './encode.js';
import { mask } from './mask.js';
import { utf8 } from './utf8.js';

const TASKS = { decode, 'encode-server': encodeAsServer, 'encode-client': encodeAsClient, mask, utf8 };

const [taskName, library, bytes, warmUpMs, windowMs] = process.argv.slice(2);

async function runFor(ms, { messages, pass }) {
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  let total = 0;
  let elapsedMs = 0;
  while (elapsedMs < ms) {
    const running = pass();
    if (running !== undefined) await running;
    total += messages;
    elapsedMs = performance.now() - startedAt;
  }
  const { user, system } = process.cpuUsage(cpu);
  return { total, elapsedMs, micros: user + system };
}

const task = await TASKS[taskName](library, Number(bytes));
await runFor(Number(warmUpMs), task);
const { total, elapsedMs, micros } = await runFor(Number(windowMs), task);
const result = {
  messages: total,
  messagesPerSecond: (total / elapsedMs) * 1000,
  bytesPerSecond: ((total * bytes) / elapsedMs) * 1000,
  cpuMicrosPerMessage: micros / total,
};
console.log(JSON.stringify(result));
