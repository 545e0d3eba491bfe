/** The closing handshake in all its orders, in both roles, as a peer sees it on the wire. */
import { describe, expect, it } from 'vitest';
import type { CloseInfo } from '../../lib/connection/closer.ts';
import type { WsConnection } from '../../lib/connection/ws-connection.ts';
import { ClosedError, ProtocolError } from '../../lib/errors.ts';
import { WS_STATE_CLOSED, WS_STATE_CLOSING, WS_STATE_OPEN } from '../../lib/protocol/closing.ts';
import { closeBody, isClose, type Meeting, meet, ROLES } from '../support/naive-peer.ts';
import { endTransport } from '../support/peer-endings.ts';

const ROADS = ROLES.flatMap((role) => (['tcp', 'memory'] as const).map((over) => ({ role, over })));

interface Expected extends Omit<CloseInfo, 'error'> {
  /** The narrative of `error`; absent where there is none. */
  readonly story?: RegExp;
}

async function expectInfo(conn: WsConnection, { story, ...expected }: Expected): Promise<void> {
  const { error, ...info } = await conn.closeInfo;
  expect(info).toEqual(expected);
  if (story === undefined) expect(error).toBeUndefined();
  else expect(error?.message).toMatch(story);
  expect(conn.state).toBe(WS_STATE_CLOSED);
  expect(conn.isOpen()).toBe(false);
}

interface Order {
  readonly name: string;
  readonly run: (meeting: Meeting) => Promise<void>;
  readonly expected: Expected;
}

const clean = { wasClean: true } as const;
const cut = { code: 1006, reason: '', wasClean: false } as const;

const ORDERS: readonly Order[] = [
  {
    name: 'ours first: the code is what the peer says in answer',
    run: async ({ conn, peer }) => {
      void conn.close(4001, 'ours');
      expect(conn.state).toBe(WS_STATE_CLOSING);
      expect(await peer.next()).toMatchObject(isClose(4001, 'ours'));
      peer.close(4002, 'theirs');
      await endTransport(peer);
    },
    expected: { code: 4002, reason: 'theirs', initiator: 'local', ...clean },
  },
  {
    name: 'ours first, answered without a code',
    run: async ({ conn, peer }) => {
      void conn.close();
      expect(await peer.next()).toMatchObject(isClose(1000));
      peer.close();
      await endTransport(peer);
    },
    expected: { code: 1005, reason: '', initiator: 'local', ...clean },
  },
  {
    name: 'theirs first: their code is echoed',
    run: async ({ peer }) => {
      peer.close(4002, 'theirs');
      expect(await peer.next()).toMatchObject(isClose(4002, 'theirs'));
      await endTransport(peer);
    },
    expected: { code: 4002, reason: 'theirs', initiator: 'remote', ...clean },
  },
  {
    name: 'theirs first, without a code: an empty body is echoed',
    run: async ({ peer }) => {
      peer.close();
      expect(await peer.next()).toMatchObject(isClose());
      await endTransport(peer);
    },
    expected: { code: 1005, reason: '', initiator: 'remote', ...clean },
  },
  {
    name: 'both at once: neither answers the other',
    run: async ({ conn, peer }) => {
      peer.close(4002, 'theirs');
      void conn.close(4001, 'ours');
      expect(await peer.next()).toMatchObject(isClose(4001, 'ours'));
      await endTransport(peer);
    },
    expected: { code: 4002, reason: 'theirs', initiator: 'local', ...clean },
  },
  {
    name: 'ours first, behind all that was written',
    run: async ({ conn, peer }) => {
      conn.write('a');
      void conn.sendText('b');
      conn.write('c');
      void conn.close();
      void conn.sendText('too late');
      const frames = [await peer.next(), await peer.next(), await peer.next()];
      expect(frames.map((frame) => frame?.payload.toString())).toEqual(['a', 'b', 'c']);
      expect(await peer.next()).toMatchObject(isClose(1000));
      peer.close(1000);
      await endTransport(peer);
    },
    expected: { code: 1000, reason: '', initiator: 'local', ...clean },
  },
  {
    name: 'theirs first, and they keep sending behind it: that is thrown away',
    run: async ({ conn, peer }) => {
      peer.raw(Buffer.concat([peer.encode(8, closeBody(1000)), peer.encode(1, 'behind'), Buffer.from([0xff, 0xff])]));
      expect(await peer.next()).toMatchObject(isClose(1000));
      peer.text('further behind');
      expect(await conn.recvFrame()).toBeNull();
      await endTransport(peer);
    },
    expected: { code: 1000, reason: '', initiator: 'remote', ...clean },
  },
  {
    name: 'theirs first, and a FIN right behind it',
    run: async ({ peer }) => {
      peer.close(1001, 'leaving');
      peer.fin();
      expect(await peer.rest()).toMatchObject([isClose(1001, 'leaving')]);
    },
    expected: { code: 1001, reason: 'leaving', initiator: 'remote', ...clean },
  },
  {
    name: 'a FIN without a close frame',
    run: async ({ peer }) => {
      peer.fin();
      expect(await peer.rest()).toEqual([]);
    },
    expected: { ...cut, initiator: 'remote', story: /the peer ended the transport without a close frame/ },
  },
  {
    name: 'a FIN inside a frame',
    run: async ({ conn, peer }) => {
      peer.raw(peer.encode(1, 'hello').subarray(0, 6));
      peer.fin();
      expect(await peer.rest()).toEqual([]);
      const { error } = await conn.closeInfo;
      expect(error?.cause).toMatchObject({ code: 'WS_ERR_TRUNCATED' });
    },
    expected: { ...cut, initiator: 'remote', story: /without a close frame/ },
  },
  {
    name: 'a cut',
    run: async ({ peer }) => {
      peer.text('before');
      peer.reset();
    },
    expected: { ...cut, initiator: 'remote', story: /the transport (failed|ended)|without a close frame/ },
  },
  {
    name: 'ours first, answered with a FIN only',
    run: async ({ conn, peer }) => {
      void conn.close(4001, 'ours');
      expect(await peer.next()).toMatchObject(isClose(4001, 'ours'));
      peer.fin();
    },
    expected: { ...cut, initiator: 'local', story: /we sent a close frame with 4001 "ours", then the peer ended/ },
  },
  {
    name: 'ours first, answered with a cut',
    run: async ({ conn, peer }) => {
      void conn.close();
      await peer.next();
      peer.reset();
    },
    expected: { ...cut, initiator: 'local', story: /we sent a close frame with 1000, then the (peer|transport)/ },
  },
  {
    name: 'ours first, answered with a violation',
    run: async ({ conn, peer }) => {
      void conn.close(4001);
      await peer.next();
      peer.send(3);
      expect(await peer.rest()).toEqual([]);
      peer.fin();
      expect((await conn.closeInfo).error).toBeInstanceOf(ProtocolError);
    },
    expected: { code: 4001, reason: '', wasClean: false, initiator: 'local', story: /opcode is reserved/ },
  },
  {
    name: 'a violation: we say which',
    run: async ({ conn, peer }) => {
      peer.send(3);
      expect(await peer.next()).toMatchObject(isClose(1002, 'the opcode is reserved'));
      expect(await peer.rest()).toEqual([]);
      peer.fin();
      expect((await conn.closeInfo).error).toBeInstanceOf(ProtocolError);
    },
    expected: {
      code: 1002,
      reason: 'the opcode is reserved',
      wasClean: false,
      initiator: 'local',
      story: /opcode is reserved/,
    },
  },
  {
    name: 'we break off',
    run: async ({ conn }) => {
      conn.forceClose();
      const { error } = await conn.closeInfo;
      expect(error).toBeInstanceOf(ClosedError);
    },
    expected: { ...cut, initiator: 'local', story: /we broke off/ },
  },
  {
    name: 'we break off with an error',
    run: async ({ conn }) => {
      const cause = new Error('no more');
      conn.destroy(cause);
      const { error } = await conn.closeInfo;
      expect(error?.cause).toBe(cause);
    },
    expected: { ...cut, initiator: 'local', story: /we broke off \(no more\)/ },
  },
  {
    name: 'we break off while our close waits for its answer',
    run: async ({ conn, peer }) => {
      const info = conn.close(4001);
      await peer.next();
      conn.forceClose();
      expect(await info).toMatchObject(cut);
    },
    expected: { ...cut, initiator: 'local', story: /we sent a close frame with 4001, then we broke off/ },
  },
];

describe.each(ROADS)('the closing handshake of a $role over $over (§7.1)', ({ role, over }) => {
  it.each(ORDERS)('$name', async ({ run, expected }) => {
    const meeting = await meet(role, { over });
    const { conn } = meeting;
    expect(conn.state).toBe(WS_STATE_OPEN);
    await run(meeting);
    await expectInfo(conn, expected);
    expect(await conn.close(3000)).toBe(await conn.closeInfo);
    while ((await conn.recvFrame()) !== null);
    expect(await conn.sendText('after the end')).toBe(0);
  });
});
