/** The connection under the operators that each of Node's Readables has. */
import { describe, expect, it } from 'vitest';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { ClosedError } from '../../lib/errors.ts';
import type { WsFrame } from '../../lib/protocol/frame.ts';
import { isClose, meet, turns } from '../support/naive-peer.ts';

describe("Node's own operators keep Node's semantics", () => {
  const OPERATORS: readonly [string, (conn: WsConnection) => Promise<unknown>, unknown][] = [
    [
      'take',
      (conn) =>
        conn
          .take(2)
          .map((frame: WsFrame) => frame.payloadText())
          .toArray(),
      ['a', 'b'],
    ],
    ['find', async (conn) => (await conn.find((frame: WsFrame) => frame.payloadText() === 'b'))?.payloadText(), 'b'],
    ['some', (conn) => conn.some((frame: WsFrame) => frame.payloadText() === 'b'), true],
    [
      'iterator',
      async (conn) => {
        for await (const frame of conn.iterator()) return (frame as WsFrame).payloadText();
      },
      'a',
    ],
  ];

  it.each(OPERATORS)('%s destroys', async (_name, run, expected) => {
    const { conn, peer } = await meet('server');
    for (const text of ['a', 'b', 'c']) peer.text(text);
    expect(await run(conn)).toEqual(expected);
    await turns();
    expect(conn.destroyed).toBe(true);
    expect(await conn.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
    expect(await peer.rest()).toEqual([]);
  });

  it.each([
    ['toArray', (conn: WsConnection) => conn.toArray().then((frames) => frames.length), 2],
    [
      'drop',
      (conn: WsConnection) =>
        conn
          .drop(1)
          .toArray()
          .then((frames) => frames.length),
      1,
    ],
    [
      'filter',
      (conn: WsConnection) =>
        conn
          .filter((frame: WsFrame) => frame.isText())
          .toArray()
          .then((frames) => frames.length),
      2,
    ],
    [
      'reduce',
      (conn: WsConnection) => conn.reduce((text: string, frame: WsFrame) => text + frame.payloadText(), ''),
      'ab',
    ],
  ])('%s reads to the end', async (_name, run, expected) => {
    const { conn, peer } = await meet('server');
    for (const text of ['a', 'b']) peer.text(text);
    peer.close(1000);
    expect(await run(conn)).toEqual(expected);
    expect(await peer.next()).toMatchObject(isClose(1000));
  });

  it('a cut is seen by toArray', async () => {
    const { conn, peer } = await meet('server');
    peer.text('a');
    peer.fin();
    await expect(conn.toArray()).rejects.toBeInstanceOf(ClosedError);
  });
});
