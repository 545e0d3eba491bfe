// The ceiling of Node for a client: frames made before, replies counted by their bytes.
import { Buffer } from 'node:buffer';
import { maskedFrame, plainFrameLength } from '../load/frames.js';
import { openSocket } from '../load/open-socket.js';
import { inFlight, message, run } from './contract.js';

const BINARY = 2;
const frame = maskedFrame(BINARY, message);
const frames = Buffer.concat(Array(inFlight).fill(frame));
const replyBytes = plainFrameLength(message.length);

await run(async (url) => {
  const socket = await openSocket({ port: Number(new URL(url).port) });
  let open = 0;
  socket.on('data', (chunk) => {
    open += chunk.length;
    const count = Math.floor(open / replyBytes);
    open -= count * replyBytes;
    socket.write(frames.subarray(0, count * frame.length));
  });
  return () => socket.write(frame);
});
