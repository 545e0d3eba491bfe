// What compression costs: echo of compressed messages, and the memory of connections that have compressed once.

import { createCompressedCycle, OFFERS } from './compressed-cycle.js';
import { CompressedReplies } from './compressed-replies.js';
import { idleMemory } from './idle-memory.js';
import { keepBusy } from './keep-busy.js';
import { measureWindow } from './measure-window.js';
import { Meter } from './meter.js';
import { openSockets } from './open-socket.js';

const withOffer = (job) => ({ ...job, extensions: OFFERS[job.compression] });

export async function compressedEcho(job) {
  const { inFlight } = job;
  const cycle = createCompressedCycle(job);
  const meter = new Meter();
  const all = [];
  for (const socket of await openSockets(job.connections, withOffer(job))) {
    const replies = new CompressedReplies(cycle);
    all.push(replies);
    keepBusy(socket, { cycle, replies, inFlight, meter });
  }
  const result = await measureWindow(meter, job);
  const wireBytes = all.reduce((sum, replies) => sum + replies.wireBytes, 0);
  return { ...result, wireBytesPerMessage: wireBytes / meter.messages };
}

/** One compressed message each way, then silence. */
export function compressedIdleMemory(job, conductor) {
  const cycle = createCompressedCycle({ ...job, inFlight: 1 });
  const visit = (socket) =>
    new Promise((resolve) => {
      const replies = new CompressedReplies(cycle);
      socket.on('data', (chunk) => {
        if (replies.push(chunk) > 0) resolve();
      });
      socket.write(cycle.slice(0, 1));
    });
  return idleMemory(withOffer(job), conductor, visit);
}
