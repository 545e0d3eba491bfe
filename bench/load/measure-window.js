// One round: let it run warm, then count for a while.
import { cpuMicros, residentBytes } from './process-usage.js';

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * `meter` is a load that is already running: `{ messages, latencies? }`. `pid` is the process that is measured.
 * Gives counts and costs of the window; at least one message must have come in it, however long that takes.
 */
export async function measureWindow(meter, { pid, warmUpMs, windowMs }) {
  await pause(warmUpMs);
  meter.latencies?.reset();
  const before = { messages: meter.messages, cpu: cpuMicros(pid), own: process.cpuUsage(), at: performance.now() };
  do await pause(windowMs);
  while (meter.messages === before.messages && performance.now() - before.at < 60_000);
  const elapsedMs = performance.now() - before.at;
  const own = process.cpuUsage(before.own);
  const cpu = cpuMicros(pid) - before.cpu;
  const messages = meter.messages - before.messages;
  if (messages === 0) throw new Error('no message came in a minute');
  return {
    messages,
    messagesPerSecond: (messages / elapsedMs) * 1000,
    cpuMicrosPerMessage: cpu / messages,
    serverShare: cpu / 1000 / elapsedMs,
    loadShare: (own.user + own.system) / 1000 / elapsedMs,
    p50Ms: meter.latencies?.percentile(0.5),
    p99Ms: meter.latencies?.percentile(0.99),
    residentBytes: residentBytes(pid),
  };
}
