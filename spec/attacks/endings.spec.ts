/** Attacks by silence and by half: peers that do not answer, do not read, do not end; and what a caller may pass on. */
import { describe, expect, it } from 'vitest';
import { createPair } from '../../lib/endpoint/pair.ts';
import { ClosedError } from '../../lib/errors.ts';
import { turns, until } from '../support/endpoints.ts';
import { naiveEncode, ROLES } from '../support/naive-frames.ts';
import { outcome } from '../support/outcome.ts';
import { decodeFrames, duel } from './duels.ts';

describe.each(ROLES)('a peer that does not take part (%s)', (role) => {
  it('CVE-2024-23672: that never answers our close is cut after closeTimeoutMs with 1006', async () => {
    const { conn, socket } = await duel(role, { closeTimeoutMs: 100 });
    const info = await conn.close(1000);
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect(info.error).toBeInstanceOf(ClosedError);
    socket.destroy();
  });

  it('CVE-2026-79677: that never reads is cut after closeTimeoutMs, with what it did not read', async () => {
    const { conn, socket } = await duel(role, { closeTimeoutMs: 150 });
    socket.pause();
    const sends = Array.from({ length: 8 }, () => conn.sendBinary(Buffer.alloc(4 * 1024 * 1024)));
    const info = await conn.close(1000);
    expect(info).toMatchObject({ code: 1006, wasClean: false, initiator: 'local' });
    expect((await Promise.all(sends)).at(-1)).toBe(0);
    expect(conn.bufferedAmount).toBe(0);
    socket.destroy();
  });

  it('that answers the close and never ends is cut all the same', async () => {
    const { conn, socket, received, isMasked } = await duel(role, { closeTimeoutMs: 100 });
    const collector = received();
    const closing = conn.close(1000);
    await until(() => decodeFrames(collector.pending).some(({ opcode }) => opcode === 8));
    socket.write(naiveEncode(8, Buffer.from([3, 232]), { isMasked }));
    expect((await closing).code).toBe(1000);
    socket.destroy();
  });

  it('half-open TCP: that is silent for ever is found by the heartbeat, though nobody sends', async () => {
    const { conn, socket } = await duel(role, { heartbeat: { intervalMs: 40, timeoutMs: 40 }, closeTimeoutMs: 50 });
    socket.pause();
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ code: 1006, wasClean: false });
    expect(await conn.recvFrame()).toBeNull();
    socket.destroy();
  });

  it('slow frame: that sends a header and no more is found by the heartbeat too', async () => {
    const { conn, socket, isMasked } = await duel(role, { heartbeat: { intervalMs: 40, timeoutMs: 40 } });
    socket.pause();
    socket.write(naiveEncode(2, Buffer.alloc(1000), { isMasked }).subarray(0, 20));
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1006, wasClean: false });
    socket.destroy();
  });

  it('CVE-2022-39386, CVE-2024-38355: that breaks the protocol or resets ends no process without listeners', async () => {
    const broken = await duel(role, { closeTimeoutMs: 50 });
    broken.socket.write(Buffer.from([0xff, 0xff]));
    const reset = await duel(role);
    reset.socket.resetAndDestroy();
    expect((await broken.conn.closeInfo).code).toBe(1002);
    expect((await reset.conn.closeInfo).code).toBe(1006);
    broken.socket.destroy();
  });
});

describe('what a caller may not send (CVE-2026-45736, CVE-2016-10518)', () => {
  const NO_STRINGS = [
    new Uint8Array(4),
    Buffer.from('x'),
    new ArrayBuffer(8),
    5,
    10_000,
    null,
    {},
    ['a'],
    Symbol('s'),
    5n,
  ];
  const NO_BYTES = [5, 10_000, null, {}, ['a'], [1, 2], true, 5n];

  it.each(NO_STRINGS)('close(1000, %o) is a TypeError, and no byte leaves', async (reason) => {
    const { conn, socket, received } = await duel('server');
    expect(await outcome(conn.close(1000, reason as string))).toBeInstanceOf(TypeError);
    expect(await outcome(conn.sendClose(1000, reason as string))).toBeInstanceOf(TypeError);
    await turns(2);
    expect(received().pending).toHaveLength(0);
    conn.forceClose();
    socket.destroy();
  });

  it.each(['sendPing', 'sendPong', 'sendBinary', 'sendText', 'ping'] as const)(
    '%s of what is neither text nor bytes is a TypeError, and no byte leaves',
    async (method) => {
      const { conn, socket, received } = await duel('server');
      for (const value of NO_BYTES) {
        expect(await outcome(conn[method](value as unknown as string & Uint8Array))).toBeInstanceOf(TypeError);
      }
      await turns(2);
      expect(received().pending).toHaveLength(0);
      conn.forceClose();
      socket.destroy();
    },
  );
});

describe('masking keys (GO-2026-6278)', () => {
  it('on the wire are all different, and no bit of them leans to a side (§5.3, §10.3)', async () => {
    const { conn, socket, received } = await duel('client');
    const count = 4000;
    const collector = received();
    await Promise.all(Array.from({ length: count }, () => conn.sendBinary(Buffer.alloc(4))));
    const bytes = await collector.read(count * 10);
    const keys = Array.from({ length: count }, (_, at) => bytes.readUInt32BE(at * 10 + 2));
    expect(new Set(keys).size).toBeGreaterThan(count - 5);
    for (let bit = 0; bit < 32; bit++) {
      const ones = keys.filter((key) => (key >>> bit) & 1).length;
      // Eleven standard deviations: never by chance.
      expect(Math.abs(ones - count / 2)).toBeLessThan(350);
    }
    conn.forceClose();
    socket.destroy();
  });
});

it('Object.prototype stays as it is, whatever is called what', async () => {
  const { client, server } = createPair();
  await client.sendText('{"__proto__": {"polluted": true}}');
  expect((await server.recvFrame())?.payloadText()).toContain('__proto__');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  await Promise.all([client.close(), server.close()]);
});
