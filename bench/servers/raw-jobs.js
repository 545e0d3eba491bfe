// What a bare socket does where a server would serve frames: nobody parses, so this is the least that Node can spend.
import { maskedFrameLength, plainFrame } from '../load/frames.js';
import { ACKNOWLEDGEMENT, BLOCK, BLOCK_BYTES, BLOCKS_PER_TURN, job, sendBlocks } from './contract.js';

const BINARY = 2;
const BLOCK_FRAME = plainFrame(BINARY, BLOCK);
const ACKNOWLEDGEMENT_FRAME = plainFrame(BINARY, ACKNOWLEDGEMENT);

/** Calls `onTurn` for each so many bytes that came. */
function countTurns(socket, bytesPerTurn, onTurn) {
  let bytes = 0;
  socket.on('data', (chunk) => {
    bytes += chunk.length;
    for (; bytes >= bytesPerTurn; bytes -= bytesPerTurn) onTurn();
  });
}

const sockets = new Set();

const jobs = {
  echo: (socket) => socket.pipe(socket),
  upload: (socket) =>
    countTurns(socket, BLOCKS_PER_TURN * maskedFrameLength(BLOCK_BYTES), () => socket.write(ACKNOWLEDGEMENT_FRAME)),
  download: (socket) =>
    countTurns(socket, maskedFrameLength(ACKNOWLEDGEMENT.length), () => sendBlocks(() => socket.write(BLOCK_FRAME))),
  'fan-out'(socket) {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      for (const each of sockets) each.write(chunk);
    });
  },
};

export function serveRaw(socket) {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  jobs[job](socket);
}
