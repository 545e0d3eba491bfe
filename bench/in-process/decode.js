// Decoding of masked frames that come in chunks of 64 KiB, as from a socket.
import { Buffer } from 'node:buffer';
import { Receiver } from 'ws';
import { FrameDecoder } from '../../dist/index.js';
import { createCycle } from '../load/cycle.js';

const CHUNK_BYTES = 65_536;
const PASS_BYTES = 2 ** 22;

function createWspipe(onMessage) {
  const decoder = new FrameDecoder({ role: 'server', ownsChunks: true });
  return decoder.on('data', (frame) => onMessage(frame.payload));
}

function createWs(onMessage) {
  return new Receiver({ isServer: true }).on('message', onMessage);
}

function cut(bytes) {
  const chunks = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) chunks.push(Buffer.from(bytes.subarray(at, at + CHUNK_BYTES)));
  return chunks;
}

export async function decode(library, bytes) {
  const messages = Math.max(4, Math.floor(PASS_BYTES / bytes));
  const cycle = createCycle({ bytes, inFlight: messages });
  const wire = cycle.slice(0, messages);
  let check = (payload, index) => {
    if (cycle.payloads[index % cycle.length].compare(payload) !== 0) throw new Error(`message ${index} came out wrong`);
  };
  let count = 0;
  let onAll;
  const create = library === 'wspipe' ? createWspipe : createWs;
  const decoder = create((payload) => {
    check(payload, count);
    if (++count === messages) onAll();
  });
  async function pass(chunks) {
    count = 0;
    const all = new Promise((resolve) => {
      onAll = resolve;
    });
    for (const chunk of chunks) {
      if (!decoder.write(chunk)) await new Promise((resolve) => decoder.once('drain', resolve));
    }
    await all;
  }
  await pass(cut(wire));
  // From now on the same chunks are used again: unmasking in place has changed payloads, but neither headers nor costs.
  check = (payload) => {
    if (payload.length !== bytes) throw new Error(`a message of ${payload.length} bytes`);
  };
  const chunks = cut(wire);
  return { messages, pass: () => pass(chunks) };
}
