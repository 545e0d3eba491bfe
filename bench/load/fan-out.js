// Fan-out: one connection speaks, the server tells all. A message is one delivery, a latency the time until all have it.
import { createCompressedCycle, OFFERS } from './compressed-cycle.js';
import { CompressedReplies } from './compressed-replies.js';
import { createCycle } from './cycle.js';
import { ForetoldReplies } from './foretold-replies.js';
import { measureWindow } from './measure-window.js';
import { Meter } from './meter.js';
import { openSockets } from './open-socket.js';

export function fanOut(job) {
  const cycle = createCycle(job);
  const once = job.isRaw ? cycle.maskedOnce() : cycle.plainOnce();
  return speakToAll(job, cycle, () => new ForetoldReplies(once, cycle.length));
}

/** The same where all have agreed on permessage-deflate. */
export function compressedFanOut(job) {
  const cycle = createCompressedCycle(job);
  return speakToAll({ ...job, extensions: OFFERS[job.compression] }, cycle, () => new CompressedReplies(cycle));
}

async function speakToAll(job, cycle, createReplies) {
  const meter = new Meter();
  const sockets = await openSockets(job.connections, job);
  const startedAt = Array(job.inFlight).fill(performance.now());
  let next = 0;
  let due = job.connections;

  function speak() {
    sockets[0].write(cycle.slice(next, 1));
    next = (next + 1) % cycle.length;
  }

  function takeOne() {
    if (--due > 0) return;
    due = job.connections;
    const now = performance.now();
    meter.latencies.record(now - startedAt.shift(), 1);
    startedAt.push(now);
    speak();
  }

  for (const socket of sockets) {
    const replies = createReplies();
    socket.on('data', (chunk) => {
      const count = replies.push(chunk);
      meter.count(count);
      for (let index = 0; index < count; index++) takeOne();
    });
  }
  for (let index = 0; index < job.inFlight; index++) speak();
  return measureWindow(meter, job);
}
