/** What is tried with an input: each target gives it to a part of ours and holds what comes of it against other judges. */
import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import { WsConnection } from '../../lib/connection/ws-connection.ts';
import { FrameInflater } from '../../lib/deflate/frame-inflater.ts';
import { createPerMessageDeflate } from '../../lib/deflate/per-message-deflate.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import { createMemoryDuplexes } from '../../lib/endpoint/memory-duplex.ts';
import { wsUpgrade } from '../../lib/endpoint/upgrade/upgrade.ts';
import { sha1 } from '../../lib/endpoint/upgrade/upgrade-request.ts';
import { ProtocolError } from '../../lib/errors.ts';
import { computeAccept } from '../../lib/handshake/accept-key.ts';
import { acceptExtensions, confirmExtensions } from '../../lib/handshake/extension-negotiation.ts';
import type { WsFrame } from '../../lib/protocol/frame.ts';
import { FrameParser } from '../../lib/protocol/frame-parser.ts';
import { FrameDecoder } from '../../lib/stream/frame-decoder.ts';
import type { WsNegotiatedExtensions } from '../../lib/stream/ws-extension.ts';
import { decodeAll, judge } from '../support/naive-judge.ts';
import { put } from '../vectors/deflate.ts';
import type { Agreement } from './compressed-messages.ts';
import { chunksOf, type FuzzCase, type Target } from './fuzz-case.ts';
import { type NaiveDeflate, receiveNaively, type Verdict } from './naive-receiver.ts';
import { isExplained, isWsInstalled, receiveByWs } from './ws-receiver.ts';

/** No limit but that of numbers: a longer frame is beyond every limit. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Joins frames, and slices of frames, into the events of a verdict. */
class EventJoiner {
  readonly events: string[] = [];
  #open: { opcode: number; text: string } | undefined;
  hasClosed = false;

  add({ opcode, payload, isFinal }: WsFrame): void {
    const text = Buffer.from(payload).toString('latin1');
    if (opcode === 8) this.hasClosed = true;
    else if (opcode > 8) this.events.push(`${opcode}:${text}`);
    else {
      this.#open ??= { opcode, text: '' };
      this.#open.text += text;
      if (!isFinal) return;
      this.events.push(`${this.#open.opcode}:${this.#open.text}`);
      this.#open = undefined;
    }
  }
}

const codeOf = (error: unknown): number => {
  assert(error instanceof ProtocolError, `not a ProtocolError: ${String(error)}`);
  return error.closeCode;
};

/** The pure machine, against the naive receiver and that of ws. */
async function tryParser(input: FuzzCase): Promise<void> {
  const bytes = Buffer.from(input.bytes, 'hex');
  const maxSliceBytes = input.cuts.length % 2 === 0 ? Number.POSITIVE_INFINITY : 1 + (input.maxMessageBytes % 100);
  const parser = new FrameParser({ role: input.role, maxSliceBytes });
  const joiner = new EventJoiner();
  let end: Verdict['end'] = 0;
  try {
    for (const chunk of chunksOf(input)) {
      parser.push(chunk);
      for (let frame = parser.next(); frame !== null; frame = parser.next()) joiner.add(frame);
    }
  } catch (error) {
    end = codeOf(error);
  }
  const naive = receiveNaively(bytes, input.role, UNLIMITED);
  assert.deepEqual(
    { events: joiner.events, end: joiner.hasClosed ? 'closed' : end },
    { events: naive.events, end: naive.end },
  );
  if (!isWsInstalled) return;
  const theirs = await receiveByWs(chunksOf(input), input.role);
  assert(isExplained(naive, theirs), `ws sees it otherwise: ${JSON.stringify({ naive, theirs })}`);
}

/** The Transform, with its queues and its backpressure. */
async function tryDecoder(input: FuzzCase): Promise<void> {
  const decoder = new FrameDecoder({
    role: input.role,
    ownsChunks: input.cuts.length % 3 === 0,
    readableHighWaterMark: input.cuts.length % 2 === 0 ? 1 : 16,
  });
  const joiner = new EventJoiner();
  let end: Verdict['end'] = 0;
  const reading = (async () => {
    for await (const frame of decoder) joiner.add(frame as WsFrame);
  })().catch((error: unknown) => {
    const code = codeOf(error);
    // The end of the bytes inside a message is no violation of what came.
    end = code === 1006 ? 0 : code;
  });
  for (const chunk of chunksOf(input)) if (!decoder.destroyed) decoder.write(chunk);
  if (!decoder.destroyed) decoder.end();
  await reading;
  const naive = receiveNaively(Buffer.from(input.bytes, 'hex'), input.role, UNLIMITED);
  assert.deepEqual(
    { events: joiner.events, end: joiner.hasClosed ? 'closed' : end },
    { events: naive.events, end: naive.end },
  );
}

/** Notes what comes out of a stream. */
function note(stream: Duplex): () => Buffer {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
  return () => Buffer.concat(chunks);
}

async function send(socket: Duplex, chunks: Iterable<Buffer>): Promise<void> {
  for (const chunk of chunks) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(chunk);
    await turn();
  }
  socket.end();
}

/** A whole connection: what it delivers, how it says that it ended, and that what it sends is legal. */
async function tryConnection(input: FuzzCase): Promise<void> {
  const { role, maxMessageBytes } = input;
  const [socket, peer] = createMemoryDuplexes();
  const sent = note(peer);
  const options = { maxMessageBytes, controlFrames: true, closeTimeoutMs: 1000 };
  const conn = role === 'server' ? WsConnection.fromServer(socket, options) : WsConnection.fromClient(socket, options);
  const waits = [conn.ping(), conn.sendText('hello')];
  const sending = send(peer, chunksOf(input));
  const joiner = new EventJoiner();
  for await (const frame of conn) joiner.add(frame);
  const info = await conn.closeInfo;
  await Promise.all([...waits, sending]);
  const bytes = Buffer.from(input.bytes, 'hex');
  const naive = receiveNaively(bytes, role, maxMessageBytes);
  assert.deepEqual(joiner.events, naive.events);
  assert.equal(info.wasClean, info.error === undefined);
  assert.equal(joiner.hasClosed, naive.end === 'closed');
  if (naive.end === 'closed') assert(info.wasClean, 'a close that was answered is clean');
  else {
    // Of a message that is too large and no UTF-8 either, both may be said.
    const isBoth = naive.end === 1009 && receiveNaively(bytes, role, UNLIMITED).end === 1007;
    // A frame that is not passed on in slices is seen when it is whole; the cut may come first.
    const isUnseen = naive.why === 'not whole';
    const expected = [naive.end === 0 ? 1006 : naive.end, ...(isBoth ? [1007] : []), ...(isUnseen ? [1006] : [])];
    assert(expected.includes(info.code), `${info.code}, and not ${expected}`);
  }
  assert.equal(await conn.sendText('late'), 0);
  judge(decodeAll(sent()).frames, role);
  peer.destroy();
}

const naiveDeflate = ({ windowBits, contextTakeover }: Agreement): NaiveDeflate => ({
  windowBytes: 1 << windowBits,
  contextTakeover,
});

const startsWith = (all: readonly string[], first: readonly string[]): boolean =>
  first.every((event, at) => event === all[at]);

/**
 * What may be made of compressed bytes: `strict`, and where they refer back further than was agreed on, anything up to
 * `lax`. zlib has what it has just written at hand, so it finds some of what it should not.
 */
function receiveCompressed(input: FuzzCase, maxMessageBytes: number): { strict: Verdict; lax: Verdict } {
  const bytes = Buffer.from(input.bytes, 'hex');
  const agreed = naiveDeflate(input.deflate!);
  const judgeBy = (windowBytes: number): Verdict =>
    receiveNaively(bytes, input.role, maxMessageBytes, { ...agreed, windowBytes });
  return { strict: judgeBy(agreed.windowBytes), lax: judgeBy(Number.POSITIVE_INFINITY) };
}

/** Holds what came out against the judges. @param isSeenLater whether a frame is judged when it is whole */
function assertCompressed(input: FuzzCase, events: readonly string[], end: Verdict['end'], isSeenLater: boolean): void {
  const { strict, lax } = receiveCompressed(input, input.maxMessageBytes);
  if (strict.why === 'frayed') {
    assert(startsWith(events, strict.events), 'something is lost');
    return;
  }
  // What is wrong in more than one way may be said in each.
  const unlimited = receiveCompressed(input, UNLIMITED);
  const ends = [strict, lax, unlimited.strict, unlimited.lax].map((verdict) => verdict.end);
  if (isSeenLater && [strict, lax].some(({ why }) => why === 'not whole')) ends.push(0);
  assert(ends.includes(end), `${end}, and not ${ends}`);
  assert(startsWith(lax.events, events), 'something that was never sent');
  assert(startsWith(events, strict.events), 'something is lost');
  if (strict.events.length === lax.events.length) assert.equal(events.length, lax.events.length);
}

/** The parser and the inflater behind it, against a DEFLATE of one's own and ws. */
async function tryInflater(input: FuzzCase): Promise<void> {
  const { role, cuts, maxMessageBytes, deflate } = input;
  const maxSliceBytes = cuts.length % 2 === 0 ? Number.POSITIVE_INFINITY : 1 + (maxMessageBytes % 100);
  const parser = new FrameParser({ role, maxSliceBytes, allowedRsv: 4 });
  const frames: WsFrame[] = [];
  let end: Verdict['end'] = 0;
  try {
    for (const chunk of chunksOf(input)) {
      parser.push(chunk);
      for (let frame = parser.next(); frame !== null; frame = parser.next()) frames.push(frame);
    }
  } catch (error) {
    end = codeOf(error);
  }
  const joiner = new EventJoiner();
  const { frames: inflated, error } = await put(new FrameInflater({ ...deflate, maxMessageBytes }), frames);
  for (const frame of inflated) joiner.add(frame);
  // The end of the bytes inside a message is no violation of what came.
  if (error !== undefined && codeOf(error) !== 1006) end = codeOf(error);
  assertCompressed(input, joiner.events, joiner.hasClosed ? 'closed' : end, true);
  if (!isWsInstalled) return;
  const theirs = await receiveByWs(chunksOf(input), role, naiveDeflate(deflate!));
  const { strict, lax } = receiveCompressed(input, UNLIMITED);
  const isKnown = strict.events.length === lax.events.length && strict.end === lax.end;
  // Of what refers back too far, ws too may find some; what comes before that is known.
  const settled = strict.events.slice(0, strict.settled);
  const isFine = isKnown ? isExplained(strict, theirs) : startsWith(theirs.events, settled);
  assert(isFine, `ws sees it otherwise: ${JSON.stringify({ strict, theirs })}`);
}

/** What both ends agree on: the peer's compressor as in the input, ours as we like. */
function negotiate({ role, deflate }: FuzzCase): { extensions: WsNegotiatedExtensions; ours: Agreement } {
  const ours = { windowBits: 10, contextTakeover: true };
  const [server, client] = role === 'server' ? [ours, deflate!] : [deflate!, ours];
  const own = [
    createPerMessageDeflate({
      serverMaxWindowBits: server.windowBits,
      serverNoContextTakeover: !server.contextTakeover,
      clientMaxWindowBits: client.windowBits,
      clientNoContextTakeover: !client.contextTakeover,
      thresholdBytes: 10,
    }),
  ];
  const accepted = acceptExtensions('permessage-deflate; client_max_window_bits', own);
  return { extensions: role === 'server' ? accepted : confirmExtensions(accepted.header, own), ours };
}

const SENT = ['hello', 'hello, hello, hello', 'x'.repeat(3000), 'hello, hello, hello'];
/** In more than one frame; not each time, as it takes a naive receiver long. */
const LONG = 'x'.repeat(70_000);

/** A whole connection that compresses: what it delivers, how it ends, and that what it sends can be inflated. */
async function tryCompressed(input: FuzzCase): Promise<void> {
  const { role, maxMessageBytes } = input;
  const [socket, peer] = createMemoryDuplexes();
  const sent = note(peer);
  const { extensions, ours } = negotiate(input);
  const options = { maxMessageBytes, controlFrames: true, closeTimeoutMs: 1000, extensions };
  const conn = role === 'server' ? WsConnection.fromServer(socket, options) : WsConnection.fromClient(socket, options);
  const texts = input.cuts.length === 3 ? [...SENT, LONG] : SENT;
  const waits = texts.map((text) => conn.sendText(text));
  const sending = send(peer, chunksOf(input));
  const joiner = new EventJoiner();
  for await (const frame of conn) joiner.add(frame);
  const info = await conn.closeInfo;
  await Promise.all([...waits, sending]);
  assert.equal(info.wasClean, info.error === undefined);
  assert.equal(info.wasClean, joiner.hasClosed);
  const end = joiner.hasClosed ? 'closed' : info.code === 1006 ? 0 : info.code;
  assertCompressed(input, joiner.events, end, true);
  const answer = receiveNaively(sent(), role === 'server' ? 'client' : 'server', UNLIMITED, naiveDeflate(ours));
  assert([0, 'closed'].includes(answer.end), `what we sent is broken: ${answer.end}`);
  const received = answer.events.filter((event) => event.startsWith('1:')).map((event) => event.slice(2));
  assert(startsWith(texts, received), 'what we sent is not what was asked for');
  if (answer.end === 'closed') assert.equal(await conn.sendText('late'), 0);
  peer.destroy();
}

/** Bytes that should be a request, at a server. */
async function tryRequest(input: FuzzCase): Promise<void> {
  const [socket, peer] = createMemoryDuplexes();
  const sent = note(peer);
  const [first = Buffer.alloc(0), ...rest] = chunksOf(input);
  const accepted = wsUpgrade(socket, first, { handshakeTimeoutMs: 2000, closeTimeoutMs: 500, protocols: ['a'] });
  const sending = send(peer, rest);
  const conn = await accepted;
  await sending;
  if (conn !== null) {
    for await (const frame of conn) assert(frame.payloadLength >= 0);
    await conn.closeInfo;
    assert.match(sent().toString('latin1'), /^HTTP\/1\.1 101 /);
  }
  if (!peer.destroyed) await turn();
  peer.destroy();
  socket.destroy();
  const answer = sent().toString('latin1');
  if (conn === null && answer !== '') assert.match(answer, /^HTTP\/1\.1 [45]\d\d /);
}

/** Bytes that should be a response, at a client. */
async function tryResponse(input: FuzzCase): Promise<void> {
  const [socket, peer] = createMemoryDuplexes();
  const sent = note(peer);
  const connecting = connect('ws://localhost/', {
    createConnection: () => socket,
    handshakeTimeoutMs: 2000,
    closeTimeoutMs: 500,
    protocols: ['a', 'b'],
  });
  const connected = connecting.catch((error: unknown) => error);
  while (!sent().includes('\r\n\r\n') && !peer.destroyed) await turn();
  const key = /^Sec-WebSocket-Key: (.*)$/im.exec(sent().toString('latin1'))?.[1]?.trim() ?? '';
  const text = Buffer.from(input.bytes, 'hex').toString('latin1').replaceAll('{accept}', computeAccept(key, sha1));
  const sending = send(peer, chunksOf({ ...input, bytes: Buffer.from(text, 'latin1').toString('hex') }));
  const conn = await connected;
  await sending;
  if (conn instanceof WsConnection) {
    for await (const frame of conn) assert(frame.payloadLength >= 0);
    await conn.closeInfo;
  } else assert(conn instanceof Error && !(conn instanceof TypeError), `rejected with ${String(conn)}`);
  peer.destroy();
  socket.destroy();
}

const TRIALS: Readonly<Record<Target, (input: FuzzCase) => Promise<void>>> = {
  parser: tryParser,
  decoder: tryDecoder,
  connection: tryConnection,
  inflater: tryInflater,
  compressed: tryCompressed,
  request: tryRequest,
  response: tryResponse,
};

const PATIENCE_MS = 120_000;

/** Tries an input; rejects where something is wrong, and where nothing comes of it. */
export async function tryCase(input: FuzzCase): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('nothing came of it')), PATIENCE_MS);
  });
  try {
    await Promise.race([TRIALS[input.target](input), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}
