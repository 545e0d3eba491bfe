/**
 * The socket errs, in each state of the connection and in each way a Duplex can: every promise settles, closeInfo tells
 * the truth, nothing is left.
 */
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { WsConnection } from '../../lib/connection/ws-connection.ts';
import { turns, until } from '../support/endpoints.ts';
import { closeBody, naiveEncode, ROLES, type Role } from '../support/naive-frames.ts';

const broken = (what: string): Error => Object.assign(new Error(what), { code: 'EFAULTY' });

/** A socket that takes what is written until it is told to fail, or to be slow. */
class FaultySocket extends Duplex {
  readonly sent: Buffer[] = [];
  writeError: Error | undefined;
  finalError: Error | undefined;
  isStuck = false;
  #held: ((error?: Error | null) => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true, highWaterMark: 1000 });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.sent.push(chunk);
    if (this.isStuck) this.#held = done;
    else done(this.writeError);
  }

  /** The write under way fails. */
  failHeld(error: Error): void {
    this.isStuck = false;
    this.#held?.(error);
  }

  override _final(done: (error?: Error | null) => void): void {
    done(this.finalError);
  }
}

interface Stage {
  readonly conn: WsConnection;
  readonly socket: FaultySocket;
  /** What the peer sends. */
  receive(opcode: number, payload?: Buffer | string, isFinal?: boolean): void;
}

/** How the connection came to stand where the fault finds it. */
const STATES: Readonly<Record<string, (stage: Stage) => void | Promise<void>>> = {
  'while it is idle': () => {},
  'inside a frame': ({ conn, socket }) => {
    const isMasked = conn.role === 'server';
    socket.push(naiveEncode(2, Buffer.alloc(300), { isMasked }).subarray(0, 100));
  },
  'between fragments': ({ receive }) => receive(1, 'half', false),
  'with messages unread': ({ receive }) => {
    for (const text of ['a', 'b', 'c']) receive(1, text);
  },
  'while sends wait': ({ conn, socket }) => {
    socket.isStuck = true;
    for (let i = 0; i < 4; i++) void conn.sendBinary(Buffer.alloc(200_000));
  },
  'inside a message that is being made': async ({ conn }) => {
    const message = conn.createMessage('binary');
    message.write(Buffer.alloc(1000));
    await turns(1);
  },
  'while pongs wait': ({ socket, receive }) => {
    socket.isStuck = true;
    for (let i = 0; i < 2000; i++) receive(9, 'x'.repeat(100));
  },
  'while we close': async ({ conn }) => {
    void conn.close(1000);
    await turns(1);
  },
  'while our close waits': async ({ conn, socket }) => {
    socket.isStuck = true;
    void conn.sendBinary(Buffer.alloc(300_000));
    void conn.close(1000);
    await turns(1);
  },
  'behind their close': ({ receive }) => receive(8, closeBody(4001)),
  'behind their close and a message unread': ({ receive }) => {
    receive(1, 'unread');
    receive(8, closeBody(4001));
  },
  'behind a violation': ({ receive }) => receive(3, ''),
  'before anything': () => {},
};

/** What goes wrong. */
const FAULTS: Readonly<Record<string, (stage: Stage) => void>> = {
  'fails to read': ({ socket }) => void socket.destroy(broken('read')),
  'fails to write': ({ conn, socket }) => {
    socket.writeError = broken('write');
    socket.failHeld(socket.writeError);
    // A control frame goes past what waits.
    void conn.sendPing('into the void');
  },
  'fails to end': ({ socket }) => {
    socket.finalError = broken('end');
    socket.failHeld(socket.finalError);
    socket.push(null);
  },
  'is destroyed without a word': ({ socket }) => void socket.destroy(),
  'ends its reading side': ({ socket }) => void socket.push(null),
  'fails twice': ({ socket }) => {
    socket.writeError = broken('write');
    socket.emit('error', broken('first'));
    socket.destroy(broken('second'));
  },
  'says that it is closed and nothing else': ({ socket }) => void socket.emit('close'),
};

/** Their FIN stands behind pings, which are not read while pongs cannot be written: a matter of time-outs, not of faults. */
const isUnseen = (state: string, fault: string): boolean =>
  state === 'while pongs wait' && fault === 'ends its reading side';

const cases = ROLES.flatMap((role) =>
  Object.keys(STATES).flatMap((state) =>
    Object.keys(FAULTS).flatMap((fault) => (isUnseen(state, fault) ? [] : [{ role, state, fault }])),
  ),
);

function stand(role: Role): Stage {
  const socket = new FaultySocket();
  const options = { closeTimeoutMs: 60 };
  const conn = role === 'server' ? WsConnection.fromServer(socket, options) : WsConnection.fromClient(socket, options);
  const receive: Stage['receive'] = (opcode, payload = '', isFinal = true) =>
    void socket.push(naiveEncode(opcode, payload, { isFinal, isMasked: role === 'server' }));
  return { conn, socket, receive };
}

describe('a socket', () => {
  it.each(cases)('that $fault $state ends the connection of a $role, and all who wait', async (row) => {
    const stage = stand(row.role);
    const { conn, socket } = stage;
    const closed = new Promise<void>((resolve) => void conn.once('close', resolve));
    const waits = [conn.ping(), conn.sendText('hello'), conn.closeInfo];
    const state = STATES[row.state]!(stage);
    if (row.state !== 'before anything') {
      await state;
      await turns(2);
    }
    FAULTS[row.fault]!(stage);
    await turns(1);
    // Somebody reads only now: what came is not lost, and comes once.
    const texts: string[] = [];
    for await (const frame of conn) texts.push(frame.payloadText());
    // With the reading side ended alone, it is the caller who sees it and closes.
    const info = await conn.close();
    await Promise.all([...waits, closed]);
    expect(texts.length).toBe(new Set(texts).size);
    expect(info.wasClean).toBe(info.error === undefined);
    if (row.state.startsWith('with messages')) expect(texts).toEqual(['a', 'b', 'c']);
    else expect(['', 'unread']).toContain(texts.join());
    const hasClose = row.state.startsWith('behind their close');
    const codes = hasClose ? [4001, 1006] : row.state === 'behind a violation' ? [1002, 1006] : [1006];
    expect(codes).toContain(info.code);
    if (!hasClose) expect(info.wasClean).toBe(false);
    expect(await conn.sendText('late')).toBe(0);
    expect(await conn.ping()).toBeNull();
    // What had been accepted before a FIN may still leave; not for ever.
    await until(() => conn.bufferedAmount === 0);
    socket.destroy();
  });

  it.each(ROLES)('whose error ended the connection is the cause in closeInfo (%s)', async (role) => {
    const { conn, socket } = stand(role);
    const error = broken('read');
    socket.destroy(error);
    expect((await conn.closeInfo).error?.cause).toBe(error);
  });
});
