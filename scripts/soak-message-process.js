// One process of `soak-message.js`: `node soak-message-process.js <part> <json>`, with an IPC channel to its parent. It
// sends { port } when it listens, and { memory, ... } when its connection has ended.
import { createHash, randomBytes } from 'node:crypto';
import { createServer as createHttpServer, request } from 'node:http';
import { connect as connectTcp, createServer } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { pipeline as pipelineDone } from 'node:stream/promises';
import { connect, FrameDecoder, FrameEncoder, WsFrame, WsServer } from '../dist/index.js';
import { FrameDecoderStream, FrameEncoderStream, WebSocketStream } from '../dist/web/index.js';
import { MIB, ResidentMemory } from './resident-memory.js';

const SLICE_BYTES = 65_536;

const [part, json] = process.argv.slice(2);
const { bytes, from, port } = JSON.parse(json);

/** Bytes that have passed, and the watch over them. */
let passed = 0;
const memory = new ResidentMemory(() => passed, from);

const report = (more) => process.send({ memory: memory.stop(), ...more });
const listensOn = (server) => process.send({ port: server.address?.().port ?? server.port });

/** Makes the content: pieces of uneven size out of a random block, each from another place, hashed as they leave. */
function* generate(pieceBytes, hash) {
  const block = randomBytes(4 * MIB);
  for (let at = 0, turn = 0; at < bytes; turn++) {
    const length = Math.min(pieceBytes - (turn % 251), bytes - at);
    const start = (turn * 4_099) % (block.length - pieceBytes);
    const piece = block.subarray(start, start + length);
    hash.update(piece);
    at += length;
    yield piece;
  }
}

/** Passes on what it counts. */
async function* counted(source) {
  for await (const chunk of source) {
    passed += chunk.length;
    yield chunk;
  }
}

/** Reports what the client sent and what came back. */
function reportEcho(sent, received) {
  report({ isIntact: passed === bytes && sent.digest('hex') === received.digest('hex'), received: passed });
}

const parts = {
  // messages() -> createMessage()
  async echo() {
    const server = await WsServer.bind(0);
    listensOn(server);
    const conn = await server.accept();
    for await (const message of conn.messages()) {
      await pipelineDone(message, counted, conn.createMessage(message.type));
    }
    report();
    await server.close();
  },

  async client() {
    const conn = await connect(`ws://localhost:${port}`);
    const [sent, received] = [createHash('sha1'), createHash('sha1')];
    const sending = pipelineDone(Readable.from(generate(SLICE_BYTES, sent)), conn.createMessage('binary'));
    for await (const message of conn.messages()) {
      for await (const chunk of counted(message)) received.update(chunk);
      break;
    }
    await sending;
    reportEcho(sent, received);
    await conn.close();
  },

  // The proxy of docs/guide/streams.md.
  proxy() {
    const proxy = createHttpServer();
    proxy.on('upgrade', (incoming, client, head) => {
      const onward = request({ port, path: incoming.url, headers: incoming.headers });
      onward.on('upgrade', (answer, server) => {
        const fields = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
        client.write(`HTTP/1.1 101 Switching Protocols\r\n${fields.join('')}\r\n`);
        client.unshift(head);
        const slices = { maxSliceBytes: SLICE_BYTES, ownsChunks: true };
        const count = (chunk) => (passed += chunk.length);
        server.on('data', count).pause();
        const isFlushed = (socket) => () => socket.writableLength === 0;
        pipeline(
          client,
          new FrameDecoder({ role: 'server', ...slices }),
          new FrameEncoder({ role: 'client', isFlushed: isFlushed(server) }),
          server,
          () => {
            report();
            proxy.close();
          },
        );
        pipeline(
          server,
          new FrameDecoder({ role: 'client', ...slices }),
          new FrameEncoder({ role: 'server', isFlushed: isFlushed(client) }),
          client,
          () => {},
        );
      });
      onward.end();
    });
    proxy.listen(0, () => listensOn(proxy));
  },

  // The frame streams of wspipe/web, over a bare socket.
  webEcho() {
    const server = createServer({ noDelay: true }, async (socket) => {
      server.close();
      await ReadableStream.from(counted(socket))
        .pipeThrough(new FrameDecoderStream({ role: 'server', maxSliceBytes: SLICE_BYTES }))
        .pipeThrough(new FrameEncoderStream({ role: 'server' }))
        .pipeTo(writableOf(socket));
      report();
    });
    server.listen(0, () => listensOn(server));
  },

  async webClient() {
    const socket = connectTcp({ port, noDelay: true });
    const [sent, received] = [createHash('sha1'), createHash('sha1')];
    const sending = ReadableStream.from(toFragments(generate(MIB, sent)))
      .pipeThrough(new FrameEncoderStream({ role: 'client' }))
      .pipeTo(writableOf(socket));
    const frames = ReadableStream.from(socket).pipeThrough(
      new FrameDecoderStream({ role: 'client', maxSliceBytes: SLICE_BYTES }),
    );
    for await (const frame of frames) {
      received.update(frame.payload);
      passed += frame.payloadLength;
    }
    await sending;
    reportEcho(sent, received);
  },

  // WebSocketStream has whole messages as chunks: as many of at most 64 KiB as it takes, echoed through toWeb().
  async messageEcho() {
    const server = await WsServer.bind(0);
    listensOn(server);
    const conn = await server.accept();
    server.stop();
    const { readable, writable } = conn.toWeb();
    await ReadableStream.from(counted(readable)).pipeTo(writable);
    report();
  },

  async messageClient() {
    const stream = new WebSocketStream(`ws://localhost:${port}`);
    const { readable, writable } = await stream.opened;
    const [sent, received] = [createHash('sha1'), createHash('sha1')];
    const sending = ReadableStream.from(generate(SLICE_BYTES, sent)).pipeTo(writable, { preventClose: true });
    for await (const message of counted(readable)) {
      received.update(message);
      if (passed >= bytes) break;
    }
    await sending;
    reportEcho(sent, received);
    stream.close();
  },
};

/** One message, in frames that are larger than a slice. */
function* toFragments(pieces) {
  let opcode = 2;
  for (const piece of pieces) {
    yield new WsFrame(opcode, piece, { isFinal: false });
    opcode = 0;
  }
  yield new WsFrame(opcode, new Uint8Array(0));
}

/** A socket's writing side. `Writable.toWeb` would queue thousands of chunks: Node counts them and not their bytes. */
function writableOf(socket) {
  return new WritableStream({
    write: (chunk) =>
      new Promise((resolve, reject) => socket.write(chunk, (error) => (error ? reject(error) : resolve()))),
    close: () => new Promise((resolve) => socket.end(resolve)),
    abort: (reason) => void socket.destroy(reason),
  });
}

await parts[part]();
