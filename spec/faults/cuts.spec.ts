/**
 * The connection is cut after each byte of a session, handshake included, over TCP: by FIN, by RST, by silence, with us
 * as server and as client. Every promise settles, closeInfo tells the truth, and nothing comes twice or half.
 */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { connect } from '../../lib/endpoint/client/connect.ts';
import type { ConnectionOptions } from '../../lib/options.ts';
import { answerTo } from '../attacks/duels.ts';
import { boundServer, byteServer, dial, until } from '../support/endpoints.ts';
import { closeBody, naiveEncode } from '../support/naive-frames.ts';
import { upgradeRequest } from '../support/sockets.ts';

type Cut = 'fin' | 'reset' | 'silence';
const CUTS: readonly Cut[] = ['fin', 'reset', 'silence'];

/** Short, but far above what a turn of the loop takes on a busy machine; a handshake is waited for only where it is silent. */
const patience = (cut: Cut): ConnectionOptions & { handshakeTimeoutMs: number } => ({
  handshakeTimeoutMs: cut === 'silence' ? 3000 : 15_000,
  closeTimeoutMs: 600,
  heartbeat: { intervalMs: 700, timeoutMs: 700 },
});

/** What the peer sends behind the handshake; each text ends with its last byte at the offset beside it. */
function session(isMasked: boolean): { bytes: Buffer; texts: readonly (readonly [text: string, end: number])[] } {
  const frame = (opcode: number, payload: string | Buffer, isFinal = true): Buffer =>
    naiveEncode(opcode, payload, { isFinal, isMasked });
  const parts: [Buffer, string?][] = [
    [frame(1, 'first'), 'first'],
    [frame(9, 'ping')],
    [frame(2, 'frag', false)],
    [frame(10, '')],
    [frame(0, 'mented'), 'fragmented'],
    [frame(1, 'é€😀'), 'é€😀'],
    [frame(2, 'x'.repeat(126)), 'x'.repeat(126)],
    [frame(8, closeBody(4000, 'over'))],
  ];
  let length = 0;
  const texts: [string, number][] = [];
  for (const [bytes, text] of parts) {
    length += bytes.length;
    if (text !== undefined) texts.push([text, length]);
  }
  return { bytes: Buffer.concat(parts.map(([bytes]) => bytes)), texts };
}

function apply(cut: Cut, socket: Socket): void {
  if (cut === 'fin') socket.end();
  else if (cut === 'reset') socket.resetAndDestroy();
}

interface Outcome {
  readonly texts: string[];
  readonly info: {
    readonly code: number;
    readonly wasClean: boolean;
    readonly initiator: string;
    readonly error?: Error;
  };
}

/** Uses a connection in all ways, until all promises have settled. */
async function use(conn: WsConnection): Promise<Outcome> {
  const pending = [conn.ping(), conn.sendText('hello'), conn.sendBinary(Buffer.alloc(1000)), conn.ping('x', {})];
  const closed = new Promise<void>((resolve) => void conn.once('close', resolve));
  const texts: string[] = [];
  for await (const frame of conn) texts.push(frame.payloadText());
  const info = await conn.closeInfo;
  await Promise.all([...pending, closed]);
  expect(await conn.recvFrame()).toBeNull();
  expect(await conn.sendText('late')).toBe(0);
  expect(await conn.ping()).toBeNull();
  return { texts, info: info as Outcome['info'] };
}

/** Holds what became of a session of which `at` bytes came behind the handshake. */
function judge(
  { texts, info }: Outcome,
  at: number,
  cut: Cut,
  { bytes, texts: all }: ReturnType<typeof session>,
): void {
  const whole = all.filter(([, end]) => end <= at).map(([text]) => text);
  // A reset may overtake what came before it; FIN and silence may not.
  if (cut === 'reset') expect(texts).toEqual(whole.slice(0, texts.length));
  else expect(texts).toEqual(whole);
  const hasClosed = at === bytes.length;
  expect(info.wasClean).toBe(info.error === undefined);
  if (hasClosed && cut !== 'reset') expect(info).toMatchObject({ code: 4000, initiator: 'remote' });
  else if (hasClosed) expect([4000, 1006]).toContain(info.code);
  else expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: cut === 'silence' ? 'local' : 'remote' });
  if (hasClosed && cut === 'fin') expect(info.wasClean).toBe(true);
}

const pathOf = (at: number): string => `/${String(at).padStart(4, '0')}`;

describe('a session that is cut after each of its bytes, handshake included', () => {
  it.each(CUTS)('by %s, with us as the server', async (cut) => {
    const server = await boundServer(patience(cut));
    const outcomes = new Map<string, Promise<Outcome>>();
    server.on('connection', (conn) => outcomes.set(conn.request!.url, use(conn)));
    const story = session(true);
    const head = Buffer.from(upgradeRequest({ path: pathOf(0) })).length;
    await Promise.all(
      Array.from({ length: head + story.bytes.length + 1 }, async (_, at) => {
        const { socket, received } = dial(server.port);
        const bytes = Buffer.concat([Buffer.from(upgradeRequest({ path: pathOf(at) })), story.bytes]);
        await new Promise<void>((resolve) => void socket.once('connect', resolve));
        if (at > 0) await new Promise((resolve) => socket.write(bytes.subarray(0, at), resolve));
        // The reset comes behind the answer, so that there is a connection to be cut.
        if (cut === 'reset' && at >= head) await received.readThrough('\r\n\r\n');
        apply(cut, socket);
        await received.readAll();
        socket.destroy();
      }),
    );
    await until(() => server.connections.size === 0 && server.stats.pending === 0);
    expect(outcomes.size).toBe(story.bytes.length + 1);
    for (const [path, outcome] of outcomes) judge(await outcome, Number(path.slice(1)) - head, cut, story);
  });

  it.each(CUTS)('by %s, with us as the client', async (cut) => {
    const story = session(false);
    const { server, port } = await byteServer((socket) => {
      socket.once('data', (request: Buffer) => {
        const at = Number(/^GET \/(\d+)/.exec(String(request))?.[1]);
        socket.resume();
        socket.write(Buffer.concat([Buffer.from(answerTo(String(request))), story.bytes]).subarray(0, at), () =>
          apply(cut, socket),
        );
        socket.once('end', () => socket.end());
      });
    });
    const head = answerTo('').length;
    let connected = 0;
    await Promise.all(
      Array.from({ length: head + story.bytes.length + 1 }, async (_, at) => {
        const conn = await connect(`ws://127.0.0.1:${port}${pathOf(at)}`, patience(cut)).catch((error: Error) => error);
        if (conn instanceof Error) {
          // A reset may come in the moment of the handshake.
          if (cut !== 'reset') expect(at).toBeLessThan(head);
          expect(conn.message).not.toBe('');
          return;
        }
        connected++;
        expect(at).toBeGreaterThanOrEqual(head);
        judge(await use(conn), at - head, cut, story);
      }),
    );
    if (cut !== 'reset') expect(connected).toBe(story.bytes.length + 1);
    await new Promise((resolve) => server.close(resolve));
  });
});
