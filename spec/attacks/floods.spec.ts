/**
 * Attacks by number: floods of what is legal one by one. What is held is bounded while nobody reads, and the work grows
 * as the bytes do.
 */
import type { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FrameDecoder } from '../../lib/stream/frame-decoder.ts';
import { boundServer, linked, turns, until } from '../support/endpoints.ts';
import { expectLinear } from '../support/linear.ts';
import { naiveEncode, ROLES } from '../support/naive-frames.ts';
import { rawClient } from '../support/sockets.ts';
import { decodeFrames, duel, readToClose } from './duels.ts';
import { longLength, rawHeader } from './wire-attacks.ts';

const MIB = 1024 * 1024;

/** Repeats a frame until there are so many bytes. */
const repeated = (frame: Buffer, bytes: number): Buffer =>
  Buffer.alloc(Math.floor(bytes / frame.length) * frame.length, frame);

/** Waits until a socket has taken nothing for some turns: both ends hold as much as they will. */
async function untilStuck(socket: Socket): Promise<void> {
  let quiet = 0;
  for (let before = socket.writableLength; quiet < 25; ) {
    await new Promise((resolve) => setTimeout(resolve, 4));
    quiet = socket.writableLength === before ? quiet + 1 : 0;
    before = socket.writableLength;
  }
}

describe.each(ROLES)('a flood that nobody reads (%s)', (role) => {
  it.each([
    ['CVE-2026-62389, CVE-2026-48779: fragments of 1 byte', 0, 'x', false],
    ['CVE-2026-62389, CVE-2026-12151: fragments of 0 bytes', 0, '', false],
    ['empty text messages', 1, '', true],
    ['messages of 1 byte', 2, 'x', true],
  ] as const)(
    '%s: 32 MiB of them stay with the peer, and memory where it was',
    async (_what, opcode, payload, isFinal) => {
      const { conn, socket, isMasked } = await duel(role, { maxMessageBytes: Number.POSITIVE_INFINITY });
      const frame = naiveEncode(opcode, payload, { isFinal, isMasked });
      if (opcode === 0) socket.write(naiveEncode(2, 'x', { isFinal: false, isMasked }));
      const flood = repeated(frame, 32 * MIB);
      const before = process.memoryUsage().heapUsed;
      socket.write(flood);
      await untilStuck(socket);
      // The system's own buffers hold some megabytes on the loopback.
      expect(socket.writableLength).toBeGreaterThan(flood.length / 2);
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(48 * MIB);
      expect(conn.isOpen()).toBe(true);
      conn.forceClose();
      socket.destroy();
    },
  );

  it.each([
    ['1 byte', 'x', 1009],
    ['8 bytes', 'xxxxxxxx', 1009],
  ])('CVE-2026-48779: fragments of %s that are read end at maxMessageBytes with 1009', async (_what, payload, code) => {
    const attacker = await duel(role, { maxMessageBytes: 50_000 });
    const { conn, socket, isMasked } = attacker;
    socket.write(naiveEncode(1, 'x', { isFinal: false, isMasked }));
    socket.write(repeated(naiveEncode(0, payload, { isFinal: false, isMasked }), MIB));
    const reading = readToClose(attacker);
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code, error: { code: 'WS_ERR_MESSAGE_TOO_LARGE' } });
    await reading;
  });
});

describe.each(ROLES)('a flood that is answered (%s)', (role) => {
  it('8.23.0, CVE-2026-109932, CVE-2026-11586: pings whose pongs are not read stop being read, and each is answered in the end', async () => {
    const count = 150_000;
    const { conn, socket, isMasked, received } = await duel(role);
    const reading = conn.recvFrame();
    socket.pause();
    const frames = Array.from({ length: count }, (_, index) => naiveEncode(9, String(index), { isMasked }));
    socket.write(Buffer.concat(frames));
    await untilStuck(socket);
    expect(conn.bufferedAmount).toBeLessThan(MIB);
    const collector = received();
    socket.resume();
    let pongs = 0;
    let rest: Buffer = Buffer.alloc(0);
    while (pongs < count) {
      if (collector.pending.length < 100_000) await turns(2);
      rest = Buffer.concat([rest, await collector.read(1), await collector.read(collector.pending.length)]);
      const whole = decodeFrames(rest);
      for (const { opcode, payload } of whole) {
        expect(opcode === 10 && String(payload) === String(pongs)).toBe(true);
        pongs++;
      }
      const overhead = (length: number): number => 2 + length + (isMasked ? 0 : 4);
      rest = rest.subarray(whole.reduce((sum, { payload }) => sum + overhead(payload.length), 0));
    }
    expect(rest).toHaveLength(0);
    conn.forceClose();
    expect(await reading).toBeNull();
    socket.destroy();
  });

  it('pongs that nobody asked for leave nothing behind, and the connection goes on', async () => {
    const { conn, socket, isMasked } = await duel(role);
    socket.write(repeated(naiveEncode(10, 'unasked', { isMasked }), 2 * MIB));
    socket.write(naiveEncode(1, 'behind', { isMasked }));
    expect((await conn.recvFrame())?.payloadText()).toBe('behind');
    conn.forceClose();
    socket.destroy();
  });

  it('data behind a close frame is thrown away, however much it is (§5.5.1)', async () => {
    const { conn, socket, isMasked } = await duel(role, { closeTimeoutMs: 400 });
    socket.write(naiveEncode(8, '', { isMasked }));
    const endless = repeated(naiveEncode(1, 'more', { isMasked }), MIB);
    const timer = setInterval(() => socket.writableLength < MIB && socket.write(endless), 1);
    onTestFinished(() => clearInterval(timer));
    socket.on('error', () => {});
    expect(await conn.recvFrame()).toBeNull();
    const info = await conn.closeInfo;
    clearInterval(timer);
    expect(info.code).toBe(1005);
    socket.destroy();
  });
});

describe('many connections at once', () => {
  it('slow frame: 200 headers that announce 16 MiB each reserve nothing', async () => {
    const server = await boundServer();
    const before = process.memoryUsage();
    const clients = await Promise.all(Array.from({ length: 200 }, () => rawClient(server.port)));
    const header = rawHeader(0x82, longLength(16n * 1024n * 1024n), true);
    for (const { socket } of clients) socket.write(Buffer.concat([header, Buffer.alloc(10)]));
    const conns = [...server.connections];
    const reads = conns.map((conn) => conn.recvFrame());
    await turns(20);
    const now = process.memoryUsage();
    expect(now.arrayBuffers + now.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(100 * MIB);
    for (const { socket } of clients) socket.destroy();
    expect(new Set(await Promise.all(reads))).toEqual(new Set([null]));
  });

  it('a huge broadcast to those who do not read holds one copy of the message, and ends with them', async () => {
    const server = await boundServer();
    const clients = await Promise.all(Array.from({ length: 40 }, () => rawClient(server.port)));
    for (const { socket } of clients) socket.pause();
    const message = Buffer.alloc(8 * MIB, 'x');
    const before = process.memoryUsage().arrayBuffers;
    const sent = server.broadcast(message);
    await turns(20);
    // 40 copies would be 320 MiB; each connection holds a batch of its own.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(80 * MIB);
    for (const { socket } of clients) socket.destroy();
    await sent;
    await until(() => server.connections.size === 0);
  });

  it('connections that come and are cut, a thousand of them, leave nothing', async () => {
    const server = await boundServer();
    void server.serve(async (conn) => {
      for await (const frame of conn) await conn.sendFrame(frame);
    });
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => rawClient(server.port)));
      for (const { socket } of clients) {
        socket.write(naiveEncode(1, 'x', { isMasked: true }));
        if (round % 2 === 0) socket.resetAndDestroy();
        else socket.destroy();
      }
    }
    await until(() => server.connections.size === 0);
    expect(server.stats.accepted).toBe(1000);
    server.stop();
  });

  it('one that floods does not keep another from being served', async () => {
    const server = await boundServer();
    void server.serve(async (conn) => {
      for await (const frame of conn) await conn.sendFrame(frame);
    });
    const { socket } = await rawClient(server.port);
    socket.pause();
    socket.write(repeated(naiveEncode(9, '', { isMasked: true }), 8 * MIB));
    const other = await rawClient(server.port);
    other.write(naiveEncode(1, 'served', { isMasked: true }));
    expect(decodeFrames(await other.received.read(8))[0]?.payload.toString()).toBe('served');
    socket.destroy();
    other.socket.destroy();
    await until(() => server.connections.size === 0);
    server.stop();
  });
});

describe('the work of a decoder is linear', () => {
  const decode = async (chunks: Iterable<Buffer>): Promise<number> => {
    const decoder = new FrameDecoder({ role: 'client' });
    decoder.on('data', () => {});
    const before = process.cpuUsage();
    for (const chunk of chunks)
      if (!decoder.write(chunk)) await new Promise((resolve) => decoder.once('drain', resolve));
    const { user, system } = process.cpuUsage(before);
    decoder.destroy();
    return user + system;
  };

  it('CVE-2026-123817: in the bytes of a message that comes in segments of 1 byte', async () => {
    const bytes = (size: number): Buffer => naiveEncode(2, Buffer.alloc(size));
    await expectLinear((size) => decode(split(bytes(size))), 8000);
  });

  it('CVE-2026-123817: in the number of fragments', async () => {
    const fragments = (count: number): Buffer =>
      Buffer.concat([
        naiveEncode(2, '', { isFinal: false }),
        repeated(naiveEncode(0, 'x', { isFinal: false }), 3 * count),
      ]);
    await expectLinear((count) => decode([fragments(count)]), 16_000);
  });
});

function* split(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

it('a connection that is cut inside a flood gives what was whole, and the server goes on', async () => {
  const server = await boundServer();
  const attacker = await rawClient(server.port);
  attacker.write(
    Buffer.concat([
      naiveEncode(1, 'whole', { isMasked: true }),
      naiveEncode(1, 'half', { isMasked: true }).subarray(0, 7),
    ]),
  );
  attacker.socket.end();
  const conn = (await server.accept())!;
  const texts: string[] = [];
  for await (const frame of conn) texts.push(frame.payloadText());
  expect(texts).toEqual(['whole']);
  const { client, ours } = await linked(server);
  await Promise.all([client.close(), ours.close()]);
});
