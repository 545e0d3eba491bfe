// Keeps one connection busy: so many messages are on their way, and the next is sent when one has come back.

/** Counts in `meter`; `replies` tells how many messages a chunk completed. */
export function keepBusy(socket, { cycle, replies, inFlight, meter }) {
  const sentAt = new Float64Array(inFlight).fill(performance.now());
  let oldest = 0;
  let next = inFlight % cycle.length;
  socket.on('close', () => {
    throw new Error('the server closed a connection');
  });
  socket.on('data', (chunk) => {
    const count = replies.push(chunk);
    if (count === 0) return;
    if (count > inFlight) throw new Error('more came back than was sent');
    meter.count(count);
    const now = performance.now();
    for (let index = 0; index < count; index++) {
      meter.latencies.record(now - sentAt[oldest], 1);
      sentAt[oldest] = now;
      oldest = (oldest + 1) % inFlight;
    }
    socket.write(cycle.slice(next, count));
    next = (next + count) % cycle.length;
  });
  socket.write(cycle.slice(0, inFlight));
}
