// Idle memory: what the server holds for each connection that says nothing.
import { readFileSync } from 'node:fs';
import { pause } from './measure-window.js';
import { openSockets } from './open-socket.js';
import { residentBytes } from './process-usage.js';

/** At most so many are opened before the first look, so that the code is compiled and pools are there already. */
const FIRST_CONNECTIONS = 1000;
/** ms between two looks at a process that is coming to rest. */
const LOOK_MS = 2500;
/** It is at rest when its memory has not fallen for so many looks. */
const LOOKS_AT_REST = 6;
const LEAST_FALL = 0.01;
const SPARE_DESCRIPTORS = 100;

function maxOpenFiles() {
  const limit = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))[1];
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

/**
 * Resident memory, when the process has come to rest. What was alive while connections opened and spoke is still mapped
 * right after that: a runtime gives it back in steps, some seconds apart, as it sees that nothing happens any more.
 */
async function restingBytes({ pid, lookMs = LOOK_MS }, collectGarbage) {
  let bytes = Number.POSITIVE_INFINITY;
  for (let looks = 0; looks < LOOKS_AT_REST; ) {
    await pause(lookMs);
    await collectGarbage();
    const now = residentBytes(pid);
    looks = now < bytes * (1 - LEAST_FALL) ? 0 : looks + 1;
    bytes = Math.min(bytes, now);
  }
  return bytes;
}

/** `visit` uses each connection once before it idles. */
export async function idleMemory(job, { collectGarbage }, visit = async () => {}) {
  const most = maxOpenFiles() - SPARE_DESCRIPTORS - FIRST_CONNECTIONS;
  if (job.connections > most) throw new Error(`needs more open files: ulimit -n ${job.connections + 1500}`);
  const all = [];
  const open = async (count) => {
    const sockets = await openSockets(count, job);
    all.push(...sockets);
    for (const socket of sockets) await visit(socket);
  };
  await open(Math.min(FIRST_CONNECTIONS, job.connections));
  const before = await restingBytes(job, collectGarbage);
  await open(job.connections);
  const after = await restingBytes(job, collectGarbage);
  const isOver = ({ destroyed, readableEnded }) => destroyed || readableEnded;
  if (all.some(isOver)) throw new Error('a connection was closed');
  return { bytesPerConnection: (after - before) / job.connections, residentBytes: after };
}
