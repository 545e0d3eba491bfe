/**
 * RFC 6455 §5–§7 as the other end sees it: what a connection sends, and what it makes of what comes. Rules that a pure
 * machine holds are tested with the machine; here are those that take a connection.
 */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { WS_MAX_FRAME_SIZE } from '../../lib/protocol/sizes.ts';
import {
  isClose,
  type Meeting,
  meet,
  type NaivePeer,
  naiveEncode,
  ROLES,
  turns,
  type WireFrame,
} from '../support/naive-peer.ts';

/** Reads so many frames off the wire. */
async function take({ peer }: Meeting, count: number): Promise<WireFrame[]> {
  const frames: WireFrame[] = [];
  for (let frame = await peer.next(); frame !== null; frame = await peer.next()) {
    frames.push(frame);
    if (frames.length === count) break;
  }
  return frames;
}

async function readAll(conn: WsConnection): Promise<unknown[]> {
  const messages: unknown[] = [];
  for await (const frame of conn) messages.push([frame.opcode, Buffer.from(frame.payload).toString()]);
  return messages;
}

/** A frame of the peer's, masked where it should not be, and not masked where it should. */
const wrongMask = (peer: NaivePeer): Buffer => naiveEncode(2, 'abc', { isMasked: peer.role === 'server' });

function withFirst(peer: NaivePeer, first: number): Buffer {
  const bytes = peer.encode(1, 'x');
  bytes[0] = first;
  return bytes;
}

/** The header of a binary frame with a length as it is written, and nothing behind it. */
function withLength(peer: NaivePeer, ...length: number[]): Buffer {
  const [code = 0, ...bytes] = length;
  const isMasked = peer.role === 'client';
  return Buffer.from([0x82, (isMasked ? 0x80 : 0) | code, ...bytes, ...(isMasked ? [1, 2, 3, 4] : [])]);
}

describe.each(ROLES)('a message that is too large (%s)', (role) => {
  it.each([
    [100_000, 100_001],
    [65_535, 65_536],
    [5_000, 5_001],
    [5_000, 60_000],
    [0, 4_097],
  ])(
    'is refused as soon as it is announced: of %d, a header with %d is enough (§10.4)',
    async (maxMessageBytes, size) => {
      const { conn, peer } = await meet(role, { maxMessageBytes });
      const waiting = conn.recvFrame();
      const whole = peer.encode(2, Buffer.alloc(size));
      peer.raw(whole.subarray(0, whole.length - size));
      expect((await peer.next())?.payload.readUInt16BE(0)).toBe(1009);
      expect(await waiting).toBeNull();
    },
  );

  it('is not refused where it is read as a stream', async () => {
    const { conn, peer } = await meet(role, { maxMessageBytes: 0 });
    peer.raw(peer.encode(2, Buffer.alloc(10_000)));
    for await (const message of conn.messages()) {
      expect((await message.bytes()).length).toBe(10_000);
      break;
    }
    conn.forceClose();
  });
});

describe.each(ROLES)('sending (%s)', (role) => {
  it.each([
    ['a code that never travels', [0x03, 0xed]],
    ['a body of one byte', [0x03]],
    ['a reason that is not UTF-8', [0x03, 0xe8, 0xff]],
  ])('refuses a close frame made by hand with %s (§5.5.1, §7.4.1)', async (_what, body) => {
    const { conn } = await meet(role);
    await expect(conn.sendFrame(new WsFrame(8, Buffer.from(body)))).rejects.toThrow(RangeError);
    expect(conn.isOpen()).toBe(true);
  });

  it('masks every frame of a client and none of a server, control frames too (§5.1, §6.1)', async () => {
    const meeting = await meet(role);
    const { conn } = meeting;
    await conn.sendText('text');
    await conn.sendBinary(Buffer.alloc(300, 1));
    await conn.sendPing('ping');
    await conn.sendPong('pong');
    void conn.close(1000);
    const frames = await take(meeting, 5);
    expect(frames.map(({ opcode }) => opcode)).toEqual([1, 2, 9, 10, 8]);
    expect(frames.map(({ isMasked }) => isMasked)).toEqual(Array(5).fill(role === 'client'));
    conn.forceClose();
  });

  it('puts a message into one frame: its opcode, FIN, no reserved bit (§6.1)', async () => {
    const meeting = await meet(role);
    await meeting.conn.sendText('ein Wört');
    await meeting.conn.sendBinary(Buffer.from([0, 255]));
    expect(await take(meeting, 2)).toMatchObject([
      { opcode: 1, isFinal: true, rsv: 0, payload: Buffer.from('ein Wört') },
      { opcode: 2, isFinal: true, rsv: 0, payload: Buffer.from([0, 255]) },
    ]);
  });

  it('cuts a large message into fragments in order: the opcode on the first, FIN on the last (§5.4, §6.1)', async () => {
    const meeting = await meet(role);
    const data = Buffer.from(Uint8Array.from({ length: 2 * WS_MAX_FRAME_SIZE + 5 }, (_, index) => index % 251));
    void meeting.conn.sendBinary(data);
    const frames = await take(meeting, 3);
    expect(frames.map(({ opcode, isFinal }) => [opcode, isFinal])).toEqual([
      [2, false],
      [0, false],
      [0, true],
    ]);
    expect(Buffer.concat(frames.map(({ payload }) => payload)).equals(data)).toBe(true);
  });

  it('sends nothing when it is not open: not after our close, not after theirs, not at the end (§5.5.1, §6.1)', async () => {
    for (const begin of [({ conn }: Meeting) => void conn.close(1000), ({ peer }: Meeting) => void peer.close(1000)]) {
      const meeting = await meet(role);
      const { conn, peer } = meeting;
      begin(meeting);
      expect(await peer.next()).toMatchObject(isClose(1000));
      const sends = [conn.sendText('a'), conn.sendBinary(Buffer.of(1)), conn.sendPing(), conn.sendPong()];
      expect(await Promise.all([...sends, conn.sendClose(1000)])).toEqual([0, 0, 0, 0, 0]);
      peer.close(1000);
      peer.fin();
      expect(await peer.rest()).toEqual([]);
      await conn.closeInfo;
      expect(await conn.sendText('a')).toBe(0);
    }
  });
});

describe.each(ROLES)('receiving (%s)', (role) => {
  it('unmasks, joins fragments, and notes the type of the first; the next frame begins anew (§5.4, §6.2)', async () => {
    const { conn, peer } = await meet(role);
    peer.send(1, 'Hel', false);
    peer.send(0, '', false);
    peer.send(0, 'lo', true);
    peer.send(2, 'binary', true);
    peer.send(1, 'whole', true);
    peer.close(1000);
    expect(await readAll(conn)).toEqual([
      [1, 'Hello'],
      [2, 'binary'],
      [1, 'whole'],
    ]);
    conn.forceClose();
  });

  it('handles a ping inside a fragmented message, at once and with its own data (§5.4, §5.5.2, §5.5.3)', async () => {
    const { conn, peer } = await meet(role);
    peer.send(1, 'be', false);
    peer.ping('are you there?');
    expect(await peer.next()).toMatchObject({ opcode: 10, payload: Buffer.from('are you there?') });
    peer.ping();
    expect(await peer.next()).toMatchObject({ opcode: 10, payload: Buffer.alloc(0) });
    peer.send(10, 'unasked');
    peer.send(0, 'tween', true);
    expect((await conn.recvFrame())?.payloadText()).toBe('between');
  });

  it('answers no ping behind a Close that it has received (§5.5.2)', async () => {
    const { peer } = await meet(role);
    peer.raw(Buffer.concat([peer.encode(8, Buffer.from([3, 232])), peer.encode(9, 'late')]));
    peer.fin();
    expect(await peer.rest()).toMatchObject([isClose(1000)]);
  });

  it.each<[what: string, code: number, bytes: (peer: NaivePeer) => Buffer]>([
    ['masking by the wrong side (§5.1)', 1002, (peer) => wrongMask(peer)],
    ['RSV1, which no extension has claimed (§5.2, §5.8)', 1002, (peer) => withFirst(peer, 0xc1)],
    ['RSV2 (§5.2)', 1002, (peer) => withFirst(peer, 0xa1)],
    ['RSV3 (§5.2)', 1002, (peer) => withFirst(peer, 0x91)],
    ['an unknown data opcode (§5.2, §5.8)', 1002, (peer) => peer.encode(3)],
    ['an unknown control opcode (§5.2)', 1002, (peer) => peer.encode(11)],
    ['a length with its highest bit set (§5.2)', 1002, (peer) => withLength(peer, 127, 0x80, 0, 0, 0, 0, 0, 0, 1)],
    ['a length in more bytes than needed (§5.2)', 1002, (peer) => withLength(peer, 126, 0, 125)],
    ['a fragmented ping (§5.4, §5.5)', 1002, (peer) => peer.encode(9, '', false)],
    ['a ping of 126 bytes (§5.5)', 1002, (peer) => peer.encode(9, Buffer.alloc(126))],
    [
      'a message inside another (§5.4)',
      1002,
      (peer) => Buffer.concat([peer.encode(1, 'a', false), peer.encode(1, 'b', true)]),
    ],
    ['a Close body of one byte (§5.5.1)', 1002, (peer) => peer.encode(8, 'x')],
    ['text that is not UTF-8 (§5.6, §8.1)', 1007, (peer) => peer.encode(1, Buffer.of(0x61, 0xff))],
    ['a reason that is not UTF-8 (§8.1)', 1007, (peer) => peer.encode(8, Buffer.of(3, 232, 0xff))],
    ['a message that is too large (§10.4)', 1009, (peer) => peer.encode(2, Buffer.alloc(1025))],
  ])('fails at %s with %i (§7.1.7, §10.7)', async (_what, code, bytes) => {
    const { conn, peer } = await meet(role, { maxMessageBytes: 1024 });
    peer.raw(bytes(peer));
    expect(await Promise.race([conn.recvFrame(), conn.closeInfo.then(() => null)])).toBeNull();
    expect((await peer.next())?.payload.readUInt16BE(0)).toBe(code);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code, wasClean: false, initiator: 'local' });
  });
});

describe.each(ROLES)('the end (%s)', (role) => {
  it('begins with a Close of the code and the reason that were given (§7.1.2)', async () => {
    const { conn, peer } = await meet(role);
    void conn.close(4001, 'bäng');
    expect(await peer.next()).toMatchObject(isClose(4001, 'bäng'));
    conn.forceClose();
  });

  it.each<[number, ((meeting: Meeting) => void)[]]>([
    [4002, [({ peer }) => peer.close(4002, 'theirs'), ({ conn }) => void conn.close(4001, 'ours')]],
    [4002, [({ conn }) => void conn.close(4001, 'ours'), ({ peer }) => peer.close(4002, 'theirs')]],
    [1005, [({ peer }) => peer.close()]],
    [1006, [({ peer }) => peer.reset()]],
    [1006, [({ peer }) => peer.fin()]],
  ])('has the code of the first Close that came, else 1005 or 1006: %i (§7.1.5)', async (code, steps) => {
    const meeting = await meet(role);
    for (const step of steps) {
      step(meeting);
      await turns();
    }
    meeting.peer.fin();
    expect(await meeting.conn.closeInfo).toMatchObject({ code });
  });

  it('is a failure that is told where the transport is lost (§7.2.1)', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp' });
    peer.reset();
    const { error, ...info } = await conn.closeInfo;
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'remote' });
    expect(error).toMatchObject({ code: 'WS_ERR_CLOSED' });
    expect(await conn.recvFrame()).toBeNull();
  });

  it('closes the TCP connection when it fails, and looks at nothing that still comes (§7.1.1, §7.1.7)', async () => {
    const { conn, peer, socket } = await meet(role, { over: 'tcp' });
    peer.raw(Buffer.concat([peer.encode(3), peer.encode(1, 'never'), peer.encode(8, Buffer.from([3, 232]))]));
    expect((await peer.rest()).map(({ opcode }) => opcode)).toEqual([8]);
    expect(await conn.recvFrame()).toBeNull();
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1002, initiator: 'local' });
    if (!socket.closed) await once(socket, 'close');
  });
});

describe('the TCP connection after both Close frames', () => {
  it('is closed by a server at once (§5.5.1, §7.1.1)', async () => {
    const { peer } = await meet('server', { over: 'tcp' });
    peer.close(1000);
    // The FIN comes though the peer has sent none.
    expect(await peer.rest()).toMatchObject([isClose(1000)]);
  });

  it('is left by a client to the server, and closed behind it (§5.5.1, §7.1.1)', async () => {
    const { conn, peer, socket } = await meet('client', { over: 'tcp' });
    peer.close(1000);
    expect(await peer.next()).toMatchObject(isClose(1000));
    await turns();
    expect(socket.writableEnded).toBe(false);
    peer.fin();
    expect(await peer.rest()).toEqual([]);
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
    if (!socket.closed) await once(socket, 'close');
  });

  it('is closed by a client all the same where the server does not do it (§5.5.1, §7.1.1)', async () => {
    const { conn, peer, socket } = await meet('client', { over: 'tcp', closeTimeoutMs: 40 });
    peer.close(1000);
    expect(await peer.rest()).toMatchObject([isClose(1000)]);
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
    expect(socket.destroyed).toBe(true);
  });
});
