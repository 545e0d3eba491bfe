import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WsMessage } from '../../lib/connection/reading/ws-message.ts';
import { closeBody, isClose, meet, type NaivePeer, ROLES, turns } from '../support/naive-peer.ts';
import { outcome } from '../support/outcome.ts';
import { pattern } from '../vectors/frames.ts';

const PLACES = ROLES.flatMap((role) => (['tcp', 'memory'] as const).map((over) => ({ role, over })));
type Messages = AsyncIterator<WsMessage>;
const nextOf = async (messages: Messages): Promise<WsMessage> => (await messages.next()).value;

describe.each(PLACES)('messages() ($role, $over)', ({ role, over }) => {
  it('gives each message at its first bytes, whatever it is made of (§5.4)', async () => {
    const { conn, peer } = await meet(role, { over });
    const messages = conn.messages();
    peer.send(1, 'hé', false);
    const one = await nextOf(messages);
    expect([one.type, one.readableEnded]).toEqual(['text', false]);
    const text = one.text();
    peer.send(0, '', false);
    peer.send(0, 'llo');
    expect(await text).toBe('héllo');
    // Half a frame of 100,000 bytes.
    const large = peer.encode(2, pattern(100_000));
    peer.raw(large.subarray(0, 70_000));
    const two = await nextOf(messages);
    expect(two.type).toBe('binary');
    const bytes = two.bytes();
    peer.raw(large.subarray(70_000));
    expect(Buffer.from(await bytes).equals(pattern(100_000))).toBe(true);
    peer.send(2, '');
    expect(await (await nextOf(messages)).bytes()).toHaveLength(0);
    conn.forceClose();
  });

  it('goes on behind an empty fragment, also where there was no room for more (§5.4)', async () => {
    const { conn, peer } = await meet(role, { over });
    peer.raw(Buffer.concat([peer.encode(2, pattern(40_000), false), peer.encode(0, '', false), peer.encode(0, 'end')]));
    const message = await nextOf(conn.messages());
    expect(await message.bytes()).toHaveLength(40_003);
    conn.forceClose();
  });

  it('stops the socket where nobody reads, and loses nothing when reading goes on', async () => {
    const { conn, peer } = await meet(role, { over, maxBufferedBytes: 65_536 });
    const piece = pattern(50_000);
    let sent = 0;
    const hash = createHash('sha1');
    const sending = (async () => {
      for (let i = 0; i < 400; i++) {
        hash.update(piece);
        sent += piece.length;
        if (!peer.send(i === 0 ? 2 : 0, piece, i === 399))
          await new Promise((resolve) => peer.socket.once('drain', resolve));
      }
    })();
    const message = await nextOf(conn.messages());
    for (let before = -1; before !== sent; await new Promise((resolve) => setTimeout(resolve, 20))) before = sent;
    // What the system's own buffers of a loopback socket hold is not ours to bound.
    expect(sent).toBeLessThan(over === 'memory' ? 600_000 : 19_000_000);
    expect(message.readableLength).toBeLessThan(300_000);
    const got = createHash('sha1');
    for await (const chunk of message) got.update(chunk);
    await sending;
    expect(got.digest('hex')).toBe(hash.digest('hex'));
    conn.forceClose();
  });

  it('answers pings inside a long message while it is being read (§5.5.2)', async () => {
    const { conn, peer } = await meet(role, { over });
    peer.send(2, 'a', false);
    const message = await nextOf(conn.messages());
    const reading = message.text();
    peer.ping('1');
    expect(await peer.next()).toMatchObject({ opcode: 10, payload: Buffer.from('1') });
    peer.send(0, 'b', false);
    peer.ping('2');
    expect(await peer.next()).toMatchObject({ opcode: 10, payload: Buffer.from('2') });
    peer.send(0, 'c');
    expect(await reading).toBe('abc');
    conn.forceClose();
  });

  it.each(['destroy', 'abandon', 'pass over'])(
    'goes on with the next message after a %s inside slices',
    async (how) => {
      const { conn, peer } = await meet(role, { over });
      const messages = conn.messages();
      const large = peer.encode(2, pattern(400_000));
      peer.raw(large.subarray(0, 100_000));
      const message = await nextOf(messages);
      if (how === 'destroy') message.destroy();
      if (how === 'abandon') for await (const chunk of message) if (chunk.length > 0) break;
      const next = nextOf(messages);
      peer.raw(Buffer.concat([large.subarray(100_000), peer.encode(1, 'next')]));
      expect(await (await next).text()).toBe('next');
      conn.forceClose();
    },
  );
});

describe('a message that is thrown away', () => {
  it.each(['come', 'to come'])('inside fragments with the rest %s', async (when) => {
    const { conn, peer } = await meet('server');
    const messages = conn.messages();
    peer.send(1, 'a', false);
    if (when === 'come') peer.send(0, 'b');
    const message = await nextOf(messages);
    message.on('data', () => message.destroy());
    await turns();
    if (when === 'to come') peer.send(0, 'b');
    peer.text('next');
    await turns();
    expect(await (await nextOf(messages)).text()).toBe('next');
    conn.forceClose();
  });

  it('does not take the next one with it, which came in the same chunk and while nobody asked', async () => {
    const { conn, peer } = await meet('server');
    const messages = conn.messages();
    peer.send(1, 'a', false);
    const message = await nextOf(messages);
    message.resume();
    await turns();
    message.destroy();
    peer.raw(Buffer.concat([peer.encode(0, 'b'), peer.encode(1, 'next'), peer.encode(8, closeBody(1000))]));
    await turns();
    // The close travels in order: it is not reached before somebody asks for what is behind `next`.
    expect(conn.isOpen()).toBe(true);
    expect(await (await nextOf(messages)).text()).toBe('next');
    expect((await messages.next()).done).toBe(true);
    peer.listen().fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1000 });
  });

  it.each([true, false])("closes with 1008 where onAbandoned is 'close'; all of it had come: %s", async (isWhole) => {
    const { conn, peer } = await meet('server');
    const messages = conn.messages({ onAbandoned: 'close' });
    peer.send(1, 'a', isWhole);
    (await nextOf(messages)).destroy();
    const frame = await peer.next();
    expect(frame?.payload.readUInt16BE()).toBe(1008);
    if (!isWhole) peer.send(0, 'b');
    peer.close(1008);
    expect((await messages.next()).done).toBe(true);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1008, initiator: 'local' });
  });

  it('does not count against the limit of the next one', async () => {
    const { conn, peer } = await meet('server');
    const messages = conn.messages({ maxMessageBytes: 10 });
    peer.send(1, 'x'.repeat(8), false);
    (await nextOf(messages)).destroy();
    peer.send(0, 'y');
    peer.text('z'.repeat(10));
    expect(await (await nextOf(messages)).text()).toBe('z'.repeat(10));
    conn.forceClose();
  });
});

describe('what ends a message (rule of results)', () => {
  type Blow = (peer: NaivePeer, conn: { forceClose(): void }) => void;
  const BLOWS: [string, Blow, object, object][] = [
    [
      'a violation',
      (peer) => peer.send(1, 'new'),
      { code: 'WS_ERR_INTERLEAVED_MESSAGE' },
      { code: 1002, wasClean: false },
    ],
    [
      'text that is not UTF-8',
      (peer) => peer.send(0, Buffer.of(0xff), false),
      { code: 'WS_ERR_INVALID_UTF8' },
      { code: 1007 },
    ],
    ['a close frame', (peer) => peer.close(1001), { name: 'ClosedError' }, { code: 1001 }],
    ['a FIN', (peer) => peer.fin(), { name: 'ClosedError' }, { code: 1006, wasClean: false }],
    ['a reset', (peer) => peer.reset(), { name: 'ClosedError' }, { code: 1006, wasClean: false }],
    ['forceClose()', (_peer, conn) => conn.forceClose(), { name: 'ClosedError' }, { code: 1006, initiator: 'local' }],
  ];

  it.each(BLOWS.flatMap(([what, blow, error, info]) => PLACES.map((place) => ({ what, blow, error, info, ...place }))))(
    'inside it: $what errs it once and ends the loop ($role, $over)',
    async ({ blow, error, info, role, over }) => {
      const { conn, peer } = await meet(role, { over });
      peer.listen();
      const messages = conn.messages();
      peer.send(1, 'begun', false);
      const message = await nextOf(messages);
      const errors: unknown[] = [];
      message.on('error', (reason) => errors.push(reason));
      const reading = outcome(message.text());
      await turns(2);
      blow(peer, conn);
      expect(await reading).toMatchObject(error);
      expect((await messages.next()).done).toBe(true);
      if (!peer.socket.writableEnded) peer.fin();
      expect(await conn.closeInfo).toMatchObject(info);
      expect(errors).toEqual([message.errored]);
      expect(await conn.recvFrame()).toBe(null);
    },
  );

  it.each(BLOWS)(
    'between messages: %s ends the loop, and nobody listens to anything',
    async (what, blow, _error, info) => {
      const { conn, peer } = await meet('server');
      peer.listen();
      const messages = conn.messages();
      peer.text('whole');
      expect(await (await nextOf(messages)).text()).toBe('whole');
      const end = messages.next();
      await turns(1);
      if (what === 'a violation' || what.startsWith('text')) peer.send(1, Buffer.of(0xff));
      else blow(peer, conn);
      expect((await end).done).toBe(true);
      peer.fin();
      expect(await conn.closeInfo).toMatchObject(what === 'a violation' ? { code: 1007 } : info);
    },
  );

  it('that nobody reads or listens to: nothing crashes, nothing is unhandled', async () => {
    const { conn, peer } = await meet('client');
    const messages = conn.messages();
    peer.send(2, 'begun', false);
    const message = await nextOf(messages);
    peer.reset();
    await conn.closeInfo;
    expect((await messages.next()).done).toBe(true);
    expect(message.destroyed).toBe(true);
  });

  it('leaves a whole message to be read though the connection is gone', async () => {
    const { conn, peer } = await meet('server');
    const messages = conn.messages();
    peer.text('whole');
    const message = await nextOf(messages);
    peer.reset();
    await conn.closeInfo;
    expect(await message.text()).toBe('whole');
    expect((await messages.next()).done).toBe(true);
  });

  it('fails at the byte that is not UTF-8, not at the end (§8.1)', async () => {
    const { conn, peer } = await meet('server');
    peer.send(1, Buffer.of(0x61, 0xe2), false);
    const message = await nextOf(conn.messages());
    expect(message.type).toBe('text');
    const read = outcome(message.text());
    peer.send(0, Buffer.of(0x28), false);
    expect(await read).toMatchObject({ code: 'WS_ERR_INVALID_UTF8', closeCode: 1007 });
    expect((await peer.next())?.payload.readUInt16BE()).toBe(1007);
    peer.fin();
    await conn.closeInfo;
  });
});

describe('maxMessageBytes (§10.4)', () => {
  it('is Infinity here, whatever the connection allows', async () => {
    const { conn, peer } = await meet('server', { maxMessageBytes: 10 });
    peer.send(2, pattern(5000));
    expect(await (await nextOf(conn.messages())).bytes()).toHaveLength(5000);
    conn.forceClose();
  });

  it.each(ROLES)('fails with 1009 at the header of a frame (%s)', async (role) => {
    const { conn, peer } = await meet(role);
    const messages = conn.messages({ maxMessageBytes: 100_000 });
    peer.send(2, pattern(1000), false);
    const message = await nextOf(messages);
    const read = outcome(message.bytes());
    peer.raw(peer.encode(0, pattern(99_001)).subarray(0, 500));
    expect(await read).toMatchObject({ code: 'WS_ERR_MESSAGE_TOO_LARGE' });
    expect((await messages.next()).done).toBe(true);
    expect((await peer.next())?.payload.readUInt16BE()).toBe(1009);
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ code: 1009, wasClean: false });
  });
});

describe('closing while a message is being read', () => {
  it.each(ROLES)('lets it be read to its end, and then ends the loop (%s)', async (role) => {
    const { conn, peer } = await meet(role);
    const messages = conn.messages();
    peer.send(1, 'a', false);
    const message = await nextOf(messages);
    const info = conn.close(1000);
    expect(await peer.next()).toMatchObject(isClose(1000));
    const text = message.text();
    peer.send(0, 'b');
    peer.text('more');
    peer.close(1000);
    expect(await text).toBe('ab');
    expect(await (await nextOf(messages)).text()).toBe('more');
    expect((await messages.next()).done).toBe(true);
    peer.fin();
    expect(await info).toMatchObject({ code: 1000, wasClean: true });
  });

  it('by the peer lets the last message be answered', async () => {
    const { conn, peer } = await meet('server');
    const messages = conn.messages();
    peer.send(1, 'question', false);
    const message = await nextOf(messages);
    peer.send(0, '?');
    peer.close(1000);
    expect(await message.text()).toBe('question?');
    expect(await conn.sendText('answer')).toBe(8);
    expect((await messages.next()).done).toBe(true);
    expect(await peer.next()).toMatchObject({ opcode: 1 });
    expect(await peer.next()).toMatchObject(isClose(1000));
    peer.fin();
    expect(await conn.closeInfo).toMatchObject({ wasClean: true });
  });
});

it.each(ROLES)('reads back any split of messages into fragments, slices and chunks (%s)', async (role) => {
  const anyMessage = fc.record({
    opcode: fc.constantFrom(1 as const, 2 as const),
    length: fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(65_535, 65_536, 70_000, 150_000)),
    cuts: fc.array(fc.nat(), { maxLength: 3 }),
    hasPing: fc.boolean(),
  });
  const text = 'aé€😀'.repeat(20_000);
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyMessage, { maxLength: 4 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      async (plan, cuts) => {
        const { conn, peer } = await meet(role);
        peer.listen();
        const expected: string[] = [];
        const frames = plan.flatMap(({ opcode, length, cuts: places, hasPing }) => {
          const bytes = opcode === 1 ? Buffer.from(text.slice(0, length / 3)) : Buffer.from(pattern(length));
          expected.push(`${opcode === 1 ? 'text' : 'binary'} ${bytes.toString('base64')}`);
          const pieces = split(bytes, places);
          return pieces.flatMap((piece, i) => [
            peer.encode(i === 0 ? opcode : 0, piece, i === pieces.length - 1),
            ...(hasPing ? [peer.encode(9, 'p')] : []),
          ]);
        });
        const sending = (async () => {
          for (const chunk of split(Buffer.concat([...frames, peer.encode(8, closeBody(1000))]), cuts)) {
            peer.raw(chunk);
            await turns(1);
          }
          peer.fin();
        })();
        const got: string[] = [];
        for await (const message of conn.messages()) {
          got.push(`${message.type} ${Buffer.from(await message.bytes()).toString('base64')}`);
        }
        await sending;
        expect(got).toEqual(expected);
        expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
      },
    ),
    { numRuns: 40 },
  );
});

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}
