// One round: let it run warm, then count for a while.
import { cpuMicros, residentBytes } from './process-usage.js';

const PATIENCE_MS = 60_000;

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function nextMessage(meter) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no message came in a minute')), PATIENCE_MS);
  });
  await Promise.race([meter.next(), late]);
  clearTimeout(timer);
}

function look(meter, pid) {
  return { messages: meter.messages, cpu: cpuMicros(pid), own: process.cpuUsage(), at: performance.now() };
}

/**
 * Measures the process `pid` under a load that is already running. The window begins and ends where a message came, so
 * that it holds whole messages however large they are. `warmUpMessages` come before it, however long they take.
 */
export async function measureWindow(meter, { pid, warmUpMs, windowMs, warmUpMessages = 0 }) {
  await pause(warmUpMs);
  while (meter.messages < warmUpMessages) await pause(20);
  await nextMessage(meter);
  meter.latencies.reset();
  const before = look(meter, pid);
  await pause(windowMs);
  await nextMessage(meter);
  const after = look(meter, pid);
  const messages = after.messages - before.messages;
  const elapsedMs = after.at - before.at;
  const cpu = after.cpu - before.cpu;
  const own = after.own.user + after.own.system - before.own.user - before.own.system;
  return {
    messages,
    messagesPerSecond: (messages / elapsedMs) * 1000,
    cpuMicrosPerMessage: cpu / messages,
    peerShare: cpu / 1000 / elapsedMs,
    loadShare: own / 1000 / elapsedMs,
    p50Ms: meter.latencies.percentile(0.5),
    p99Ms: meter.latencies.percentile(0.99),
    residentBytes: residentBytes(pid),
  };
}
