/** A violation of the peer takes its place behind the messages before it, and the connection fails with its code. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ProtocolError } from '../../lib/errors.ts';
import { closeBody, meet, type NaivePeer, ROLES, turns } from '../support/naive-peer.ts';

interface Breach {
  readonly name: string;
  readonly bytes: (peer: NaivePeer) => Buffer;
  readonly closeCode: number;
  readonly error: string;
}

const BREACHES: readonly Breach[] = [
  {
    name: 'a reserved opcode (§5.2)',
    bytes: (peer) => peer.encode(11),
    closeCode: 1002,
    error: 'WS_ERR_RESERVED_OPCODE',
  },
  {
    name: 'a reserved bit (§5.2)',
    bytes: (peer) => Buffer.concat([Buffer.from([0xc1]), peer.encode(1, 'x').subarray(1)]),
    closeCode: 1002,
    error: 'WS_ERR_RESERVED_BITS',
  },
  {
    name: 'the wrong masking (§5.1)',
    bytes: (peer) => {
      const bytes = peer.encode(2, 'abcdef');
      bytes[1] = bytes[1]! ^ 0x80;
      return bytes;
    },
    closeCode: 1002,
    error: '',
  },
  {
    name: 'a stray continuation (§5.4)',
    bytes: (peer) => peer.encode(0, 'x'),
    closeCode: 1002,
    error: 'WS_ERR_STRAY_CONTINUATION',
  },
  {
    name: 'text that is not UTF-8 (§8.1)',
    bytes: (peer) => peer.encode(1, Buffer.from([0x61, 0xff])),
    closeCode: 1007,
    error: 'WS_ERR_INVALID_UTF8',
  },
  {
    name: 'a close body of one byte (§5.5.1)',
    bytes: (peer) => peer.encode(8, 'x'),
    closeCode: 1002,
    error: 'WS_ERR_CLOSE_BODY',
  },
  {
    name: 'a close code that may not be (§7.4)',
    bytes: (peer) => peer.encode(8, closeBody(1006)),
    closeCode: 1002,
    error: 'WS_ERR_CLOSE_CODE',
  },
  {
    name: 'a message that is too large (§10.4)',
    bytes: (peer) => peer.encode(2, Buffer.alloc(1025)),
    closeCode: 1009,
    error: 'WS_ERR_MESSAGE_TOO_LARGE',
  },
  {
    name: 'fragments that are too large together (§10.4)',
    bytes: (peer) =>
      Buffer.concat([peer.encode(2, Buffer.alloc(1000), false), peer.encode(0, Buffer.alloc(25), false)]),
    closeCode: 1009,
    error: 'WS_ERR_MESSAGE_TOO_LARGE',
  },
];

describe.each(ROLES)('a failure travels in order (%s)', (role) => {
  it.each(BREACHES)(
    'answers every message before $name, then closes with $closeCode',
    async ({ bytes, closeCode, error }) => {
      const { conn, peer } = await meet(role, { over: 'tcp', maxMessageBytes: 1024 });
      peer.raw(Buffer.concat([peer.encode(1, 'a'), peer.encode(1, 'b'), bytes(peer), peer.encode(1, 'never')]));
      for await (const frame of conn) {
        await new Promise(setImmediate);
        expect(await conn.sendText(frame.payloadText())).toBeGreaterThan(0);
      }
      expect(conn.isOpen()).toBe(false);
      const frames = await peer.rest();
      expect(frames.map(({ opcode }) => opcode)).toEqual([1, 1, 8]);
      expect(frames[2]!.payload.readUInt16BE(0)).toBe(closeCode);
      peer.fin();
      const info = await conn.closeInfo;
      expect(info).toMatchObject({ code: closeCode, wasClean: false, initiator: 'local' });
      expect(info.error).toBeInstanceOf(ProtocolError);
      if (error !== '') expect(info.error).toMatchObject({ code: error, closeCode });
      expect(frames[2]!.payload.subarray(2).toString()).toBe(info.reason);
    },
  );

  it('fails at once where nobody has read and nothing is unread (§7.1.7)', async () => {
    const { conn, peer } = await meet(role);
    peer.send(11);
    expect((await peer.next())?.payload.readUInt16BE(0)).toBe(1002);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1002, wasClean: false, initiator: 'local' });
    expect(await conn.recvFrame()).toBeNull();
  });

  it('fails after half of closeTimeoutMs where nobody asks, and what was unread stays readable', async () => {
    const { conn, peer } = await meet(role, { closeTimeoutMs: 300 });
    peer.text('unread');
    peer.send(11);
    await turns();
    expect(conn.isOpen()).toBe(true);
    expect((await peer.next())?.payload.readUInt16BE(0)).toBe(1002);
    peer.fin();
    await conn.closeInfo;
    expect((await conn.recvFrame())?.payloadText()).toBe('unread');
    expect(await conn.recvFrame()).toBeNull();
  });

  it('counts what came first: a message that is too large, though a close frame came behind it (§10.4)', async () => {
    const { conn, peer } = await meet(role, { maxMessageBytes: 10 });
    peer.raw(Buffer.concat([peer.encode(1, 'a'), peer.encode(1, 'far too large'), peer.encode(8, closeBody(1000))]));
    await turns();
    expect((await conn.recvFrame())?.payloadText()).toBe('a');
    expect(await conn.recvFrame()).toBeNull();
    expect((await peer.next())?.payload.readUInt16BE(0)).toBe(1009);
    peer.fin();
    const { error, ...info } = await conn.closeInfo;
    expect(info).toMatchObject({ code: 1009, wasClean: false, initiator: 'local' });
    expect(error).toMatchObject({ code: 'WS_ERR_MESSAGE_TOO_LARGE' });
  });

  it('says 1009 for a message that memory has no room for, where no limit refused it (§10.4)', async () => {
    const { conn, peer } = await meet(role, { maxMessageBytes: Number.POSITIVE_INFINITY });
    const bytes = peer.encode(2, Buffer.alloc(400_000));
    const { allocUnsafe } = Buffer;
    const spy = vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((size) => {
      if (size >= 400_000) throw new RangeError('Array buffer allocation failed');
      return allocUnsafe(size);
    });
    onTestFinished(() => spy.mockRestore());
    peer.raw(bytes);
    expect(await conn.recvFrame()).toBeNull();
    expect((await peer.next())?.payload.readUInt16BE(0)).toBe(1009);
    peer.fin();
    const { code, error } = await conn.closeInfo;
    expect([code, error]).toMatchObject([1009, { code: 'WS_ERR_MESSAGE_TOO_LARGE', cause: { name: 'RangeError' } }]);
  });

  it('parses nothing behind a violation: no pong leaves after the Close frame (§7.1.7)', async () => {
    const { peer } = await meet(role);
    peer.raw(Buffer.concat([peer.encode(11), peer.encode(9, 'x'), peer.encode(8)]));
    const frames = await peer.rest();
    expect(frames.map(({ opcode }) => opcode)).toEqual([8]);
  });
});
