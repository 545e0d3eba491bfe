/** How a connection ends as a Duplex: end(), writing too late, and who ends first against who watches. */
import { once } from 'node:events';
import { finished as finishedCallback } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { ClosedError } from '../../lib/errors.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { type Meeting, meet, ROLES, turns } from '../support/naive-peer.ts';
import { answerClose } from '../support/peer-endings.ts';
import { textSink } from '../support/text-sink.ts';

describe('ending and late writing', () => {
  it.each([
    ['end()', (conn: WsConnection): void => void conn.end(), []],
    ['end(chunk)', (conn: WsConnection): void => void conn.end('last'), ['last']],
    ['end(chunk, callback)', (conn: WsConnection, done: () => void): void => void conn.end('last', done), ['last']],
    [
      'end(chunk, encoding, callback)',
      (conn: WsConnection, done: () => void): void => void conn.end('last', 'utf8', done),
      ['last'],
    ],
    ['end(callback)', (conn: WsConnection, done: () => void): void => void conn.end(done), []],
  ] as const)('%s closes with 1000 behind all that was written', async (name, end, texts) => {
    const { conn, peer } = await meet('server');
    conn.write('first');
    let called = 0;
    const over = Promise.all([once(conn, 'finish'), once(conn, 'close')]);
    end(conn, () => called++);
    const frames = [await peer.next()];
    for (const _ of texts) frames.push(await peer.next());
    expect(frames.map((frame) => frame?.payload.toString())).toEqual(['first', ...texts]);
    await answerClose(peer);
    await over;
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true, initiator: 'local' });
    expect(called).toBe(name.includes('callback') ? 1 : 0);
  });

  it.each([
    [
      'the peer closed',
      async ({ conn, peer }: Meeting): Promise<void> => {
        peer.close(1000);
        await peer.next();
        peer.fin();
        await conn.closeInfo;
      },
    ],
    [
      'the peer cut',
      async ({ conn, peer }: Meeting): Promise<void> => {
        peer.fin();
        await conn.closeInfo;
      },
    ],
    [
      'we closed',
      async ({ conn, peer }: Meeting): Promise<void> => {
        const info = conn.close();
        await answerClose(peer);
        await info;
      },
    ],
    [
      'we began to close',
      async ({ conn, peer }: Meeting): Promise<void> => {
        void conn.close();
        await peer.next();
      },
    ],
    [
      'end()',
      async ({ conn, peer }: Meeting): Promise<void> => {
        conn.end();
        await peer.next();
      },
    ],
    ['destroy()', async ({ conn }: Meeting): Promise<void> => void conn.destroy()],
    [
      'a violation',
      async ({ peer }: Meeting): Promise<void> => {
        peer.send(11);
        await peer.next();
      },
    ],
  ] as const)('a late write after %s gets its error in the callback and crashes nothing', async (_name, end) => {
    const meeting = await meet('server');
    const { conn } = meeting;
    await end(meeting);
    expect(conn.write('late')).toBe(false);
    conn.write({ not: 'even legal' });
    const error = await new Promise((resolve) => conn.write('late', resolve));
    expect(error).toBeInstanceOf(ClosedError);
    expect((error as Error).message).toMatch(/^The connection is over: /);
    conn.write('late', 'utf8', (second: unknown) => expect(second).toBeInstanceOf(ClosedError));
    conn.end('later still');
    expect(await conn.sendText('x')).toBe(0);
    expect(await conn.sendFrame(WsFrame.binary(new Uint8Array(70_000)))).toBe(0);
    expect(await conn.sendPing()).toBe(0);
    expect(await conn.sendClose()).toBe(0);
    expect(await conn.ping()).toBeNull();
    await turns();
  });

  it('sends 0, null and no more to all who wait when the peer cuts', async () => {
    const { conn, peer } = await meet('client');
    const waits = [
      conn.recvFrame(),
      conn.ping(),
      conn.ping('x', { timeoutMs: 60_000 }),
      conn.sendBinary(Buffer.alloc(1_000_000)),
      conn.sendText('behind'),
      conn.sendPing('flood'),
    ];
    await turns();
    peer.reset();
    expect(await Promise.all(waits)).toEqual([null, null, null, 0, 0, expect.any(Number)]);
  });
});

// Who ends first, against who watches: each sees its end or its error, once.

const ENDS: readonly { name: string; isClean: boolean; run: (meeting: Meeting) => void }[] = [
  {
    name: 'we close',
    isClean: true,
    run: ({ conn, peer }) => {
      void conn.close();
      void answerClose(peer);
    },
  },
  {
    name: 'we end()',
    isClean: true,
    run: ({ conn, peer }) => {
      conn.end();
      void answerClose(peer);
    },
  },
  {
    name: 'the peer closes',
    isClean: true,
    run: ({ peer }) => {
      peer.close(1000);
      void peer.find(8).then(() => peer.fin());
    },
  },
  {
    name: 'the peer closes and ends',
    isClean: true,
    run: ({ peer }) => {
      peer.close(1000);
      peer.listen().fin();
    },
  },
  {
    name: 'both close',
    isClean: true,
    run: ({ conn, peer }) => {
      peer.close(1000);
      void conn.close(1001);
      peer.listen().fin();
    },
  },
  { name: 'the peer ends', isClean: false, run: ({ peer }) => peer.listen().fin() },
  { name: 'the peer resets', isClean: false, run: ({ peer }) => peer.reset() },
  {
    name: 'the peer breaks a rule',
    isClean: false,
    run: ({ peer }) => {
      peer.send(3);
      peer.listen().fin();
    },
  },
  { name: 'the socket errors', isClean: false, run: ({ socket }) => void socket.destroy(new Error('the wire broke')) },
  { name: 'we destroy', isClean: false, run: ({ conn }) => void conn.destroy(new Error('enough')) },
  { name: 'we force', isClean: false, run: ({ conn }) => conn.forceClose() },
  {
    name: 'we close, then destroy',
    isClean: false,
    run: ({ conn }) => {
      void conn.close();
      conn.destroy(new Error('enough'));
    },
  },
  {
    name: 'we close and the peer cuts',
    isClean: false,
    run: ({ conn, peer }) => {
      void conn.close();
      void peer.find(8).then(() => peer.reset());
    },
  },
];

const WATCHERS: readonly { name: string; watch: (conn: WsConnection) => void }[] = [
  { name: 'nobody', watch: () => {} },
  { name: 'a data consumer', watch: (conn) => void conn.resume() },
  { name: 'a waiting reader', watch: (conn) => void conn.recvFrame() },
  {
    name: 'a loop',
    watch: (conn) =>
      void (async () => {
        for await (const frame of conn) frame.drop();
      })(),
  },
  { name: 'an echo', watch: (conn) => void conn.pipe(conn) },
  { name: 'a pipe out', watch: (conn) => void conn.pipe(textSink([])) },
];

const CASES = ENDS.flatMap((end) => WATCHERS.flatMap((watcher) => ROLES.map((role) => ({ end, watcher, role }))));

it.each(CASES)(
  '$end.name, with $watcher.name, as $role: one end or one error, and nothing is left',
  async ({ end, watcher, role }) => {
    const meeting = await meet(role);
    const { conn, socket } = meeting;
    const events: string[] = [];
    for (const name of ['end', 'finish', 'error', 'close']) conn.on(name, () => events.push(name));
    const settled: unknown[] = [];
    finishedCallback(conn, (error) => settled.push(error ?? 'fine'));
    watcher.watch(conn);
    const last = watcher.name === 'nobody' ? null : conn.recvFrame();
    end.run(meeting);
    expect(await last).toBeNull();
    await conn.closeInfo;
    await turns();
    expect(settled).toHaveLength(1);
    expect(settled[0] === 'fine').toBe(end.isClean);
    expect(new Set(events).size).toBe(events.length);
    expect(events.at(-1)).toBe('close');
    if (end.isClean) expect(events).toEqual(expect.arrayContaining(['end', 'finish']));
    else expect(events).not.toContain('finish');
    expect(socket.destroyed).toBe(true);
  },
);
