// What scripts/web-runtimes.js runs in each runtime, as it stands: no bundler, no test runner, no `node:` module. It is
// given the address of a server that echoes at /echo, floods at /flood, cuts at /cut, never answers at /silent, and
// tells at /progress how many messages of the flood it could send.

import { WsFrame } from '../dist/protocol/index.js';
import { FrameDecoderStream, FrameEncoderStream, WebSocketError, WebSocketStream } from '../dist/web/index.js';

const MIB = 1_048_576;
const FLOOD = 64;

function equal(actual, expected, what) {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${what}: ${left} is not ${right}`);
}

const nameOf = (promise) =>
  promise.then(
    () => 'resolved',
    (error) => error.name,
  );

async function passFrames() {
  const encoder = new FrameEncoderStream({ role: 'client' });
  const decoder = new FrameDecoderStream({ role: 'server' });
  const piped = encoder.readable.pipeTo(decoder.writable);
  const writer = encoder.writable.getWriter();
  const big = new Uint8Array(10 * MIB).fill(7);
  for (let index = 0; index < 1000; index++) writer.write(WsFrame.text(`message ${index}`));
  writer.write(WsFrame.binary(big));
  const closed = writer.close();
  const reader = decoder.readable.getReader();
  for (let index = 0; index < 1000; index++) {
    equal((await reader.read()).value.payloadText(), `message ${index}`, 'a text frame');
  }
  const { value } = await reader.read();
  equal([value.payload.length, value.payload.every((byte) => byte === 7)], [big.length, true], 'a large frame');
  equal((await reader.read()).done, true, 'the end');
  await Promise.all([closed, piped]);
}

async function failFrames() {
  const { readable, writable } = new FrameDecoderStream({ role: 'client' });
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  const written = nameOf(writer.write(Uint8Array.of(0x81, 1, 0x41, 0xff, 0)));
  equal((await reader.read()).value.payloadText(), 'A', 'the frame before a violation');
  equal([await nameOf(reader.read()), await written], ['ProtocolError', 'ProtocolError'], 'a violation');
}

async function abortFrames() {
  const { readable, writable } = new FrameDecoderStream({ role: 'client', maxBufferedBytes: 0 });
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  const written = nameOf(writer.write(Uint8Array.of(0x81, 1, 0x41)));
  await new Promise((resolve) => setTimeout(resolve, 10));
  await writer.abort(new RangeError('enough'));
  equal([await written, await nameOf(reader.read())], ['RangeError', 'RangeError'], 'an abort behind a write');
}

async function echo(url) {
  const stream = new WebSocketStream(`${url}/echo`);
  const { readable, writable } = await stream.opened;
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  for (const message of ['γειά', '', new Uint8Array([1, 2, 3]), new Uint8Array(3 * MIB).fill(9)]) {
    const written = writer.write(message);
    const { value } = await reader.read();
    await written;
    equal([typeof value, value.length], [typeof message, message.length], 'an echo');
    if (typeof message === 'object') equal(value.constructor, Uint8Array, 'bytes');
  }
  await writer.close();
  const { closeCode, reason } = await stream.closed;
  equal([closeCode, reason, (await reader.read()).done], [1005, '', true], 'a close by the writer');
}

async function closeWithWords(url) {
  const stream = new WebSocketStream(`${url}/echo`);
  const { writable } = await stream.opened;
  stream.close({ closeCode: 3456, reason: 'pizza' });
  const { closeCode, reason } = await stream.closed;
  equal([closeCode, reason], [3456, 'pizza'], 'a close');
  equal(await nameOf(writable.getWriter().closed), 'InvalidStateError', 'the writable');
}

async function cut(url) {
  const stream = new WebSocketStream(`${url}/cut`);
  const { readable, writable } = await stream.opened;
  const error = await stream.closed.catch((reason) => reason);
  equal([error instanceof WebSocketError, error.code, error.closeCode], [true, 0, 1006], 'a cut');
  const others = [readable.getReader().read(), writable.getWriter().closed];
  for (const other of others) equal((await other.catch((reason) => reason)) === error, true, 'the same error');
}

async function abortHandshake(url) {
  const controller = new AbortController();
  const stream = new WebSocketStream(`${url}/silent`, { signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  equal([await nameOf(stream.opened), await nameOf(stream.closed)], ['AbortError', 'AbortError'], 'an abort');
}

async function stopTheFlood(url) {
  const progress = async () => Number(await (await fetch(`${url.replace('ws:', 'http:')}/progress`)).text());
  const stream = new WebSocketStream(`${url}/flood`);
  const { readable } = await stream.opened;
  const reader = readable.getReader();
  let sent = -1;
  // Nobody reads: at some point the server can send no more.
  for (let now = 0; now !== sent; now = await progress()) {
    sent = now;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  if (sent > FLOOD / 2) throw new Error(`${sent} MiB came though nobody read`);
  for (let index = 0; index < FLOOD; index++) {
    const { value } = await reader.read();
    equal(new DataView(value.buffer, value.byteOffset).getUint32(0), index, 'a message of the flood');
  }
  equal((await reader.read()).done, true, 'the end of the flood');
  return `${sent} of ${FLOOD} MiB were sent while nobody read`;
}

async function echoText(url) {
  const stream = new WebSocketStream(`${url}/echo`);
  const { readable, writable } = await stream.opened;
  await writable.getWriter().write('γειά');
  equal((await readable.getReader().read()).value, 'γειά', 'an echo');
  stream.close();
  await stream.closed;
}

/** Those of the frame streams, which are the same everywhere. */
export const FRAME_CHECKS = [passFrames, failFrames, abortFrames];
/** Those of our own WebSocketStream. */
export const STREAM_CHECKS = [echo, closeWithWords, cut, abortHandshake, stopTheFlood];
/** That of a page's own, whose finer points are the page's business: an older one gives ArrayBuffers. */
export const PAGE_CHECKS = [echoText];

/** Runs checks one after the other; `report` gets a line for each. */
export async function runChecks(checks, url, report) {
  for (const check of checks) {
    const limit = new Promise((_resolve, reject) => {
      setTimeout(() => reject(new Error(`${check.name} takes too long`)), 20_000);
    });
    const detail = await Promise.race([check(url), limit]);
    report(`ok   ${check.name}${detail ? `: ${detail}` : ''}`);
  }
}

// Started by itself, with the address as its argument: on Node, Bun and Deno.
const address = globalThis.process?.argv?.[2];
if (address !== undefined) {
  await runChecks([...FRAME_CHECKS, ...STREAM_CHECKS], address, (line) => console.log(`     ${line}`));
  process.exit(0);
}
