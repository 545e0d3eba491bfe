import type { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { EstablishedOptions } from '../../lib/connection/connection-arguments.ts';
import { WsConnection } from '../../lib/connection/ws-connection.ts';
import { WS_STATE_CLOSED } from '../../lib/protocol/closing.ts';
import { WsFrame } from '../../lib/protocol/frame.ts';
import { serializeFrame } from '../../lib/protocol/frame-serializer.ts';
import { ByteCollector, memoryPair } from '../support/sockets.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await turn();
};

interface Meeting {
  readonly conn: WsConnection;
  readonly socket: Duplex;
  /** Sends frames as the peer does. */
  readonly send: (...frames: readonly WsFrame[]) => void;
}

/** A server's connection and a peer made of bytes. */
function meet(options?: EstablishedOptions, highWaterMark?: number): Meeting {
  const { client, server } = memoryPair({ highWaterMark });
  client.on('end', () => client.end());
  const send = (...frames: readonly WsFrame[]): void =>
    void client.write(Buffer.concat(frames.map((frame) => serializeFrame(frame, { role: 'client' }))));
  return { conn: WsConnection.fromServer(server, options), socket: client, send };
}

const text = (content: string): WsFrame => WsFrame.text(content);
const frameAsServer = (frame: WsFrame): Buffer => Buffer.from(serializeFrame(frame, { role: 'server' }));

describe('a pong (§5.5.2)', () => {
  it('has the payload of its ping, and passes by the messages that nobody reads', async () => {
    const { conn, socket, send } = meet();
    const peer = new ByteCollector(socket);
    send(text('unread'), WsFrame.ping('data'));
    expect((await peer.read(6)).equals(frameAsServer(WsFrame.pong('data')))).toBe(true);
    expect((await conn.recvFrame())?.payloadText()).toBe('unread');
    conn.forceClose();
  });

  it('that cannot be written holds the peer back: pings cannot pile up pongs', async () => {
    const { conn, socket, send } = meet(undefined, 64);
    const ping = WsFrame.ping(new Uint8Array(125));
    let taken = 0;
    const bytes = serializeFrame(ping, { role: 'client' });
    for (let i = 0; i < 5000; i++) socket.write(bytes, () => taken++);
    await turns();
    const held = taken;
    await turns();
    expect([taken, held < 3000]).toEqual([held, true]);
    expect(conn.bufferedAmount).toBeLessThan(200_000);
    // As soon as the pongs are read, all is answered.
    const peer = new ByteCollector(socket);
    expect((await peer.read(5000 * 127)).length).toBe(5000 * 127);
    expect([conn.isOpen(), taken]).toEqual([true, 5000]);
    send(WsFrame.close(1000));
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });

  it('is not sent once the connection closes (§5.5.1)', async () => {
    const { conn, socket, send } = meet();
    const peer = new ByteCollector(socket);
    const closing = conn.close();
    send(WsFrame.ping('late'), WsFrame.close(1000));
    expect(await closing).toMatchObject({ code: 1000, wasClean: true });
    expect((await peer.readAll()).equals(frameAsServer(WsFrame.close(1000)))).toBe(true);
  });
});

describe('what comes behind the end', () => {
  it('is not received: a close frame is the last (§5.5.1)', async () => {
    const { conn, socket, send } = meet({ controlFrames: true });
    socket.resume();
    send(text('a'), WsFrame.close(1000), text('b'), WsFrame.ping('c'));
    const seen: string[] = [];
    for await (const frame of conn) seen.push(frame.isClose() ? 'close' : frame.payloadText());
    expect(seen).toEqual(['a', 'close']);
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });

  it('does not excuse a message that was too large before it (§10.4)', async () => {
    const { conn, socket, send } = meet({ maxMessageBytes: 10 });
    socket.resume();
    send(text('fits'), text('does not fit'), WsFrame.close(1000));
    await turns();
    expect((await conn.recvFrame())?.payloadText()).toBe('fits');
    expect(await conn.recvFrame()).toBeNull();
    const info = await conn.closeInfo;
    expect(info).toMatchObject({ code: 1009, wasClean: false, initiator: 'local' });
    expect(info.error).toMatchObject({ code: 'WS_ERR_MESSAGE_TOO_LARGE' });
  });
});

describe('the bound of what is unread', () => {
  it.each([0, 1, 1000])('of %i bytes holds the peer back, and lets it go on when there is room', async (bound) => {
    const { conn, socket } = meet({ maxBufferedBytes: bound }, 64);
    const bytes = serializeFrame(WsFrame.binary(new Uint8Array(10_000)), { role: 'client' });
    let taken = 0;
    for (let i = 0; i < 100; i++) socket.write(bytes, () => taken++);
    await turns();
    expect(taken).toBeLessThan(50);
    for (let i = 0; i < 100; i++) expect((await conn.recvFrame())?.payloadLength).toBe(10_000);
    expect(taken).toBe(100);
    conn.forceClose();
  });

  it('does not hold up a close that we have begun and that nobody reads up to', async () => {
    const { conn, socket, send } = meet({ maxBufferedBytes: 1000 }, 64);
    socket.resume();
    for (let i = 0; i < 100; i++) send(WsFrame.binary(new Uint8Array(10_000)));
    await turns();
    const closing = conn.close();
    send(WsFrame.close(1000));
    expect(await closing).toMatchObject({ code: 1000, wasClean: true });
    // What had come before stays readable; what did not fit was thrown away.
    let read = 0;
    while ((await conn.recvFrame()) !== null) read++;
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(100);
  });
});

describe('the heartbeat', () => {
  const heartbeat = { intervalMs: 10, timeoutMs: 10 };

  it('does not punish a peer whose close frame waits for its reader', async () => {
    const { conn, socket, send } = meet({ heartbeat });
    socket.resume();
    send(text('unread'), WsFrame.close(1000));
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(conn.isOpen()).toBe(true);
    expect((await conn.recvFrame())?.payloadText()).toBe('unread');
    expect(await conn.recvFrame()).toBeNull();
    expect(await conn.closeInfo).toMatchObject({ code: 1000, wasClean: true });
  });

  it('does not punish a peer that we hold back ourselves', async () => {
    const { conn, socket, send } = meet({ heartbeat, maxBufferedBytes: 1 });
    socket.resume();
    send(text('unread'));
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(conn.isOpen()).toBe(true);
    conn.forceClose();
  });

  it('leaves a closing connection its time, and sends nothing behind the close frame (§5.5.1)', async () => {
    const { conn, socket, send } = meet({ heartbeat });
    const peer = new ByteCollector(socket);
    const closing = conn.close();
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(peer.pending.equals(frameAsServer(WsFrame.close(1000)))).toBe(true);
    send(WsFrame.close(1000));
    expect(await closing).toMatchObject({ code: 1000, wasClean: true });
  });
});

describe('bufferedAmount', () => {
  it('counts what waits anywhere on the way out, and is 0 when the connection is gone', async () => {
    const { conn, socket } = meet(undefined, 64);
    for (let i = 0; i < 4; i++) conn.write(new Uint8Array(100_000), () => {});
    void conn.sendBinary(new Uint8Array(100_000));
    expect(conn.bufferedAmount).toBeGreaterThan(499_000);
    conn.forceClose();
    expect([conn.bufferedAmount, conn.state]).toEqual([0, WS_STATE_CLOSED]);
    socket.destroy();
  });
});

describe('a ping', () => {
  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('with timeoutMs %s is a RangeError', async (timeoutMs) => {
    const { conn } = meet();
    await expect(conn.ping('', { timeoutMs })).rejects.toThrow(RangeError);
    conn.forceClose();
  });

  it('that is aborted leaves a later one its own pong', async () => {
    const { conn, socket, send } = meet();
    socket.resume();
    const controller = new AbortController();
    const first = conn.ping('same', { signal: controller.signal });
    controller.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    const second = conn.ping('same');
    send(WsFrame.pong('same'));
    expect(await second).toBeGreaterThanOrEqual(0);
    conn.forceClose();
  });
});
