// Connects: so many at a time are opened, upgraded and closed with a closing handshake, over and over.
import { Buffer } from 'node:buffer';
import { maskedFrame } from './frames.js';
import { measureWindow } from './measure-window.js';
import { Meter } from './meter.js';
import { openSocket } from './open-socket.js';

const CLOSE = 8;
const CLOSE_FRAME = maskedFrame(CLOSE, Buffer.from([0x03, 0xe8]));

/** How the transport ends behind the closing handshake is the peer's affair. */
function closeSocket(socket) {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    socket.once('data', (chunk) => {
      isAnswered = (chunk[0] & 0x0f) === CLOSE;
      socket.end();
    });
    socket.once('close', () => (isAnswered ? resolve() : reject(new Error('a close frame was not answered'))));
    socket.on('error', () => {});
    socket.write(CLOSE_FRAME);
  });
}

async function openAndClose(job, meter) {
  while (true) {
    const startedAt = performance.now();
    await closeSocket(await openSocket({ ...job, isBrief: true }));
    meter.count(1);
    meter.latencies.record(performance.now() - startedAt, 1);
  }
}

export function connects(job) {
  const meter = new Meter();
  for (let index = 0; index < job.connections; index++) openAndClose(job, meter);
  return measureWindow(meter, job);
}
