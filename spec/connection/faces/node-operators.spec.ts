import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { restoreNodeOperators } from '../../../lib/connection/faces/node-operators.ts';
import { WsConnection } from '../../../lib/connection/ws-connection.ts';
import { createPair } from '../../../lib/endpoint/pair.ts';
import type { WsFrame } from '../../../lib/protocol/frame.ts';

type Operators = Record<string, (...args: unknown[]) => unknown>;

/** A connection to which a, b and c were sent, then a close frame. */
async function abc(): Promise<WsConnection> {
  const { client, server } = createPair();
  for (const text of ['a', 'b', 'c']) await client.sendText(text);
  void client.close();
  return server;
}

const toText = (frame: WsFrame): string => frame.payloadText();
const isB = (frame: WsFrame): boolean => toText(frame) === 'b';
const listed = async (stream: unknown): Promise<unknown[]> => {
  const list: unknown[] = [];
  for await (const item of stream as AsyncIterable<unknown>) list.push(item);
  return list;
};
const listedText = async (stream: unknown): Promise<string[]> => ((await listed(stream)) as WsFrame[]).map(toText);

/** What each operator gives on a, b, c. */
const RESULTS: Record<string, readonly [run: (conn: Operators) => unknown, result: unknown]> = {
  asIndexedPairs: [
    async (conn) => (await listed(conn.asIndexedPairs!())).map((pair) => [(pair as [number])[0]]),
    [[0], [1], [2]],
  ],
  drop: [(conn) => listedText(conn.drop!(1)), ['b', 'c']],
  every: [(conn) => conn.every!(isB), false],
  filter: [(conn) => listedText(conn.filter!(isB)), ['b']],
  find: [async (conn) => toText((await conn.find!(isB)) as WsFrame), 'b'],
  flatMap: [(conn) => listed(conn.flatMap!((frame: WsFrame) => [toText(frame), 1])), ['a', 1, 'b', 1, 'c', 1]],
  forEach: [(conn) => conn.forEach!(() => {}), undefined],
  map: [(conn) => listed(conn.map!(toText)), ['a', 'b', 'c']],
  reduce: [(conn) => conn.reduce!((all: string, frame: WsFrame) => all + toText(frame), ''), 'abc'],
  some: [(conn) => conn.some!(isB), true],
  take: [(conn) => listedText(conn.take!(2)), ['a', 'b']],
  toArray: [async (conn) => ((await conn.toArray!()) as WsFrame[]).map(toText), ['a', 'b', 'c']],
};

const exists = (name: string): boolean => name in Readable.prototype;
const OPERATORS = Object.entries(RESULTS).filter(([name]) => exists(name));

describe("Node's operators on a connection", () => {
  it.each(OPERATORS)(
    '%s works as on any Readable, and the connection is gone behind it',
    async (_name, [run, result]) => {
      const conn = await abc();
      expect(await run(conn as unknown as Operators)).toEqual(result);
      await conn.closeInfo;
      expect(conn.destroyed).toBe(true);
    },
  );

  it.each(['every', 'find', 'some', 'take'])('%s destroys the connection when it leaves early', async (name) => {
    const { client, server } = createPair();
    await client.sendText('b');
    await client.sendText('c');
    const [run] = RESULTS[name]!;
    const leaveEarly = name === 'every' ? (conn: Operators) => conn.every!((frame: WsFrame) => !isB(frame)) : run;
    await leaveEarly(server as unknown as Operators);
    // Some of them, in some versions of Node, have read ahead by then, and let go with the next message.
    await client.sendText('d');
    expect(await server.closeInfo).toMatchObject({ code: 1006, initiator: 'local' });
    await client.closeInfo;
  });

  it('exist as this version of Node has them, no more and no less', () => {
    const own = Object.getOwnPropertyNames(WsConnection.prototype).filter((name) => Object.hasOwn(RESULTS, name));
    expect(own.sort()).toEqual(OPERATORS.map(([name]) => name).sort());
  });

  it('are all restored: none that this Node has reads with the iterator of ours', async () => {
    class Strict extends Readable {
      override [Symbol.asyncIterator](): never {
        throw new Error('our own iterator was asked for');
      }
    }
    restoreNodeOperators(Strict.prototype);
    for (const [name, [run]] of OPERATORS) {
      const frames = ['a', 'b', 'c'].map((text) => ({ payloadText: () => text }));
      const stream = new Strict({ objectMode: true, read: () => {} });
      for (const frame of [...frames, null]) stream.push(frame);
      await expect(Promise.resolve(run(stream as unknown as Operators)), name).resolves.not.toThrow();
    }
  });
});

it('leaves out what this Node does not have', () => {
  const { map } = Readable.prototype;
  const prototype = {};
  try {
    Reflect.deleteProperty(Readable.prototype, 'map');
    restoreNodeOperators(prototype);
  } finally {
    Object.defineProperty(Readable.prototype, 'map', { value: map, writable: true, configurable: true });
  }
  expect(prototype).not.toHaveProperty('map');
  expect(prototype).toHaveProperty('filter');
});

it('puts methods that can be replaced, and are not listed', () => {
  expect(Object.keys(WsConnection.prototype)).toEqual([]);
  expect(Object.getOwnPropertyDescriptor(WsConnection.prototype, 'map')).toMatchObject({
    writable: true,
    configurable: true,
  });
});

it('leaves pipeline its semantics: it destroys what its generator leaves early', async () => {
  const { client, server } = createPair();
  await client.sendText('a');
  await client.sendText('b');
  const seen: string[] = [];
  await pipeline(server as Duplex, async (source: AsyncIterable<WsFrame>) => {
    for await (const frame of source) {
      seen.push(toText(frame));
      break;
    }
  });
  expect([seen, server.destroyed]).toEqual([['a'], true]);
  expect(await client.closeInfo).toMatchObject({ code: 1006 });
});
