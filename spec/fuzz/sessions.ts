/**
 * Random and mutated sessions, half of them compressed, against a server and clients of ours, over TCP, in a process that
 * listens to no error: `npm run fuzz:sessions -- --sessions 500000`. The list of known attacks is among them.
 *
 * It fails where an exception is not caught, a rejection not handled, something is left open, or the memory that lives
 * still grows in the second half. `--seed N` repeats the sessions; `--at-once N` (400) is how many run together.
 */
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { parseArgs } from 'node:util';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import { WsServer } from '../../lib/endpoint/server/ws-server.ts';
import { sha1 } from '../../lib/endpoint/upgrade/upgrade-request.ts';
import { computeAccept } from '../../lib/handshake/accept-key.ts';
import { REQUEST_ATTACKS, RESPONSE_ATTACKS } from '../attacks/handshake-attacks.ts';
import { VICTIM_LIMITS, WIRE_ATTACKS } from '../attacks/wire-attacks.ts';
import type { Role } from '../support/naive-frames.ts';
import { makeCase } from './fuzz-case.ts';
import { Random } from './random.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({ options: { sessions: text, seed: text, 'at-once': text, 'max-growth': text } });
const sessions = Number(values.sessions ?? 500_000);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const atOnce = Number(values['at-once'] ?? 400);
const maxGrowth = Number(values['max-growth'] ?? 24) * 2 ** 20;
const random = new Random(seed);

/** No listener keeps the process alive: these only say what would have ended it. */
const accidents: string[] = [];
process.on('uncaughtExceptionMonitor', (error) => console.error('an uncaught exception', error));
process.on('unhandledRejection', (error) => {
  accidents.push(`an unhandled rejection: ${String(error)}`);
});

const limits = { ...VICTIM_LIMITS, handshakeTimeoutMs: 2000, closeTimeoutMs: 150, perMessageDeflate: true };
const GOOD_REQUEST =
  'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n';
const GOOD_ANSWER =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: {accept}\r\n{extensions}\r\n';

/** A good head and a session behind it, compressed or not. */
function behindHandshake(head: string, role: Role): Buffer {
  const { bytes, deflate } = makeCase(random, random.pick(['connection', 'compressed']), role);
  const peer = role === 'server' ? 'client' : 'server';
  const window = deflate && `; ${peer}_max_window_bits=${deflate.windowBits}`;
  const takeover = deflate?.contextTakeover ? '' : `; ${peer}_no_context_takeover`;
  const field = deflate ? `Sec-WebSocket-Extensions: permessage-deflate${window}${takeover}\r\n` : '';
  return Buffer.concat([Buffer.from(head.replace('{extensions}', field)), Buffer.from(bytes, 'hex')]);
}

/** Uses a connection as a careless program does: in one of many ways, and without a guard. */
async function use(conn: WsConnection, way: number): Promise<void> {
  switch (way % 7) {
    case 0:
      for await (const frame of conn) await conn.sendFrame(frame);
      break;
    case 1:
      conn.pipe(conn);
      break;
    case 2:
      for await (const message of conn.messages()) message.resume();
      break;
    case 3:
      conn.on('data', () => void conn.sendText('data'));
      break;
    case 4:
      conn.byteStream().resume();
      break;
    case 5:
      void conn.ping();
      conn.createMessage('text').write('never ended');
      break;
    default:
      await conn.recvFrame();
      await conn.close();
  }
}

/**
 * What nobody reads stays where it is, and beyond `maxBufferedBytes` the end of the peer's bytes behind it, too: a
 * connection that its program neither reads nor ends is there until somebody loses patience.
 */
function endInTime(conn: WsConnection): void {
  const timer = setTimeout(() => conn.forceClose(), 5000);
  void conn.closeInfo.then(() => clearTimeout(timer));
}

/** Sends chunks, then ends in one of three ways. */
function play(socket: Socket, chunks: readonly Buffer[], ending: number): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => {}).once('close', () => resolve());
    socket.resume();
    let at = 0;
    const step = (): void => {
      if (socket.destroyed) return;
      const chunk = chunks[at++];
      if (chunk !== undefined) {
        socket.write(chunk);
        setImmediate(step);
      } else if (ending === 0) socket.resetAndDestroy();
      else if (ending === 1) socket.destroy();
      else socket.end();
    };
    step();
  });
}

interface Script {
  readonly chunks: readonly Buffer[];
  readonly ending: number;
  readonly way: number;
}

function cutAtRandom(bytes: Buffer): Buffer[] {
  const at = random.below(bytes.length + 1);
  return random.once(2) ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at)];
}

/** What a client of nobody's sends to our server. */
function clientScript(): Script {
  const kind = random.below(8);
  const attack = kind === 0 ? random.pick(REQUEST_ATTACKS).request : undefined;
  const plain = Buffer.from(GOOD_REQUEST.replace('{extensions}', ''));
  const wire = kind === 1 ? Buffer.concat([plain, random.pick(WIRE_ATTACKS).bytes(true)]) : undefined;
  const head = kind === 2 ? Buffer.from(makeCase(random, 'request').bytes, 'hex') : undefined;
  const bytes = attack ?? wire ?? head ?? behindHandshake(GOOD_REQUEST, 'server');
  return { chunks: cutAtRandom(bytes), ending: random.below(4), way: random.below(7) };
}

/** What a server of nobody's answers to our client. */
function serverScript(accept: string): Script {
  const kind = random.below(8);
  const attack = kind === 0 ? random.pick(RESPONSE_ATTACKS).response : undefined;
  const plain = GOOD_ANSWER.replace('{extensions}', '');
  const wire = kind === 1 ? plain + random.pick(WIRE_ATTACKS).bytes(false).toString('latin1') : undefined;
  const head = kind === 2 ? Buffer.from(makeCase(random, 'response').bytes, 'hex').toString('latin1') : undefined;
  const text = attack ?? wire ?? head ?? behindHandshake(GOOD_ANSWER, 'client').toString('latin1');
  const bytes = Buffer.from(text.replaceAll('{accept}', accept), 'latin1');
  return { chunks: cutAtRandom(bytes), ending: random.below(4), way: random.below(7) };
}

async function attackServer(port: number, host: string): Promise<void> {
  const { chunks, ending } = clientScript();
  await play(connectTcp({ port, host, noDelay: true }), chunks, ending);
}

async function attackClient(port: number, host: string): Promise<void> {
  const conn = await connect(`ws://${host}:${port}`, limits).catch(() => null);
  if (conn === null) return;
  endInTime(conn);
  void use(conn, random.below(7));
  await conn.closeInfo;
}

function attackingServer(): Promise<Server> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket
      .on('error', () => {})
      .once('data', (request: Buffer) => {
        const key = /^Sec-WebSocket-Key: (.*)$/im.exec(String(request))?.[1]?.trim() ?? '';
        const { chunks, ending } = serverScript(computeAccept(key, sha1));
        void play(socket, chunks, ending);
      });
  });
  return new Promise((resolve) => server.listen(0, '0.0.0.0', () => resolve(server)));
}

const collect = (globalThis as { gc?: () => void }).gc;
/** What lives: resident memory depends on when the collector finds time. */
async function liveBytes(): Promise<number> {
  for (let times = 0; times < 3; times++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect?.();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const server = await WsServer.bind({ port: 0, host: '0.0.0.0' }, limits);
let compressed = 0;
server.on('connection', (conn) => {
  if (conn.extensions !== '') compressed++;
  endInTime(conn);
  void use(conn, random.below(7));
});
const attacker = await attackingServer();
const attackerPort = (attacker.address() as { port: number }).port;

let done = 0;
/** Loopback addresses in turn: the ports of one are used up in the state TIME_WAIT. */
const hostOf = (session: number): string => `127.0.${1 + (Math.floor(session / 10_000) % 200)}.1`;
async function run(until: number): Promise<void> {
  const worker = async (): Promise<void> => {
    while (done < until) {
      const session = done++;
      const host = hostOf(session);
      await (session % 2 === 0 ? attackServer(server.port, host) : attackClient(attackerPort, host));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

console.log(`seed ${seed}`);
const samples: number[] = [];
const PARTS = 8;
for (let part = 1; part <= PARTS; part++) {
  await run(Math.floor((sessions * part) / PARTS));
  samples.push(await liveBytes());
  console.log(`${done} sessions, ${Math.round(samples.at(-1)! / 2 ** 20)} MiB live, ${accidents.length} accidents`);
}
await server.close({ deadlineMs: 3000 });
await new Promise((resolve) => attacker.close(resolve));
const { accepted, refused } = server.stats;
console.log(`${sessions} sessions: ${accepted} accepted by our server (${compressed} compressed), ${refused} refused`);

const growth = samples.at(-1)! - samples[PARTS / 2 - 1]!;
if (collect !== undefined && growth > maxGrowth)
  accidents.push(`memory grew by ${Math.round(growth / 2 ** 20)} MiB in the second half`);
// Whatever is still open keeps the process from ending by itself; who started it waits only so long.
const open = setTimeout(() => {
  console.error('still open:', process.getActiveResourcesInfo());
  process.exit(1);
}, 10_000);
open.unref();
setTimeout(() => {
  const left = process
    .getActiveResourcesInfo()
    .filter((type) => !/^(?:Timeout|TTYWrap|PipeWrap|FSReqCallback|Immediate)$/.test(type));
  if (left.length > 0) accidents.push(`left open: ${left.join(', ')}`);
  for (const accident of accidents) console.error(`FAILED: ${accident}`);
  if (accidents.length > 0) process.exitCode = 1;
  console.log(accidents.length === 0 ? 'nothing broke, nothing is left' : 'FAILED');
}, 1500);
