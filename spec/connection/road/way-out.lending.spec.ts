/** A way out that is not open, and frames that carry their bytes. */
import type { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { WayOut } from '../../../lib/connection/road/way-out.ts';
import { PreparedFrame } from '../../../lib/fanout/prepared-frame.ts';
import { WsFrame } from '../../../lib/protocol/frame.ts';
import type { WsRole } from '../../../lib/protocol/header-rules.ts';
import { until } from '../../support/endpoints.ts';
import { PLAN } from '../../support/road-plan.ts';
import { ByteCollector, memoryPair, tcpPair } from '../../support/sockets.ts';

function wayOver(socket: Duplex, role: WsRole = 'server') {
  const handlers = { roadDrained: vi.fn(), giveUp: vi.fn() };
  const owner = { handlers, opened: vi.fn() };
  const way = new WayOut(socket, { ...PLAN, role }, owner);
  way.start();
  return { way, opened: owner.opened, drained: handlers.roadDrained, write: vi.spyOn(socket, 'write') };
}

async function tcpWay(role?: WsRole) {
  const { client, server } = await tcpPair();
  return { ...wayOver(server, role), client, server };
}

const endOfTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe('a way out that is not open', () => {
  it('has the very bytes of a prepared frame written at the end of the tick, and does not open', async () => {
    const { way, opened, write, client } = await tcpWay();
    const peer = new ByteCollector(client);
    const frame = PreparedFrame.text('news');
    expect([way.writeNow(frame), way.heldBytes, way.bytes, write.mock.calls]).toEqual([true, 6, 0, []]);
    await endOfTick();
    expect(write.mock.calls[0]?.[0]).toBe(frame.wire);
    expect((await peer.read(6)).toString('latin1')).toBe('\x81\x04news');
    expect([way.heldBytes, way.bytes, way.dataFrames, way.rest()]).toEqual([0, 6, 1, true]);
    expect([opened.mock.calls.length, write.mock.calls.length]).toEqual([0, 1]);
  });

  it('joins two of one tick, the same for all', async () => {
    const ways = [await tcpWay(), await tcpWay()];
    const frames = [PreparedFrame.text('one'), PreparedFrame.text('two')];
    for (const { way } of ways) for (const frame of frames) expect(way.write(frame)).toBe(true);
    await endOfTick();
    const [first, second] = ways.map(({ write }) => write.mock.calls.map(([bytes]) => bytes as Buffer));
    expect(first?.map(String)).toEqual([Buffer.concat(frames.map(({ wire }) => wire!)).toString()]);
    expect(second?.[0]).toBe(first?.[0]);
    expect(ways.map(({ opened }) => opened.mock.calls.length)).toEqual([0, 0]);
  });

  it('says how many frames it gives on, each counted once', async () => {
    const { way } = await tcpWay();
    for (const count of [1, 3]) {
      for (let index = 0; index < count; index++) way.write(PreparedFrame.text('news'));
      expect([way.flushTick(), way.flushTick()]).toEqual([count, 0]);
    }
    way.write(PreparedFrame.text('the last'));
    way.finish();
    expect(way.flushTick()).toBe(0);
    await endOfTick();
  });

  it('opens for any other frame, behind what it was lent', async () => {
    const { way, opened, client } = await tcpWay();
    const peer = new ByteCollector(client);
    way.write(PreparedFrame.text('one'));
    way.write(WsFrame.text('two'));
    way.write(PreparedFrame.text('six'));
    way.write(WsFrame.ping());
    expect((await peer.read(17)).toString('latin1')).toBe('\x81\x03one\x81\x03two\x81\x03six\x89\x00');
    expect([way.bytes, way.heldBytes, opened.mock.calls.length]).toEqual([17, 0, 1]);
  });

  it('opens where more is lent than is worth joining, in order', async () => {
    const { way, opened, client } = await tcpWay();
    const peer = new ByteCollector(client);
    const frames = [...'abc'].map((letter) => PreparedFrame.binary(Buffer.alloc(5000, letter)));
    for (const frame of frames) expect(way.write(frame)).toBe(true);
    expect(await peer.read(3 * 5004)).toEqual(Buffer.concat(frames.map(({ wire }) => wire!)));
    expect(opened.mock.calls.length).toBe(1);
  });

  it('opens where the socket is full, and tells when there is room', async () => {
    const { way, opened, drained, client } = await tcpWay();
    const frame = PreparedFrame.binary(Buffer.alloc(60_000));
    let count = 1;
    for (; way.write(frame); count++) await endOfTick();
    expect([opened.mock.calls.length, drained.mock.calls.length]).toEqual([1, 0]);
    expect(way.heldBytes).toBeGreaterThan(60_000);
    const peer = new ByteCollector(client);
    expect((await peer.read(count * frame.wire!.length)).length).toBe(way.acceptedBytes);
    await until(() => drained.mock.calls.length === 1);
    expect(way.heldBytes).toBe(0);
  });

  it('ends behind what it was lent', async () => {
    const { way, client } = await tcpWay();
    const peer = new ByteCollector(client);
    way.write(PreparedFrame.text('last'));
    way.end();
    expect(way.writeNow(PreparedFrame.text('late'))).toBe(false);
    expect((await peer.readAll()).toString('latin1')).toBe('\x81\x04last');
  });

  it('writes nothing to a socket that is gone', async () => {
    const { way, write } = await tcpWay();
    way.write(PreparedFrame.text('last'));
    way.finish();
    await endOfTick();
    expect([write.mock.calls, way.bytes]).toEqual([[], 0]);
  });

  it('opens for what is no server and no socket: nobody may see the memory of others', async () => {
    const memory = wayOver(memoryPair().server);
    const client = await tcpWay('client');
    for (const { way, opened } of [memory, client]) {
      way.write(PreparedFrame.text('news'));
      expect(opened.mock.calls.length).toBe(1);
      await endOfTick();
      way.finish();
    }
  });
});
