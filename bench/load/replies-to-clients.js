// The mirror of the load generator, for measuring clients: a server that knows how long a client's frame is, so that
// counting bytes tells how many replies are due, and these are made before.
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { BLOCK } from '../servers/contract.js';
import { maskedFrameLength, plainFrame } from './frames.js';
import { measureWindow } from './measure-window.js';
import { Meter } from './meter.js';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const BINARY = 2;

function acceptUpgrade(socket) {
  return new Promise((resolve) => {
    let head = '';
    socket.on('data', function onData(chunk) {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', onData);
      const key = /^sec-websocket-key: *(\S+)/im.exec(head)[1];
      const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
      const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`;
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`);
      resolve();
    });
  });
}

/** Throws unless a masked frame with the first bytes of {@link BLOCK} stands there. */
function checkFrame(chunk, bytes) {
  const at = maskedFrameLength(bytes) - bytes;
  const key = chunk.subarray(at - 4, at);
  const isRight =
    chunk[0] === 0x82 &&
    chunk[1] > 127 &&
    BLOCK.subarray(0, bytes).every((byte, i) => byte === (chunk[at + i] ^ key[i & 3]));
  if (!isRight) throw new Error('a client sent something else');
}

function reply(socket, { bytes, inFlight }, meter) {
  const length = maskedFrameLength(bytes);
  const replies = Buffer.concat(Array(inFlight).fill(plainFrame(BINARY, BLOCK.subarray(0, bytes))));
  const replyBytes = replies.length / inFlight;
  let open = 0;
  socket.on('data', (chunk) => {
    if (open === 0 && chunk.length >= length) checkFrame(chunk, bytes);
    open += chunk.length;
    const count = Math.floor(open / length);
    open -= count * length;
    if (count === 0) return;
    if (count > inFlight) throw new Error('a client sent more than it may');
    meter.count(count);
    socket.write(replies.subarray(0, count * replyBytes));
  });
}

/** Starts the client, which opens its connections and keeps its messages on their way, and measures it. */
export async function replyToClients(job, { startClient }) {
  const meter = new Meter();
  const server = createServer({ noDelay: true }, async (socket) => {
    socket.on('error', () => {});
    await acceptUpgrade(socket);
    reply(socket, job, meter);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pid = await startClient(server.address().port);
  return measureWindow(meter, { ...job, pid });
}
