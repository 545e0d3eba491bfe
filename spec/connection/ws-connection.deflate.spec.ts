/** Compressed connections against a peer made of bytes, in both roles: what is on the wire, and what a bad peer can do. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createPerMessageDeflate, type PerMessageDeflateOptions } from '../../lib/deflate/per-message-deflate.ts';
import { acceptExtensions, confirmExtensions } from '../../lib/handshake/extension-negotiation.ts';
import type { ConnectionOptions } from '../../lib/options.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { listenTo } from '../support/channels.ts';
import { closeBody, type Meeting, meet, ROLES, type Role, turns, type WireFrame } from '../support/naive-peer.ts';

const TEXT = 1;
const BINARY = 2;
const RSV1 = 0x40;
const OFFER = 'permessage-deflate; client_max_window_bits';

/** A connection that has negotiated, and a peer that has not a line of ours. */
async function compressed(
  role: Role,
  deflate: PerMessageDeflateOptions = {},
  options: ConnectionOptions & { over?: 'tcp' | 'memory' } = {},
): Promise<Meeting> {
  const accepted = acceptExtensions(OFFER, [createPerMessageDeflate(deflate)]);
  const own = [createPerMessageDeflate()];
  const extensions = role === 'server' ? accepted : confirmExtensions(accepted.header, own);
  return meet(role, { ...options, extensions });
}

const deflate = (data: Uint8Array | string): Buffer =>
  deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const inflate = (data: Uint8Array): Buffer =>
  inflateRawSync(Buffer.concat([data, Buffer.of(0, 0, 0xff, 0xff)]), { finishFlush: constants.Z_SYNC_FLUSH });

/** Sets RSV1 in the bytes of a frame. */
function marked(bytes: Buffer): Buffer {
  bytes[0] = bytes[0]! | RSV1;
  return bytes;
}

const sendDeflated = ({ peer }: Meeting, opcode: number, data: Uint8Array | string): boolean =>
  peer.raw(marked(peer.encode(opcode, deflate(data))));

const BOMB_BYTES = 2 ** 26;

/** One message of many frames, each of them a little of a compressed stream. */
function sendInFragments(peer: Meeting['peer'], data: Buffer): void {
  for (let at = 0; at < data.length; at += 1000) {
    const bytes = peer.encode(at === 0 ? BINARY : 0, data.subarray(at, at + 1000), at + 1000 >= data.length);
    peer.raw(at === 0 ? marked(bytes) : bytes);
  }
}

/** What 64 MiB of nothing come to. */
const BOMB = deflate(Buffer.alloc(BOMB_BYTES));
/** A message that others may refer to, and 64 MiB that are nothing but references to it. */
const DICTIONARY = Buffer.from(Array.from({ length: 1000 }, (_, at) => (at * at * 31) >> 3));
const REFERENCES = deflateRawSync(Buffer.alloc(BOMB_BYTES, DICTIONARY), {
  finishFlush: constants.Z_SYNC_FLUSH,
  dictionary: DICTIONARY,
}).subarray(0, -4);

const LINE = 'the same again and again, '.repeat(40);

describe.each(ROLES)('a %s with permessage-deflate', (role) => {
  it('marks the first frame of a compressed message, and no other one (RFC 7692 §6.1)', async () => {
    const { conn, peer } = await compressed(role);
    peer.listen();
    void conn.sendText(LINE);
    void conn.sendText('short');
    void conn.sendText(LINE, { compress: false });
    void conn.sendText('s', { compress: true });
    void conn.sendFrame(new WsFrame(TEXT, Buffer.from(LINE), { compress: false }));
    void conn.sendFrame(new WsFrame(TEXT, Buffer.from(LINE), { compress: false }), { compress: true });
    const message = conn.createMessage('text', { compress: true });
    message.end(LINE);
    const plain = conn.createMessage('text', { compress: false });
    plain.end(LINE);
    void conn.close();
    const frames = await readAll(peer.rest(), peer);
    const starts = frames.filter(({ opcode }) => opcode === TEXT).map(({ rsv }) => rsv);
    expect(starts).toEqual([4, 0, 0, 4, 0, 4, 4, 0]);
    expect(frames.filter(({ opcode }) => opcode !== TEXT).every(({ rsv }) => rsv === 0)).toBe(true);
    expect(frames.every(({ isMasked }) => isMasked === (role === 'client'))).toBe(true);
    expect(inflate(frames[0]!.payload).toString()).toBe(LINE);
    // The context is untouched by what was sent plain (§7.2.1), and each message is whole.
    expect(conn.bufferedAmount).toBe(0);
  });

  it("what is broken in its options is the caller's mistake", async () => {
    const { conn } = await compressed(role);
    const compress = 'yes' as unknown as boolean;
    await expect(conn.sendText('a', { compress })).rejects.toThrow(TypeError);
    expect(() => conn.createMessage('text', { compress })).toThrow(TypeError);
    conn.forceClose();
  });

  it('takes compressed and plain messages, whole and in fragments, with pings between (RFC 7692 §6.1, §6.2, §7.2.1, §7.2.2)', async () => {
    const meeting = await compressed(role);
    const { conn, peer } = meeting;
    peer.listen();
    sendDeflated(meeting, TEXT, LINE);
    peer.text('plain');
    const data = deflate(LINE);
    peer.raw(marked(peer.encode(BINARY, data.subarray(0, 3), false)));
    peer.ping('between');
    peer.send(0, data.subarray(3), true);
    peer.raw(marked(peer.encode(TEXT, Buffer.of(0))));
    expect((await conn.recvFrame())?.payloadText()).toBe(LINE);
    expect((await conn.recvFrame())?.payloadText()).toBe('plain');
    const binary = await conn.recvFrame();
    expect([binary?.isBinary(), binary?.payloadText(), binary?.rsv]).toEqual([true, LINE, 0]);
    expect((await conn.recvFrame())?.payloadText()).toBe('');
    expect((await peer.find(10))?.payload.toString()).toBe('between');
    conn.forceClose();
  });

  const attacks: [string, number, (meeting: Meeting) => void][] = [
    [
      'data that is no DEFLATE (RFC 7692 §7.2.2)',
      1007,
      ({ peer }) => peer.raw(marked(peer.encode(TEXT, Buffer.of(7)))),
    ],
    ['text that is no UTF-8 when it is inflated (§8.1)', 1007, (m) => sendDeflated(m, TEXT, Buffer.of(0x61, 0xff))],
    [
      'RSV1 on a continuation (RFC 7692 §6.1)',
      1002,
      ({ peer }) => {
        const data = deflate(LINE);
        peer.raw(marked(peer.encode(TEXT, data.subarray(0, 3), false)));
        peer.raw(marked(peer.encode(0, data.subarray(3))));
      },
    ],
    ['RSV1 on a ping (RFC 7692 §6.1)', 1002, ({ peer }) => peer.raw(marked(peer.encode(9, 'a')))],
    [
      "RSV2, which is nobody's (§5.2)",
      1002,
      ({ peer }) => {
        const bytes = peer.encode(TEXT, 'a');
        bytes[0] = bytes[0]! | 0x20;
        peer.raw(bytes);
      },
    ],
    ['a bomb (§10.4)', 1009, (m) => sendDeflated(m, BINARY, Buffer.alloc(20_000_000))],
    ['a bomb in fragments (§10.4)', 1009, ({ peer }) => sendInFragments(peer, deflate(Buffer.alloc(20_000_000)))],
  ];

  it.each(attacks)('answers %s with %i, behind the messages before it', async (_name, code, attack) => {
    const meeting = await compressed(role);
    const { conn, peer } = meeting;
    peer.listen();
    for (let i = 0; i < 3; i++) sendDeflated(meeting, TEXT, `${i}${LINE}`);
    attack(meeting);
    peer.text('not any more');
    for (let i = 0; i < 3; i++) {
      expect((await conn.recvFrame())?.payloadText()).toBe(`${i}${LINE}`);
      expect(conn.isOpen()).toBe(true);
    }
    expect(await conn.recvFrame()).toBeNull();
    expect((await peer.find(8))?.payload.readUInt16BE()).toBe(code);
    peer.close(code);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code, wasClean: false, error: { closeCode: code } });
  });

  const bombs: [string, (meeting: Meeting) => void][] = [
    ['whole', ({ peer }) => peer.raw(marked(peer.encode(BINARY, BOMB)))],
    ['in fragments', ({ peer }) => sendInFragments(peer, BOMB)],
    [
      'through takeover',
      (meeting) => {
        sendDeflated(meeting, BINARY, DICTIONARY);
        sendInFragments(meeting.peer, REFERENCES);
      },
    ],
  ];

  it.each(bombs)('holds no more of a bomb than its limit, over TCP: %s (§10.4)', async (_name, attack) => {
    const meeting = await compressed(role, {}, { over: 'tcp', maxMessageBytes: 1_000_000 });
    const { conn, peer } = meeting;
    peer.listen();
    let least = Number.POSITIVE_INFINITY;
    let growth = 0;
    const watch = setInterval(() => {
      const { arrayBuffers } = process.memoryUsage();
      least = Math.min(least, arrayBuffers);
      growth = Math.max(growth, arrayBuffers - least);
    }, 1);
    attack(meeting);
    let last = await conn.recvFrame();
    while (last !== null) last = await conn.recvFrame();
    clearInterval(watch);
    expect((await peer.find(8))?.payload.readUInt16BE()).toBe(1009);
    expect(growth).toBeLessThan(BOMB_BYTES / 4);
    peer.close(1009);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1009, wasClean: false });
  });

  it('stops a bomb by its ratio (§10.4)', async () => {
    const limits = listenTo<{ limit: string; connection: unknown }>('wspipe:limit');
    const meeting = await compressed('server', { maxInflatedRatio: 50 });
    meeting.peer.listen();
    sendDeflated(meeting, BINARY, Buffer.alloc(2_000_000));
    expect(await meeting.conn.recvFrame()).toBeNull();
    expect((await meeting.peer.find(8))?.payload.readUInt16BE()).toBe(1009);
    meeting.conn.forceClose();
    expect(limits).toEqual([{ limit: 'maxInflatedRatio', connection: meeting.conn }]);
  });

  it('inflates no further than somebody reads: an unread bomb stays small', async () => {
    const meeting = await compressed(role, {}, { maxMessageBytes: Number.POSITIVE_INFINITY });
    const { conn, peer } = meeting;
    peer.listen();
    // The first read decides; then nobody reads on.
    const zeros = Buffer.alloc(16_000_000);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 8; i++) sendDeflated(meeting, BINARY, zeros);
    await turns(200);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(30_000_000);
    // Nothing of it is lost.
    let bytes = 0;
    for await (const message of conn.messages()) {
      for await (const chunk of message) bytes += (chunk as Buffer).length;
      if (bytes === 8 * 16_000_000) break;
    }
    conn.forceClose();
  });

  it('answers a ping while it sends a long message, and sends nothing behind its close (§5.5.1)', async () => {
    const { conn, peer } = await compressed(role, {}, { over: 'tcp' });
    peer.listen();
    const noise = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * at * 31) >> 3));
    const sending = conn.sendBinary(noise, { compress: true });
    const closing = conn.close();
    peer.ping('now');
    const seen: WireFrame[] = [];
    for (let frame = await peer.next(); frame !== null && frame.opcode !== 8; frame = await peer.next())
      seen.push(frame);
    const pong = seen.findIndex(({ opcode }) => opcode === 10);
    expect([pong >= 0, pong < seen.length - 1]).toEqual([true, true]);
    const parts = seen.filter(({ opcode }) => opcode !== 10);
    expect(inflate(Buffer.concat(parts.map(({ payload }) => payload))).equals(noise)).toBe(true);
    peer.close(1000);
    peer.fin();
    expect(await sending).toBeGreaterThan(0);
    expect(await closing).toMatchObject({ code: 1000, wasClean: true });
  });

  it('a cut inside a compressed message is a cut (§7.1.5)', async () => {
    const { conn, peer } = await compressed(role);
    peer.listen();
    peer.raw(marked(peer.encode(TEXT, deflate(LINE).subarray(0, 5), false)));
    peer.fin();
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1006, wasClean: false });
  });
});

/** Reads to the close frame and answers it. */
async function readAll(rest: Promise<WireFrame[]>, peer: Meeting['peer']): Promise<WireFrame[]> {
  peer.raw(peer.encode(8, closeBody(1000)));
  peer.fin();
  return rest;
}
