// Upload and download of blocks, in turns of sixteen, so that the same is on its way for every peer, whatever it makes
// of backpressure.
import { Buffer } from 'node:buffer';
import { ACKNOWLEDGEMENT, BLOCK, BLOCKS_PER_TURN } from '../servers/contract.js';
import { maskedFrame } from './frames.js';
import { measureWindow } from './measure-window.js';
import { Meter } from './meter.js';
import { openSockets } from './open-socket.js';
import { ParsedReplies } from './parsed-replies.js';

const BINARY = 2;

/** Keeps `job.turns` turns on their way on each connection; a turn is over after `repliesPerTurn` replies. */
async function takeTurns(job, { turn, reply, repliesPerTurn, messagesPerReply }) {
  const meter = new Meter();
  for (const socket of await openSockets(job.connections, job)) {
    const replies = new ParsedReplies({ payloads: [reply], opcode: BINARY });
    const startedAt = Array(job.turns).fill(performance.now());
    let open = 0;
    socket.on('data', (chunk) => {
      const count = replies.push(chunk);
      meter.count(count * messagesPerReply);
      for (open += count; open >= repliesPerTurn; open -= repliesPerTurn) {
        const now = performance.now();
        meter.latencies.record(now - startedAt.shift(), 1);
        startedAt.push(now);
        socket.write(turn);
      }
    });
    for (let index = 0; index < job.turns; index++) socket.write(turn);
  }
  return measureWindow(meter, job);
}

/** A turn is sixteen blocks, which the server counts and acknowledges. */
export function upload(job) {
  return takeTurns(job, {
    turn: Buffer.concat(Array(BLOCKS_PER_TURN).fill(maskedFrame(BINARY, BLOCK))),
    reply: ACKNOWLEDGEMENT,
    repliesPerTurn: 1,
    messagesPerReply: BLOCKS_PER_TURN,
  });
}

/** A turn is a request for sixteen blocks. */
export function download(job) {
  return takeTurns(job, {
    turn: maskedFrame(BINARY, ACKNOWLEDGEMENT),
    reply: BLOCK,
    repliesPerTurn: BLOCKS_PER_TURN,
    messagesPerReply: 1,
  });
}
