// Idle memory: what the server holds for each connection that says nothing.
import { readFileSync } from 'node:fs';
import { pause } from './measure-window.js';
import { openSockets } from './open-socket.js';
import { residentBytes } from './process-usage.js';

/** Opened before the first look, so that code and pools are there already. */
const FIRST_CONNECTIONS = 200;
const SETTLE_MS = 300;
const SPARE_DESCRIPTORS = 100;

function maxOpenFiles() {
  const limit = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))[1];
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

async function settledBytes(job, collectGarbage) {
  for (let turn = 0; turn < 3; turn++) {
    await collectGarbage();
    await pause(job.settleMs ?? SETTLE_MS);
  }
  return residentBytes(job.pid);
}

/** `visit` uses each connection once before it idles. */
export async function idleMemory(job, { collectGarbage }, visit = async () => {}) {
  const most = maxOpenFiles() - SPARE_DESCRIPTORS - FIRST_CONNECTIONS;
  if (job.connections > most) throw new Error(`needs more open files: ulimit -n ${job.connections + 500}`);
  const all = [];
  const open = async (count) => {
    const sockets = await openSockets(count, job);
    all.push(...sockets);
    for (const socket of sockets) await visit(socket);
  };
  await open(FIRST_CONNECTIONS);
  const before = await settledBytes(job, collectGarbage);
  await open(job.connections);
  const after = await settledBytes(job, collectGarbage);
  const isOver = ({ destroyed, readableEnded }) => destroyed || readableEnded;
  if (all.some(isOver)) throw new Error('a connection was closed');
  return { bytesPerConnection: (after - before) / job.connections, residentBytes: after };
}
