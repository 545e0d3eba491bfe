/** Writing and sending: order, backpressure, fragments, mistakes, aborts, and when data may be reused. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { meet, ROLES, turns } from '../support/naive-peer.ts';
import { outcome } from '../support/outcome.ts';

describe.each(ROLES)('writing (%s)', (role) => {
  it('says false where there is no room, and drain where there is again', async () => {
    const { conn, peer } = await meet(role);
    const message = Buffer.alloc(50_000);
    let written = 0;
    while (conn.write(message)) expect(++written).toBeLessThan(100);
    const drained = once(conn, 'drain');
    expect(conn.writableNeedDrain).toBe(true);
    peer.listen();
    await drained;
    expect(conn.write('more')).toBe(true);
    for (let i = 0; i <= written; i++) expect((await peer.next())?.payload.length).toBe(50_000);
    expect((await peer.next())?.payload.toString()).toBe('more');
  });

  it('keeps the order of write() and send…() however they are mixed', async () => {
    const { conn, peer } = await meet(role);
    const expected: string[] = [];
    for (let i = 0; i < 40; i++) {
      const text = `${i}`.padEnd(i % 5 === 0 ? 70_000 : 5, '.');
      expected.push(text);
      if (i % 3 === 0) conn.write(text);
      else if (i % 3 === 1) void conn.sendText(text);
      else void conn.sendFrame(WsFrame.text(text));
      if (i % 7 === 0) await turns(1);
    }
    conn.end();
    const texts: string[] = [];
    let text = '';
    for (let frame = await peer.next(); frame?.opcode !== 8; frame = await peer.next()) {
      text += frame!.payload.toString();
      if (!frame!.isFinal) continue;
      texts.push(text);
      text = '';
    }
    expect(texts).toEqual(expected);
  });

  it('writes raw fragments, with pings between, as they are given (§5.4)', async () => {
    const { conn, peer } = await meet(role);
    conn.write(new WsFrame(1, Buffer.from('one '), { isFinal: false }));
    await conn.sendPing('between');
    conn.write(new WsFrame(0, Buffer.from('message')));
    conn.write('whole');
    const frames = [await peer.next(), await peer.next(), await peer.next(), await peer.next()];
    expect(frames.map((frame) => [frame?.opcode, frame?.isFinal, frame?.payload.toString()])).toEqual([
      [1, false, 'one '],
      [9, true, 'between'],
      [0, true, 'message'],
      [1, true, 'whole'],
    ]);
  });

  const MISTAKES: readonly [string, (conn: WsConnection) => unknown][] = [
    ['a continuation of nothing', () => new WsFrame(0, Buffer.from('x'))],
    ['reserved bits', () => new WsFrame(1, Buffer.from('x'), { rsv: 4 })],
    ['a number', () => 5],
    ['an object', () => ({})],
    [
      'a whole message inside an open one',
      (conn) => {
        conn.write(new WsFrame(1, Buffer.from('open'), { isFinal: false }));
        return 'whole';
      },
    ],
  ];

  it.each(MISTAKES)('fails with a TypeError for %s, and nothing illegal leaves (§5.4)', async (_name, chunk) => {
    const { conn, peer } = await meet(role);
    const bad = chunk(conn);
    const failed = new Promise((resolve) => conn.write(bad, resolve));
    expect(await failed).toBeInstanceOf(TypeError);
    const frames = await peer.rest();
    expect(frames.filter(({ isFinal }) => isFinal)).toEqual([]);
  });

  it.each(MISTAKES.slice(0, 4))(
    'rejects sendFrame with a TypeError for %s, and the connection goes on',
    async (_name, chunk) => {
      const { conn, peer } = await meet(role);
      await expect(conn.sendFrame(chunk(conn) as WsFrame)).rejects.toThrow(TypeError);
      expect(await conn.sendText('still here')).toBeGreaterThan(0);
      expect((await peer.next())?.payload.toString()).toBe('still here');
    },
  );

  it('rejects a whole message inside an open one, and the open one goes on', async () => {
    const { conn, peer } = await meet(role);
    await conn.sendFrame(new WsFrame(2, Buffer.from('a'), { isFinal: false }));
    await expect(conn.sendText('whole')).rejects.toThrow(TypeError);
    await conn.sendFrame(new WsFrame(0, Buffer.from('b')));
    await conn.sendText('whole');
    const frames = [await peer.next(), await peer.next(), await peer.next()];
    expect(frames.map((frame) => frame?.payload.toString())).toEqual(['a', 'b', 'whole']);
  });

  it.each([
    ['sendText', 5],
    ['sendText', Buffer.from('x')],
    ['sendText', undefined],
    ['sendBinary', 5],
    ['sendBinary', 'text'],
    ['sendBinary', null],
    ['sendBinary', [1, 2]],
    ['sendPing', 5],
    ['sendPong', {}],
    ['sendFrame', null],
    ['sendFrame', undefined],
    ['sendPing', Buffer.alloc(126)],
    ['ping', Buffer.alloc(126)],
    ['ping', 7],
  ] as const)('rejects %s(%j), and never throws', async (name, data) => {
    const { conn } = await meet(role);
    const promise = (conn[name] as (data: unknown) => Promise<unknown>).call(conn, data);
    const error = await outcome(promise);
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
    expect(conn.isOpen()).toBe(true);
  });

  it('takes what is queued back where an abort ends the wait, and keeps what has begun', async () => {
    const { conn, peer } = await meet(role);
    const controller = new AbortController();
    const { signal } = controller;
    const sends = ['first', 'second'].map((text) => outcome(conn.sendText(text.padEnd(1_000_000), { signal })));
    conn.write('written');
    const frame = WsFrame.text('sent twice');
    const kept = outcome(conn.sendFrame(frame));
    sends.push(outcome(conn.sendFrame(frame, { signal })));
    await turns();
    controller.abort();
    for (const send of sends) expect(await send).toMatchObject({ name: 'AbortError' });
    conn.end();
    const texts: string[] = [];
    for (let frame = await peer.next(); frame?.opcode !== 8; frame = await peer.next()) {
      if (frame?.opcode !== 0) texts.push(frame!.payload.toString().trim());
    }
    expect(texts).toEqual(['first', 'written', 'sent twice']);
    expect(await kept).toBe('done');
  });

  it('does not take fragments back: the rest of their message would be illegal (§5.4)', async () => {
    const { conn, peer } = await meet(role);
    const controller = new AbortController();
    const { signal } = controller;
    void conn.sendBinary(Buffer.alloc(500_000));
    const start = outcome(conn.sendFrame(new WsFrame(1, Buffer.from('a'), { isFinal: false }), { signal }));
    controller.abort();
    expect(await start).toMatchObject({ name: 'AbortError' });
    void conn.sendFrame(new WsFrame(0, Buffer.from('b')));
    conn.end();
    const frames: string[] = [];
    for (let frame = await peer.next(); frame?.opcode !== 8; frame = await peer.next())
      if (frame!.payload.length < 10) frames.push(`${frame!.opcode}${frame!.payload}`);
    expect(frames).toEqual(['1a', '0b']);
  });

  it('tells the bytes on the wire, and how many wait', async () => {
    const { conn, peer } = await meet(role);
    let onWire = 0;
    peer.socket.on('data', (chunk: Buffer) => {
      onWire += chunk.length;
    });
    const sizes = [0, 1, 125, 126, 65_535, 65_536, 65_537, 200_000];
    let sum = 0;
    for (const size of sizes) sum += await conn.sendBinary(Buffer.alloc(size));
    sum += await conn.sendText('é');
    sum += await conn.sendPing('p');
    sum += await conn.sendPong();
    await turns();
    expect(onWire).toBe(sum);
    expect(conn.bufferedAmount).toBe(0);
    sum += await conn.sendClose(1000, 'bye');
    await turns();
    expect(onWire).toBe(sum);
  });

  it('lets data be reused as soon as its promise is settled', async () => {
    const { conn, peer } = await meet(role);
    const data = Buffer.alloc(60_000);
    setImmediate(() => peer.listen());
    for (let i = 1; i <= 20; i++) await conn.sendBinary(data.fill(i));
    data.fill(0xff);
    for (let i = 1; i <= 20; i++) expect((await peer.next())?.payload.equals(Buffer.alloc(60_000, i))).toBe(true);
  });

  it('lets data be reused where the peer begins to read late', async () => {
    const { conn, peer } = await meet(role);
    const settled: number[] = [];
    const buffers = Array.from({ length: 8 }, (_, i) => Buffer.alloc(60_000, i + 1));
    for (const [i, data] of buffers.entries()) {
      void conn.sendBinary(data).then(() => {
        settled.push(i);
        data.fill(0xff);
      });
    }
    await turns();
    for (let i = 0; i < 8; i++) expect((await peer.next())?.payload[59_999]).toBe(i + 1);
    expect(settled).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});
