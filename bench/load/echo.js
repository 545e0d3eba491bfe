// Echo: every connection keeps so many messages on their way, and sends the next when one has come back.
import { createCycle } from './cycle.js';
import { ForetoldReplies } from './foretold-replies.js';
import { Latencies } from './latencies.js';
import { measureWindow } from './measure-window.js';
import { openSockets } from './open-socket.js';
import { ParsedReplies } from './parsed-replies.js';

/** Larger replies may come in more than one frame, and are parsed. */
const MAX_FORETOLD_BYTES = 16_384;

function repliesFactory(cycle, { isRaw, bytes }) {
  if (!isRaw && bytes > MAX_FORETOLD_BYTES) return () => new ParsedReplies(cycle);
  const once = isRaw ? cycle.maskedOnce() : cycle.plainOnce();
  return () => new ForetoldReplies(once, cycle.payloads.length);
}

/** Keeps one connection busy and counts in `meter`. */
export function keepBusy(socket, cycle, replies, inFlight, meter) {
  const sentAt = new Float64Array(inFlight);
  let oldest = 0;
  let next = inFlight % cycle.payloads.length;
  const send = (from, count) =>
    socket.write(cycle.sent.subarray(from * cycle.frameBytes, (from + count) * cycle.frameBytes));
  socket.on('data', (chunk) => {
    const count = replies.push(chunk);
    if (count === 0) return;
    if (count > inFlight) throw new Error('more came back than was sent');
    meter.messages += count;
    const now = performance.now();
    for (let index = 0; index < count; index++) {
      meter.latencies.record(now - sentAt[oldest], 1);
      sentAt[oldest] = now;
      oldest = (oldest + 1) % inFlight;
    }
    send(next, count);
    next = (next + count) % cycle.payloads.length;
  });
  sentAt.fill(performance.now());
  send(0, inFlight);
}

export async function echo(job) {
  const cycle = createCycle(job);
  const createReplies = repliesFactory(cycle, job);
  const meter = { messages: 0, latencies: new Latencies() };
  for (const socket of await openSockets(job.connections, job)) {
    socket.on('close', () => {
      throw new Error('the server closed a connection');
    });
    keepBusy(socket, cycle, createReplies(), job.inFlight, meter);
  }
  return measureWindow(meter, job);
}
