// Echo of messages as they are.
import { createCycle } from './cycle.js';
import { ForetoldReplies } from './foretold-replies.js';
import { keepBusy } from './keep-busy.js';
import { measureWindow } from './measure-window.js';
import { Meter } from './meter.js';
import { openSockets } from './open-socket.js';
import { ParsedReplies } from './parsed-replies.js';

/** Larger replies may come in more than one frame, and are parsed. */
const MAX_FORETOLD_BYTES = 16_384;

function repliesFactory(cycle, { isRaw, bytes }) {
  if (!isRaw && bytes > MAX_FORETOLD_BYTES) return () => new ParsedReplies(cycle);
  const once = isRaw ? cycle.maskedOnce() : cycle.plainOnce();
  return () => new ForetoldReplies(once, cycle.length);
}

export async function echo(job) {
  const { inFlight } = job;
  const cycle = createCycle(job);
  const createReplies = repliesFactory(cycle, job);
  const meter = new Meter();
  for (const socket of await openSockets(job.connections, job)) {
    keepBusy(socket, { cycle, replies: createReplies(), inFlight, meter });
  }
  return measureWindow(meter, job);
}
