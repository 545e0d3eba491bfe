/** A connection as plain bytes. How it ends is in byte-stream.endings.spec.ts. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { ClosedError, ProtocolError } from '../../../lib/errors.ts';
import { until } from '../../support/endpoints.ts';
import { closeBody, isClose, meet, type NaivePeer, ROLES, turns } from '../../support/naive-peer.ts';
import { outcome } from '../../support/outcome.ts';
import { endTransport } from '../../support/peer-endings.ts';

const KIB = 1024;

const listed = async (stream: AsyncIterable<Uint8Array>): Promise<string> => {
  let text = '';
  for await (const chunk of stream) text += Buffer.from(chunk).toString('latin1');
  return text;
};

/** Ends in order: the peer closes, and the connection's own close frame and end follow. */
async function closeByPeer(peer: NaivePeer): Promise<void> {
  peer.close(1000);
  expect((await peer.find(8))?.payload).toEqual(closeBody(1000));
  await endTransport(peer);
}

describe.each(ROLES)('byteStream() (%s)', (role) => {
  it('gives the bytes of binary messages, wherever they begin and end (§5.4, §5.6)', async () => {
    const { conn, peer } = await meet(role);
    const all = listed(conn.byteStream());
    peer.send(2, 'one ');
    peer.send(2, '');
    peer.send(2, 'tw', false);
    peer.send(0, '', false);
    peer.send(0, 'o ');
    peer.send(2, 'three');
    await closeByPeer(peer);
    expect(await all).toBe('one two three');
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true, initiator: 'remote' });
  });

  it('gives half a message while the other half is not there', async () => {
    const { conn, peer } = await meet(role);
    const bytes = conn.byteStream();
    const whole = peer.encode(2, Buffer.alloc(100_000, 'h'));
    peer.raw(whole.subarray(0, 70_000));
    let length = 0;
    bytes.on('data', (chunk: Buffer) => (length += chunk.length));
    await until(() => length > 65_000);
    expect(length).toBeLessThanOrEqual(70_000);
    peer.raw(whole.subarray(70_000));
    await until(() => length >= 100_000);
    expect(length).toBe(100_000);
  });

  it('gives what came before it was called, and what comes on', async () => {
    const { conn, peer } = await meet(role);
    peer.send(2, 'early ', false);
    await turns();
    const all = listed(conn.byteStream());
    peer.send(0, 'late');
    await closeByPeer(peer);
    expect(await all).toBe('early late');
  });

  it('sends what is written as binary messages (§5.6)', async () => {
    const { conn, peer } = await meet(role);
    const bytes = conn.byteStream();
    bytes.write('as text');
    bytes.write(Buffer.of(0, 255));
    expect(await peer.next()).toMatchObject({ opcode: 2, payload: Buffer.from('as text'), isFinal: true });
    expect(await peer.next()).toMatchObject({ opcode: 2, payload: Buffer.of(0, 255) });
  });

  it('cuts a large write into fragments of 64 KiB (§5.4)', async () => {
    const { conn, peer } = await meet(role);
    conn.byteStream().write(Buffer.alloc(150_000));
    const frames = [await peer.next(), await peer.next(), await peer.next()];
    expect(frames.map((frame) => [frame?.opcode, frame?.payload.length, frame?.isFinal])).toEqual([
      [2, 65_536, false],
      [0, 65_536, false],
      [0, 18_928, true],
    ]);
  });

  it('skips control frames, also where an option delivers them', async () => {
    const { conn, peer } = await meet(role, { controlFrames: true });
    const all = listed(conn.byteStream());
    peer.send(2, 'a', false);
    peer.ping('within');
    peer.send(10, 'pong');
    peer.send(0, 'b');
    expect(await peer.next()).toMatchObject({ opcode: 10, payload: Buffer.from('within') });
    await closeByPeer(peer);
    expect(await all).toBe('ab');
  });

  it('locks the connection: other readers are refused, and a second stream', async () => {
    const { conn } = await meet(role);
    conn.byteStream();
    await expect(conn.recvFrame()).rejects.toMatchObject({ code: 'WS_ERR_LOCKED' });
    for (const take of [() => conn.toWeb(), () => conn.byteStream(), () => conn.messages(), () => conn.read()]) {
      expect(take).toThrow(expect.objectContaining({ code: 'WS_ERR_LOCKED' }));
    }
  });

  it.each([
    ['a text message', (peer: NaivePeer) => peer.text('text')],
    ['the first fragment of one', (peer: NaivePeer) => peer.send(1, 'te', false)],
    ['an empty one', (peer: NaivePeer) => peer.text('')],
  ])('fails the connection with 1003 for %s, behind the bytes before it (§7.4.1)', async (_name, send) => {
    const { conn, peer } = await meet(role);
    const bytes = conn.byteStream();
    let text = '';
    bytes.on('data', (chunk: Buffer) => (text += chunk));
    peer.send(2, 'bytes');
    send(peer);
    expect((await peer.find(8))?.payload.readUInt16BE(0)).toBe(1003);
    peer.fin();
    const { code, wasClean, error } = await conn.closeInfo;
    expect({ code, wasClean, text }).toEqual({ code: 1003, wasClean: false, text: 'bytes' });
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject({ code: 'WS_ERR_UNEXPECTED_TEXT', closeCode: 1003, section: 'RFC 6455 §7.4.1' });
  });

  it('end() is the closing handshake; what comes before the answer is still read (§5.5.1)', async () => {
    const { conn, peer } = await meet(role);
    const bytes = conn.byteStream();
    const all = listed(bytes);
    bytes.end('last words');
    expect((await peer.next())?.payload.toString()).toBe('last words');
    expect(await peer.next()).toMatchObject(isClose(1000));
    peer.send(2, 'one more');
    peer.close(1000);
    await endTransport(peer);
    expect(await all).toBe('one more');
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true, initiator: 'local' });
  });

  it('leaving its loop early breaks the connection off, as on any Duplex', async () => {
    const { conn, peer } = await meet(role);
    peer.send(2, 'one');
    for await (const _chunk of conn.byteStream()) break;
    expect(await conn.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
    expect(await peer.rest()).toEqual([]);
  });

  it('gives a late write its error in the callback, and crashes nothing', async () => {
    const { conn, peer } = await meet(role);
    const bytes = conn.byteStream();
    peer.fin();
    await conn.closeInfo;
    const error = await new Promise((resolve) => bytes.write('late', resolve));
    expect(error).toBeInstanceOf(ClosedError);
    expect(bytes.destroyed).toBe(true);
  });

  it('gives the half message before a cut, then the error', async () => {
    const { conn, peer } = await meet(role);
    const bytes = conn.byteStream();
    peer.send(2, 'half', false);
    peer.fin();
    let text = '';
    const reading = (async () => {
      for await (const chunk of bytes) text += chunk;
    })();
    expect(await outcome(reading)).toBeInstanceOf(ClosedError);
    expect(text).toBe('half');
  });

  it('holds back a peer where nobody reads, and loses nothing', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', maxBufferedBytes: 64 * KIB });
    const bytes = conn.byteStream();
    bytes.read(0);
    const message = peer.encode(2, Buffer.alloc(20_000, 'x'));
    let count = 0;
    for (let isHeld = false; !isHeld && count < 4000; count++) {
      if (peer.raw(message)) continue;
      await turns(20);
      isHeld = peer.socket.writableNeedDrain;
    }
    expect(count).toBeLessThan(4000);
    expect(bytes.readableLength).toBeLessThan(256 * KIB);
    let length = 0;
    bytes.on('data', (chunk: Buffer) => (length += chunk.length));
    await closeByPeer(peer);
    expect(length).toBe(count * 20_000);
  });

  it('is held back by a peer that does not read, and goes on when it does', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp' });
    const bytes = conn.byteStream();
    const chunk = Buffer.alloc(256 * KIB);
    let written = 0;
    for (let isHeld = false; !isHeld && written < 256; written++) {
      if (bytes.write(chunk)) continue;
      await turns(20);
      isHeld = bytes.writableNeedDrain;
    }
    expect(written).toBeLessThan(256);
    peer.listen();
    await once(bytes, 'drain');
  });

  it.each(['tcp', 'memory'] as const)('carries 20 MB both ways at once, intact (%s)', async (over) => {
    const { conn, peer } = await meet(role, { over });
    const other = role === 'client' ? 'fromServer' : 'fromClient';
    const { WsConnection } = await import('../../../lib/connection/ws-connection.ts');
    const [here, there] = [conn.byteStream(), WsConnection[other](peer.socket).byteStream()];
    const chunks = Array.from({ length: 200 }, (_, i) => Buffer.alloc(100_000 + i, i));
    const expected = Buffer.concat(chunks);
    const echo = pipeline(there, there);
    const sending = pipeline(Readable.from(chunks), here, { end: false });
    const got: Buffer[] = [];
    let length = 0;
    for await (const chunk of here) {
      got.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length >= expected.length && !here.writableEnded) here.end();
    }
    await sending;
    await echo;
    expect(Buffer.concat(got).equals(expected)).toBe(true);
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });
});
