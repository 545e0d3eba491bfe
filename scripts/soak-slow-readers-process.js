// One process of `soak-slow-readers.js`: `node soak-slow-readers-process.js <json>`, with an IPC channel to its parent.
// One process offers as much as it may; the other one reads the warm-up at full speed, and then not at all, or slowly,
// and at last the rest. Both send { memory, digest, messages }.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, WsServer } from '../dist/index.js';
import { WebSocketStream } from '../dist/web/index.js';
import { ResidentMemory } from './resident-memory.js';

const { role, face, isReader, port, messageBytes, warmUp, count, pace } = JSON.parse(process.argv[2]);

const total = warmUp + count;
let passed = 0;
const hash = createHash('sha1');
const memory = new ResidentMemory(() => passed, warmUp * messageBytes);

/** Each message differs from its neighbours. */
const pattern = Buffer.alloc(messageBytes + 251);
for (let i = 0; i < pattern.length; i++) pattern[i] = (i * 7) % 251;
function nextMessage(index) {
  const message = Buffer.from(pattern.subarray(index % 251, (index % 251) + messageBytes));
  message.writeUInt32LE(index);
  return message;
}

/** The ways to read: each gives chunks as they come, and tells which of them end a message. */
const readers = {
  async *frames(conn) {
    for (let frame = await conn.recvFrame(); frame !== null; frame = await conn.recvFrame())
      yield [frame.payload, true];
  },
  async *messages(conn) {
    for await (const message of conn.messages()) {
      for await (const chunk of message) yield [chunk, false];
      yield [new Uint8Array(0), true];
    }
  },
  async *byteStream(conn) {
    for await (const chunk of conn.byteStream()) yield [chunk, false];
  },
  async *toWeb(conn) {
    for await (const chunk of conn.toWeb().readable) yield [chunk, true];
  },
  async *WebSocketStream({ readable }) {
    for await (const chunk of readable) yield [chunk, true];
  },
};

/** The ways to write: each gives a function that sends a message and waits until there is room for more. */
const writers = {
  frames: (conn) => (message) => conn.sendBinary(message),
  messages: (conn) => async (message) => {
    const stream = conn.createMessage('binary');
    stream.end(message);
    await once(stream, 'finish');
  },
  byteStream(conn) {
    const stream = conn.byteStream();
    return async (message) => {
      if (!stream.write(message)) await once(stream, 'drain');
    };
  },
  toWeb: (conn) => webWriter(conn.toWeb()),
  WebSocketStream: (opened) => webWriter(opened),
};

function webWriter({ writable }) {
  const writer = writable.getWriter();
  return (message) => writer.write(message);
}

async function open() {
  if (face === 'WebSocketStream' && role === 'client') {
    const stream = new WebSocketStream(`ws://localhost:${port}`);
    return stream.opened;
  }
  const server = role === 'server' ? await WsServer.bind(0) : undefined;
  if (server !== undefined) process.send({ port: server.port });
  const conn = server === undefined ? await connect(`ws://localhost:${port}`) : await server.accept();
  server?.stop();
  return conn;
}

/** The other end of a WebSocketStream is an ordinary connection. */
const ownFace = face === 'WebSocketStream' && role === 'server' ? 'frames' : face;
const opened = await open();

/** Tells the parent when nothing has been taken any more for a while. */
function watchForStall() {
  let before = -1;
  let ticks = 0;
  const timer = setInterval(() => {
    ticks = passed === before ? ticks + 1 : 0;
    before = passed;
    if (ticks === 3) process.send({ stalled: passed });
  }, 100);
  return () => clearInterval(timer);
}

async function offer() {
  const send = writers[ownFace](opened);
  const stopWatching = watchForStall();
  for (let index = 0; index < total; index++) {
    const message = nextMessage(index);
    hash.update(message);
    await send(message);
    passed += messageBytes;
  }
  stopWatching();
  // Not closed from here: the parent ends it when the reader has all.
  process.send({ memory: memory.stop(), messages: total, digest: hash.digest('hex') });
}

let hasHeld = false;
let slept = 0;
/** Waits as the pace says: until the parent says so, once, right behind the warm-up; or some ms after each 64 KiB. */
async function hold() {
  const over = passed - warmUp * messageBytes;
  if (over < 0) return;
  memory.sample();
  if (pace !== 'unread') {
    if (over - slept < 65_536) return;
    slept = over;
    await sleep(pace);
  } else if (!hasHeld) {
    hasHeld = true;
    process.send({ held: true });
    await new Promise((resolve) => process.once('message', resolve));
  }
}

async function read() {
  let messages = 0;
  for await (const [chunk, isEnd] of readers[ownFace](opened)) {
    hash.update(chunk);
    passed += chunk.length;
    if (isEnd) messages++;
    if (passed >= total * messageBytes && (isEnd || ownFace === 'byteStream')) break;
    await hold();
  }
  if (ownFace === 'byteStream') messages = total;
  process.send({ memory: memory.stop(), messages, digest: hash.digest('hex') });
}

await (isReader ? read() : offer());
