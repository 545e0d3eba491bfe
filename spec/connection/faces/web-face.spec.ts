/** The WHATWG streams of a connection: messages, backpressure, and every end of either side. */
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { ClosedError, ProtocolError } from '../../../lib/errors.ts';
import { closeBody, isClose, meet, type NaivePeer, ROLES, turns } from '../../support/naive-peer.ts';
import { outcome } from '../../support/outcome.ts';
import { answerClose, endTransport } from '../../support/peer-endings.ts';

type Web = ReturnType<WsConnection['toWeb']>;

const KIB = 1024;

/** Writes until the peer is held back, or so many bytes have left. @returns how many messages were written */
async function flood(peer: NaivePeer, message: Buffer, limit: number): Promise<number> {
  let written = 0;
  while (written * message.length < limit) {
    written++;
    if (peer.raw(message)) continue;
    await turns(20);
    if (peer.socket.writableNeedDrain) break;
  }
  return written;
}

describe.each(ROLES)('toWeb() (%s)', (role) => {
  it('gives strings for text and Uint8Arrays for binary, one chunk a message (§5.6)', async () => {
    const { conn, peer } = await meet(role);
    const reader = conn.toWeb().readable.getReader();
    peer.text('Grüße');
    peer.send(2, Buffer.of(1, 2));
    peer.send(1, 'in ', false);
    peer.send(9, 'ping');
    peer.send(0, 'pieces');
    peer.text('');
    expect((await reader.read()).value).toBe('Grüße');
    expect((await reader.read()).value).toEqual(Buffer.of(1, 2));
    expect((await reader.read()).value).toBe('in pieces');
    expect((await reader.read()).value).toBe('');
    expect(await peer.next()).toMatchObject({ opcode: 10, payload: Buffer.from('ping') });
  });

  it('sends a string as text and bytes as binary (§5.6), masked as the role demands (§5.1)', async () => {
    const { conn, peer } = await meet(role);
    const writer = conn.toWeb().writable.getWriter();
    await writer.write('text');
    await writer.write(new Uint8Array([3]));
    expect(await peer.next()).toMatchObject({ opcode: 1, payload: Buffer.from('text'), isMasked: role === 'client' });
    expect(await peer.next()).toMatchObject({ opcode: 2, payload: Buffer.of(3) });
  });

  it('fails the writable with a TypeError for what is neither, and the connection goes on until then', async () => {
    const { conn, peer } = await meet(role);
    const { writable, readable } = conn.toWeb();
    const writer = writable.getWriter();
    await expect(writer.write(5 as never)).rejects.toBeInstanceOf(TypeError);
    peer.text('still here');
    expect((await readable.getReader().read()).value).toBe('still here');
  });

  it('skips control frames, also where an option delivers them', async () => {
    const { conn, peer } = await meet(role, { controlFrames: true, autoPong: false });
    const reader = conn.toWeb().readable.getReader();
    peer.ping('one');
    peer.send(10, 'two');
    peer.text('message');
    expect((await reader.read()).value).toBe('message');
    peer.ping('three');
    peer.close(1000);
    const end = reader.read();
    expect(await peer.next()).toMatchObject(isClose(1000));
    await endTransport(peer);
    expect(await end).toEqual({ value: undefined, done: true });
  });

  it('locks the connection: other readers are refused, and a second pair', async () => {
    const { conn } = await meet(role);
    conn.toWeb();
    await expect(conn.recvFrame()).rejects.toMatchObject({ code: 'WS_ERR_LOCKED' });
    for (const take of [() => conn.toWeb(), () => conn.byteStream(), () => conn.messages(), () => conn.resume()]) {
      expect(take).toThrow(expect.objectContaining({ code: 'WS_ERR_LOCKED' }));
    }
  });

  it('gives what came before it was called', async () => {
    const { conn, peer } = await meet(role);
    peer.text('early');
    await turns();
    expect((await conn.toWeb().readable.getReader().read()).value).toBe('early');
  });

  it('holds back a peer where nobody reads, and loses nothing', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', maxBufferedBytes: 64 * KIB });
    const { readable } = conn.toWeb();
    const count = await flood(peer, peer.encode(2, Buffer.alloc(20_000, 'x')), 64 * KIB * KIB);
    expect(count * 20_000).toBeLessThan(32 * KIB * KIB);
    const reader = readable.getReader();
    for (let i = 0; i < count; i++) expect((await reader.read()).value).toHaveLength(20_000);
  });

  it('is ready to write only where there is room', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp' });
    const writer = conn.toWeb().writable.getWriter();
    const chunk = new Uint8Array(512 * KIB);
    let accepted = 0;
    let isHeld = false;
    while (!isHeld && accepted < 128) {
      const sent = writer.write(chunk).then(() => accepted++);
      const stuck = turns(50).then(() => 'stuck');
      isHeld = (await Promise.race([sent, stuck])) === 'stuck';
    }
    expect(isHeld).toBe(true);
    expect(writer.desiredSize).toBe(0);
    peer.listen();
    await writer.ready;
  });

  it('writer.close() is the closing handshake, behind what was written (§7.1.2)', async () => {
    const { conn, peer } = await meet(role);
    const { readable, writable } = conn.toWeb();
    const writer = writable.getWriter();
    void writer.write('last words');
    const closing = writer.close();
    const reader = readable.getReader();
    peer.text('one more');
    expect((await reader.read()).value).toBe('one more');
    expect((await peer.next())?.payload.toString()).toBe('last words');
    await answerClose(peer);
    await closing;
    expect((await reader.read()).done).toBe(true);
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true, initiator: 'local' });
  });

  it('writer.close() rejects with the reason where the peer never answers', async () => {
    const { conn, peer } = await meet(role);
    const { readable, writable } = conn.toWeb();
    const closing = outcome(writable.close());
    const end = outcome(readable.getReader().read());
    expect(await peer.next()).toMatchObject(isClose(1000));
    peer.reset();
    const { error } = await conn.closeInfo;
    expect(error).toBeInstanceOf(ClosedError);
    expect([await closing, await end]).toEqual([error, error]);
  });

  it('readable.cancel() closes with 1000, past what is unread', async () => {
    const { conn, peer } = await meet(role, { over: 'tcp', maxBufferedBytes: 16 * KIB });
    const { readable } = conn.toWeb();
    const count = await flood(peer, peer.encode(2, Buffer.alloc(20_000)), 64 * KIB * KIB);
    expect(count).toBeGreaterThan(3);
    const cancelled = readable.cancel('enough');
    await answerClose(peer);
    await cancelled;
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });

  it('readable.cancel() under a read that waits ends that read', async () => {
    const { conn, peer } = await meet(role);
    const reader = conn.toWeb().readable.getReader();
    const read = reader.read();
    const cancelled = reader.cancel();
    expect(await read).toEqual({ value: undefined, done: true });
    peer.text('too late');
    await answerClose(peer);
    await cancelled;
    expect(await conn.closeInfo).toMatchObject({ wasClean: true });
  });

  it('writer.abort() destroys the connection and errors the readable', async () => {
    const { conn, peer } = await meet(role);
    const { readable, writable } = conn.toWeb();
    const read = outcome(readable.getReader().read());
    await writable.abort(new Error('no more'));
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ code: 1006, initiator: 'local' });
    expect(await read).toBe(info.error);
    expect(await peer.rest()).toEqual([]);
  });

  it('echoes with readable.pipeTo(writable), and ends with the peer', async () => {
    const { conn, peer } = await meet(role);
    const { readable, writable } = conn.toWeb();
    const piped = readable.pipeTo(writable);
    peer.text('a');
    peer.send(2, 'b');
    peer.raw(Buffer.concat([peer.encode(1, 'c'), peer.encode(8, closeBody(1001, 'bye'))]));
    const frames = [await peer.next(), await peer.next(), await peer.next()];
    expect(frames.map((frame) => [frame?.opcode, frame?.payload.toString()])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [1, 'c'],
    ]);
    expect(await peer.next()).toMatchObject(isClose(1001, 'bye'));
    await endTransport(peer);
    await piped;
    expect(await conn.closeInfo).toMatchObject({ code: 1001, wasClean: true });
  });

  it('tells a writer of a clean close by the peer, where nobody reads', async () => {
    const { conn, peer } = await meet(role);
    const writer = conn.toWeb().writable.getWriter();
    const closed = outcome(writer.closed);
    peer.close(1000);
    expect(await peer.next()).toMatchObject(isClose(1000));
    await endTransport(peer);
    expect(await closed).toBeInstanceOf(ClosedError);
    await expect(writer.write('late')).rejects.toBeInstanceOf(ClosedError);
  });

  it('rejects a write behind a clean close by the peer, where somebody reads', async () => {
    const { conn, peer } = await meet(role);
    const { readable, writable } = conn.toWeb();
    const end = readable.getReader().read();
    peer.close(1000);
    expect(await peer.next()).toMatchObject(isClose(1000));
    await endTransport(peer);
    expect((await end).done).toBe(true);
    await expect(writable.getWriter().write('late')).rejects.toBeInstanceOf(ClosedError);
  });
});

const CUTS: readonly [string, (peer: NaivePeer) => void, typeof ClosedError | typeof ProtocolError][] = [
  ['a FIN', (peer) => peer.fin(), ClosedError],
  [
    'a FIN inside a message',
    (peer) => {
      peer.send(1, 'half', false);
      peer.fin();
    },
    ClosedError,
  ],
  ['a reset', (peer) => peer.reset(), ClosedError],
  [
    'a violation',
    (peer) => {
      peer.send(11);
      peer.fin();
    },
    ProtocolError,
  ],
  [
    'a text that is not UTF-8 (§8.1)',
    (peer) => {
      peer.send(1, Buffer.of(0xff));
      peer.fin();
    },
    ProtocolError,
  ],
];

const HOLDERS: readonly [string, (web: Web) => Promise<unknown>[]][] = [
  ['a reader and a writer', ({ readable, writable }) => [readable.getReader().read(), writable.getWriter().closed]],
  ['an echo', ({ readable, writable }) => [readable.pipeTo(writable)]],
];

describe.each(ROLES.flatMap((role) => [[role, 'memory'] as const, [role, 'tcp'] as const]))(
  'a cut of toWeb() (%s, %s)',
  (role, over) => {
    for (const [holder, hold] of HOLDERS) {
      it.each(CUTS)(`errors both streams with the same error: %s, with ${holder}`, async (_name, cut, type) => {
        const { conn, peer } = await meet(role, { over });
        const held = hold(conn.toWeb()).map(outcome);
        await turns(2);
        cut(peer);
        peer.listen();
        const errors = await Promise.all(held);
        const { error } = await conn.closeInfo;
        expect(error).toBeInstanceOf(type);
        for (const each of errors) expect(each).toBe(error);
      });
    }

    it.each(CUTS)('comes behind the messages, and ends no process that does not look: %s', async (_name, cut, type) => {
      const { conn, peer } = await meet(role, { over });
      const { readable } = conn.toWeb();
      peer.text('before');
      await turns(2);
      cut(peer);
      peer.listen();
      const reader = readable.getReader();
      const read = await outcome(reader.read().then(({ value }) => expect(value).toBe('before')));
      // A reset may throw away what the system has not handed over.
      if (_name !== 'a reset') expect(read).toBe('done');
      expect(await outcome(reader.read())).toBeInstanceOf(type);
    });
  },
);
