// Encoding, in bursts of as many messages as an echo with 64 in flight sends in a tick.
import { Buffer } from 'node:buffer';
import { Writable } from 'node:stream';
import { Sender } from 'ws';
import { FrameEncoder, WsFrame } from '../../dist/index.js';
import { maskedFrameLength, plainFrameLength } from '../load/frames.js';

const BURST = 64;

/** Takes bytes as a socket does, and remembers them while it is told to. */
class Sink extends Writable {
  bytes = 0;
  kept;

  _write(chunk, _encoding, done) {
    this.#take(chunk);
    done();
  }

  _writev(chunks, done) {
    for (const { chunk } of chunks) this.#take(chunk);
    done();
  }

  #take(chunk) {
    this.bytes += chunk.length;
    this.kept?.push(Buffer.from(chunk));
  }
}

function createWspipe(sink, role) {
  const encoder = new FrameEncoder({ role });
  encoder.pipe(sink);
  return (payload) => encoder.write(WsFrame.binary(payload));
}

function createWs(sink, role) {
  const sender = new Sender(sink);
  const options = { binary: true, fin: true, mask: role === 'client', compress: false };
  return (payload) => sender.send(payload, options, undefined);
}

function checkFrames(bytes, length, payload, isMasked) {
  for (let at = 0; at < bytes.length; at += length) {
    const frame = bytes.subarray(at, at + length);
    const body = frame.subarray(length - payload.length);
    const key = frame.subarray(length - payload.length - 4);
    if (frame[0] !== 0x82 || frame[1] > 127 !== isMasked) throw new Error('a frame has a wrong head');
    if (!body.every((byte, index) => (isMasked ? byte ^ key[index & 3] : byte) === payload[index])) {
      throw new Error('a frame has a wrong payload');
    }
  }
}

async function encode(library, bytes, role) {
  const isMasked = role === 'client';
  const frameBytes = (isMasked ? maskedFrameLength : plainFrameLength)(bytes);
  const payload = Buffer.alloc(bytes, 'wspipe');
  const sink = new Sink();
  const send = (library === 'wspipe' ? createWspipe : createWs)(sink, role);
  async function pass() {
    sink.bytes = 0;
    for (let index = 0; index < BURST; index++) send(payload);
    do await new Promise((resolve) => setImmediate(resolve));
    while (sink.bytes < BURST * frameBytes);
    if (sink.bytes > BURST * frameBytes) throw new Error('more bytes were made than there are');
  }
  sink.kept = [];
  await pass();
  checkFrames(Buffer.concat(sink.kept), frameBytes, payload, isMasked);
  sink.kept = undefined;
  return { messages: BURST, pass };
}

export const encodeAsServer = (library, bytes) => encode(library, bytes, 'server');
export const encodeAsClient = (library, bytes) => encode(library, bytes, 'client');
